"""`squadqa ensemble`: several trained runs answer together."""

import argparse
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squadqa.cli.console import ProgressLines, bold, facts, print_json, table
from squadqa.cli.options import (
    add_cache_options,
    add_trust_option,
    device,
    positive,
    require_answers,
    require_writable_file,
)
from squadqa.cli.parser import CommandParser
from squadqa.cli.run_folders import (
    RESULTS,
    require_name,
    require_new,
    require_writable,
    write_scored,
)
from squadqa.errors import ConfigError, DataError
from squadqa.files import write_atomic
from squadqa.scoring import Score, score

if TYPE_CHECKING:
    from squadqa.evaluation.predictions import Answer
    from squadqa.evaluation.results import Result
    from squadqa.inference.ensemble import Ensemble, JointReading
    from squadqa.inference.run_folder import Choice

HELP = "let several trained runs answer together, and score that"

MEMBERS = "members.json"
"""What the folder of an ensemble says of its members' scores."""

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
        ensemble: The ensemble.
        members: Its members.
        answers: The best spans of each question id.
        score: What they score; None where the data has no answers.
        data: The questions' source.
    """

    ensemble: "Ensemble"
    members: list[Member]
    answers: "dict[str, list[Answer]]"
    score: Score | None
    data: str


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
    _require_sense(options)
    if options.n_best and not options.output:
        raise ConfigError("--n-best wants a file to write", next_step="Name it with --output FILE.")
    _require_places(options)
    named = [_named(text, options.checkpoint) for text in options.run]
    answered = _answer(options, named)
    written = _write(options, answered, shlex.join(["squadqa", "ensemble", *arguments]))
    if options.json:
        members = [asdict(member) for member in answered.members]
        scores = asdict(answered.score) if answered.score else {"total": len(answered.answers)}
        print_json({**scores, "members": members})
        return 0
    print(_text(answered))
    if written:
        print("\n" + facts(written))
    return 0


def _answer(options: argparse.Namespace, named: list[Named]) -> Answered:
    """Let the members read one after the other, and take their mean."""
    from squadqa.data.squad import find_source
    from squadqa.inference.run_folder import find_checkpoint, find_run, open_run

    source = find_source(options.data) if options.data else None
    _require_different([find_checkpoint(find_run(folder), choice) for folder, choice in named])

    from squadqa.inference.answering import Preparation, texts_of
    from squadqa.inference.ensemble import Ensemble
    from squadqa.inference.predictor import Predictor

    predictors = [
        Predictor(open_run(folder, checkpoint=choice, trust=options.trust), device=options.device)
        for folder, choice in named
    ]
    ensemble = Ensemble(
        predictors,
        weights=options.weights,
        mean=options.mean,
        aim=options.maximize.replace("-", "_"),
    )
    preparation = Preparation(options.cache_dir, options.workers, ProgressLines())
    held_out = None
    if options.held_out or options.fit_weights:
        held_out = ensemble.read_held_out(preparation)
    if options.fit_weights:
        assert held_out is not None
        ensemble.fit_weights(held_out)
    reading = held_out if source is None else ensemble.read(source, preparation)
    assert reading is not None
    references = reading.references
    is_scored = _is_scored(references, options)
    answers = ensemble.answers(reading, n_best=options.n_best or 1)
    return Answered(
        ensemble=ensemble,
        members=_members(ensemble, named, reading, references if is_scored else None),
        answers=answers,
        score=score(references, texts_of(answers)) if is_scored else None,
        data=options.data or predictors[0].run.held_out.source,
    )


def _members(
    ensemble: "Ensemble",
    named: Sequence[Named],
    reading: "JointReading",
    references: Mapping[str, Sequence[str]] | None,
) -> list[Member]:
    """Describe the members; with references, score each alone."""
    from squadqa.inference.answering import texts_of

    members = []
    for place, (folder, _) in enumerate(named):
        alone = None
        if references is not None:
            alone = score(references, texts_of(ensemble.answers_of_member(reading, place)))
        members.append(
            Member(
                run=str(folder),
                checkpoint=str(ensemble.members[place].run.checkpoint),
                weight=ensemble.weights[place],
                exact_match=alone.exact_match if alone else None,
                f1=alone.f1 if alone else None,
            )
        )
    return members


def _is_scored(references: Mapping[str, Sequence[str]], options: argparse.Namespace) -> bool:
    """Tell whether there are answers to score against; without any, predictions are wanted."""
    if any(references.values()):
        require_answers(references, options.data or "the held-out articles")
        return True
    if not options.output and not options.run_folder:
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
        usage="RUN RUN [RUN ...] (--data FILE | --held-out) [options]",
        examples=[
            (
                "three runs on SQuAD's dev part, scores and predictions kept as a training's are",
                "squadqa ensemble runs/drqa runs/bidaf runs/rnet --data squad --run runs/three",
            ),
            (
                "which members to take: the score on articles that no member learned from",
                "squadqa ensemble runs/drqa runs/mlp --held-out --fit-weights",
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
        help="questions: .json, .json.gz, .jsonl, or squad; scored where they have answers",
    )
    add(
        "--held-out",
        action="store_true",
        help="score on what the trainings held out",
    )
    add("--weights", metavar="W", nargs="+", type=_weight, help="of the runs (default: all alike)")
    add(
        "--fit-weights",
        action="store_true",
        help="make the held-out answers most probable",
    )
    add(
        "--mean",
        choices=("geometric", "arithmetic"),
        default="geometric",
        help="of probabilities (default: geometric)",
    )
    add(
        "--maximize",
        choices=("exact-match", "f1"),
        default="exact-match",
        help="answer with the most probable span, or that of the highest expected F1 "
        "(default: exact-match)",
    )
    add("--output", metavar="FILE", help="prediction file to write, as .json")
    add("--n-best", metavar="N", type=positive, help="also write the N best spans of each question")
    add(
        "--checkpoint",
        choices=("best", "last"),
        help="of run folders (default: best, or last where there is no best yet)",
    )
    add("--device", type=device, default="auto", help="auto, cpu or cuda (default: auto)")
    add_trust_option(parser)
    add(
        "--run",
        metavar="RUN_FOLDER",
        dest="run_folder",
        help="folder to make for answers and scores",
    )
    add("--results", metavar="FOLDER", help="also write the scores to FOLDER/NAME.json")
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


def _require_sense(options: argparse.Namespace) -> None:
    runs, weights = options.run, options.weights
    if len(runs) < 2:
        raise ConfigError(
            f'one run, "{runs[0]}", is no ensemble',
            next_step=f"Name another, or score it alone: squadqa evaluate {runs[0]} --data FILE",
        )
    if bool(options.data) == options.held_out:
        raise ConfigError(
            f'both --data "{options.data}" and --held-out'
            if options.data
            else "nothing to answer: neither --data nor --held-out",
            next_step="Name a file with --data FILE, or take the trainings' own with --held-out.",
        )
    if weights and options.fit_weights:
        raise ConfigError(
            "both --weights and --fit-weights", next_step="Give the weights, or have them fitted."
        )
    if weights and len(weights) != len(runs):
        raise ConfigError(
            f"{len(weights)} weights for {len(runs)} runs",
            hint="Run folders stand in front of --weights.",
            next_step="Give one weight for each run, in the same order.",
        )


def _require_places(options: argparse.Namespace) -> None:
    """Find out before the work is done whether all that is asked for can be written."""
    if options.run_folder:
        folder = Path(options.run_folder)
        require_new(folder, next_step="Name another with --run.")
        require_name(folder)
        require_writable(folder)
    if options.output:
        require_writable_file(Path(options.output))
    if options.results:
        require_writable_file(Path(options.results) / f"{_name(options)}.json")


def _name(options: argparse.Namespace) -> str:
    """Name the result as a training's: after its run folder, where one is to be made."""
    return Path(options.run_folder).name if options.run_folder else "ensemble"


def _require_different(paths: list[Path]) -> None:
    resolved = [path.resolve() for path in paths]
    twice = next((path for path in paths if resolved.count(path.resolve()) > 1), None)
    if twice is not None:
        raise ConfigError(
            f'"{twice}" is named twice', next_step="Give it more weight with --weights instead."
        )


def _write(options: argparse.Namespace, answered: Answered, command: str) -> list[tuple[str, str]]:
    """Write what was asked for; say what was written where."""
    from squadqa.evaluation.predictions import write_n_best, write_predictions
    from squadqa.evaluation.results import write_result
    from squadqa.inference.answering import texts_of
    from squadqa.inference.ensemble_folder import save_ensemble

    texts = texts_of(answered.answers)
    is_kept = options.run_folder or options.results
    result = _result(options, answered, answered.score, command) if is_kept else None
    written = []
    if options.run_folder:
        folder = Path(options.run_folder)
        write_scored(folder, result, texts)
        with write_atomic(folder / MEMBERS) as file:
            json.dump([asdict(member) for member in answered.members], file, indent=1)
        save_ensemble(folder, answered.ensemble)
        written.append(("run", str(folder)))
    if options.output:
        output = Path(options.output)
        if options.n_best:
            n_best = output.with_name(f"{output.stem}.n_best.json")
            write_n_best(n_best, answered.answers)
            written.append(("n-best", str(n_best)))
        write_predictions(output, texts)
        written.append(("predictions", str(output)))
    if options.results and result:
        written.append(("result", str(write_result(options.results, result))))
    return written


def _result(
    options: argparse.Namespace, answered: Answered, scored: Score | None, command: str
) -> "Result | None":
    """Make a row for the table of results; its minutes are those that the members trained."""
    if scored is None:
        return None

    from squadqa.evaluation.results import measured

    members = answered.ensemble.members
    folders = dict.fromkeys(Path(member.run).resolve() for member in answered.members)
    trained = [_trained(folder) for folder in folders]
    vectors = dict.fromkeys(name for one in members for name in one.run.inputs.vectors)
    minutes = [float(known) for one in trained if (known := one.get("minutes")) is not None]
    alone = "; ".join(
        f"{member.run} {member.weight:.3g}, {member.f1:.1f}" for member in answered.members
    )
    return measured(
        _name(options),
        command=command,
        data=answered.data,
        split="held out" if options.held_out else "dev",
        total=scored.total,
        seed=int(trained[0].get("seed", 0)),
        device=str(members[0].device),
        vectors=" + ".join(vectors),
        minutes=sum(minutes) if len(minutes) == len(trained) else None,
        parameters=sum(one.model.num_parameters for one in members),
        exact_match=scored.exact_match,
        f1=scored.f1,
        notes=f"Weights and F1 of each alone: {alone}.",
    )


def _trained(folder: Path) -> dict[str, Any]:
    """What a finished training wrote of itself; nothing where it goes on."""
    path = folder / RESULTS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _text(answered: Answered) -> str:
    questions = ("questions", f"{len(answered.answers):,}")
    if answered.score is None:
        return facts([questions, *(("member", one.checkpoint) for one in answered.members)])
    rows = [("", "weight", "EM", "F1")]
    rows += [
        (one.checkpoint, f"{one.weight:.3g}", f"{one.exact_match:.2f}", f"{one.f1:.2f}")
        for one in answered.members
    ]
    scored = answered.score
    rows.append(("ensemble", "", f"{scored.exact_match:.2f}", f"{scored.f1:.2f}"))
    gain = scored.f1 - max(one.f1 or 0.0 for one in answered.members)
    head, *body = table(rows).splitlines()
    gained = facts([questions, ("over the best member", f"{gain:+.2f} F1")])
    return "\n".join([bold(head), *body, "", gained])
