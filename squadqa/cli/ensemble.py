"""`squadqa ensemble`: several trained runs answer together."""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squadqa.cli.console import ProgressLines, bold, facts, print_json, table
from squadqa.cli.evaluate import require_answers
from squadqa.cli.parser import CommandParser, add_cache_options, device, positive
from squadqa.cli.predict import require_writable_file
from squadqa.errors import ConfigError, DataError
from squadqa.scoring import Score, score

if TYPE_CHECKING:
    from squadqa.evaluation.predictions import NBest
    from squadqa.inference.run_folder import Choice

HELP = "let several trained runs answer together, and score that"

Named = tuple[Path, "Choice | None"]
"""A run folder and which of its checkpoints to take."""


@dataclass(frozen=True)
class Member:
    """A run of the ensemble.

    Args:
        run: Its run folder.
        checkpoint: Its checkpoint, for people.
        weight: How much its probabilities count.
        exact_match: Its own exact match in percent; None where the data has no answers.
        f1: Its own F1 in percent; None likewise.
    """

    run: str
    checkpoint: str
    weight: float
    exact_match: float | None
    f1: float | None


@dataclass(frozen=True)
class Answered:
    """What an ensemble answered.

    Args:
        members: Its members.
        answers: The best spans of each question id.
        score: What they score; None where the data has no answers.
        known: What a result says of the members together: device, vectors, parameters.
    """

    members: list[Member]
    answers: "dict[str, list[NBest]]"
    score: Score | None
    known: dict[str, Any]


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: What stands behind the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, runs, output or options are not what they should be.
    """
    options = _parser().parse_args(arguments)
    weights = _weights(options)
    if options.n_best and not options.output:
        raise ConfigError("--n-best wants a file to write", next_step="Name it with --output FILE.")
    if options.output:
        require_writable_file(Path(options.output))
    named = [_named(text, options.checkpoint) for text in options.run]
    answered = _answer(options, named, weights)
    written = _write(options, answered)
    if options.json:
        members = [asdict(member) for member in answered.members]
        scores = asdict(answered.score) if answered.score else {"total": len(answered.answers)}
        print_json({**scores, "members": members})
        return 0
    print(_text(answered))
    if written:
        print("\n" + facts(written))
    return 0


def _answer(options: argparse.Namespace, named: list[Named], weights: list[float]) -> Answered:
    """Let the members read one after the other, and take their mean."""
    from squadqa.data.squad import find_source
    from squadqa.inference.run_folder import find_checkpoint, find_run, open_run

    source = find_source(options.data)
    _require_different([find_checkpoint(find_run(folder), choice) for folder, choice in named])
    for folder, choice in named:  # mistakes show before the first has read for minutes
        open_run(folder, checkpoint=choice)

    from squadqa.inference.ensemble import ensemble_answers, read_questions
    from squadqa.inference.predictor import Predictor

    progress = ProgressLines()
    readings, members, parameters = [], [], 0
    vectors: dict[str, None] = {}
    for (folder, choice), weight in zip(named, weights, strict=True):
        predictor = Predictor(open_run(folder, checkpoint=choice), device=options.device)
        run = predictor.run
        data = predictor.prepare(
            source, cache_dir=options.cache_dir, workers=options.workers, progress=progress
        )
        is_scored = _is_scored(data.references, options)
        dataset = run.inputs.dataset(data)
        readings.append(read_questions(predictor, dataset, progress=progress))
        alone = ensemble_answers(dataset, readings[-1:])
        own = score(data.references, _texts(alone)) if is_scored else None
        members.append(
            Member(
                run=str(folder),
                checkpoint=str(run.checkpoint),
                weight=weight,
                exact_match=own.exact_match if own else None,
                f1=own.f1 if own else None,
            )
        )
        vectors |= dict.fromkeys(run.inputs.vectors)
        parameters += sum(weight.numel() for weight in run.checkpoint.weights.values())
    answers = ensemble_answers(dataset, readings, weights=weights, n_best=options.n_best or 1)
    known = {
        "device": str(predictor.device),
        "vectors": " + ".join(vectors),
        "parameters": parameters,
    }
    scored = score(data.references, _texts(answers)) if is_scored else None
    return Answered(members, answers, scored, known)


def _texts(answers: "Mapping[str, Sequence[NBest]]") -> dict[str, str]:
    return {name: best[0].text for name, best in answers.items()}


def _is_scored(references: Mapping[str, Sequence[str]], options: argparse.Namespace) -> bool:
    """Tell whether there are answers to score against; without any, predictions are wanted."""
    if any(references.values()):
        require_answers(references, options.data)
        return True
    if not options.output:
        raise DataError(
            f'"{options.data}" has no answers to score against, and nothing is to be written',
            next_step="Name a prediction file with --output FILE, or data with answers.",
        )
    return False


def _parser() -> CommandParser:
    parser = CommandParser(
        "ensemble",
        "Let several trained runs, readers and scorers alike, answer together: each span's\n"
        "probability is the weighted mean of the members'. Scores it beside each member alone.",
        usage="RUN RUN [RUN ...] --data FILE [options]",
        examples=[
            (
                "three runs on SQuAD's dev part, predictions kept",
                "squadqa ensemble runs/drqa runs/bidaf runs/rnet --data squad "
                "--output predictions.json",
            ),
            (
                "the best and the last checkpoint of one run, the best counting twice",
                "squadqa ensemble runs/drqa runs/drqa/checkpoints/last.ckpt --weights 2 1 "
                "--data dev.json",
            ),
        ],
    )
    add = parser.add_argument
    add("run", metavar="RUN", nargs="+", help="run folder, or a checkpoint in one")
    add(
        "--data",
        metavar="FILE",
        required=True,
        help="questions: .json, .json.gz, .jsonl, or squad; scored where they have answers",
    )
    add("--weights", metavar="W", nargs="+", type=_weight, help="of the runs (default: all alike)")
    add("--output", metavar="FILE", help="prediction file to write, as .json")
    add("--n-best", metavar="N", type=positive, help="also write the N best spans of each question")
    add(
        "--checkpoint",
        choices=("best", "last"),
        help="of run folders (default: best, or last where there is no best yet)",
    )
    add("--device", type=device, default="auto", help="auto, cpu or cuda (default: auto)")
    add("--results", metavar="FOLDER", help="also write the scores to FOLDER/NAME.json")
    add("--name", metavar="NAME", default="ensemble", help="of the result (default: ensemble)")
    add("--json", action="store_true", help="print one JSON object, nothing else")
    add_cache_options(parser)
    return parser


def _weight(text: str) -> float:
    """Read a member's weight.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number above 0')
    return weight


def _named(text: str, choice: "Choice | None") -> Named:
    """Tell a run folder from a checkpoint in one."""
    path = Path(text)
    if path.suffix != ".ckpt":
        return path, choice

    from squadqa.inference.run_folder import CHECKPOINTS, CHOICES

    chosen = next((name for name in CHOICES if name == path.stem), None)
    if chosen is None or path.parent.name != CHECKPOINTS:
        raise ConfigError(
            f'"{path}" is no checkpoint of a run folder',
            hint=f'Its place would be "RUN_FOLDER/{CHECKPOINTS}/best.ckpt", or last.ckpt.',
            next_step="Name a run folder, or one of these two files.",
        )
    return path.parent.parent, chosen


def _weights(options: argparse.Namespace) -> list[float]:
    runs, weights = options.run, options.weights
    if len(runs) < 2:
        raise ConfigError(
            f'one run, "{runs[0]}", is no ensemble',
            next_step=f"Name another, or score it alone: squadqa evaluate {runs[0]} --data FILE",
        )
    if weights and len(weights) != len(runs):
        raise ConfigError(
            f"{len(weights)} weights for {len(runs)} runs",
            hint="Run folders stand in front of --weights.",
            next_step="Give one weight for each run, in the same order.",
        )
    return weights or [1.0] * len(runs)


def _require_different(paths: list[Path]) -> None:
    resolved = [path.resolve() for path in paths]
    twice = next((path for path in paths if resolved.count(path.resolve()) > 1), None)
    if twice is not None:
        raise ConfigError(
            f'"{twice}" is named twice', next_step="Give it more weight with --weights instead."
        )


def _write(options: argparse.Namespace, answered: Answered) -> list[tuple[str, str]]:
    """Write what was asked for; say what was written where."""
    from squadqa.evaluation.predictions import write_n_best, write_predictions

    written = []
    if options.output:
        output = Path(options.output)
        if options.n_best:
            n_best = output.with_name(f"{output.stem}.n_best.json")
            write_n_best(n_best, answered.answers)
            written.append(("n-best", str(n_best)))
        write_predictions(output, _texts(answered.answers))
        written.append(("predictions", str(output)))
    if options.results and answered.score:
        written.append(("result", str(_write_result(options, answered, answered.score))))
    return written


def _write_result(options: argparse.Namespace, answered: Answered, scored: Score) -> Path:
    """Write a row for the table of results; its minutes are those that the members trained."""
    from squadqa.evaluation.results import Result, commit, hardware, write_result

    trained = [_trained(Path(member.run)) for member in answered.members]
    line = f"squadqa ensemble {' '.join(options.run)}"
    if options.weights:
        line += f" --weights {' '.join(f'{weight:g}' for weight in options.weights)}"
    alone = ", ".join(f"{member.run} {member.f1:.1f}" for member in answered.members)
    return write_result(
        options.results,
        Result(
            name=options.name,
            config=line,
            data=options.data,
            split="dev",
            total=scored.total,
            seed=int(trained[0].get("seed", 0)),
            commit=commit(Path(__file__).parent),
            hardware=hardware(),
            budget_minutes=None,
            minutes=float(sum(one.get("minutes", 0.0) for one in trained)),
            epochs=0.0,
            examples_per_second=0.0,
            exact_match=scored.exact_match,
            f1=scored.f1,
            notes=f"Mean of span probabilities; F1 of each alone: {alone}.",
            **answered.known,
        ),
    )


def _trained(folder: Path) -> dict[str, Any]:
    """What a finished training wrote of itself; nothing where it goes on."""
    path = folder / "results.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _text(answered: Answered) -> str:
    questions = ("questions", f"{len(answered.answers):,}")
    if answered.score is None:
        return facts([questions, *(("member", one.checkpoint) for one in answered.members)])
    rows = [("", "weight", "EM", "F1")]
    rows += [
        (one.checkpoint, f"{one.weight:g}", f"{one.exact_match:.2f}", f"{one.f1:.2f}")
        for one in answered.members
    ]
    scored = answered.score
    rows.append(("ensemble", "", f"{scored.exact_match:.2f}", f"{scored.f1:.2f}"))
    gain = scored.f1 - max(one.f1 or 0.0 for one in answered.members)
    head, *body = table(rows).splitlines()
    gained = facts([questions, ("over the best member", f"{gain:+.2f} F1")])
    return "\n".join([bold(head), *body, "", gained])
