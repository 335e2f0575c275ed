"""`squadqa ensemble`: several trained runs answer together."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squadqa.cli.console import ProgressLines, bold, facts, print_json, table
from squadqa.cli.ensemble_options import (
    check_options,
    ensemble_parser,
    require_different,
    result_name,
)
from squadqa.cli.reading_options import source_of
from squadqa.cli.run_folders import write_scored
from squadqa.errors import DataError
from squadqa.files import write_atomic, write_folder_atomic
from squadqa.run_files import MEMBER_SCORES, RESULTS
from squadqa.scoring import Score, require_references, score
from squadqa.scoring_v2 import score_v2

if TYPE_CHECKING:
    from squadqa.cli.ensemble_options import Named
    from squadqa.evaluation.predictions import Answer
    from squadqa.evaluation.results import Result
    from squadqa.inference.ensemble import Ensemble, JointReading

HELP = "let several trained runs answer together, and score them"

NOT_RECORDED = ("--cache-dir", "--json", "--n-best", "--output", "--results", "--run", "--workers")
"""Options that change no score; a result's command leaves them out."""


@dataclass(frozen=True)
class Member:
    """A member of the ensemble.

    Args:
        run: Its run folder.
        checkpoint: Its checkpoint, for people.
        weight: How much its probabilities count.
        exact_match: Its own exact match in percent; None if the data has no answers.
        f1: Its own F1 in percent; None if the data has no answers.
    """

    run: str
    checkpoint: str
    weight: float
    exact_match: float | None
    f1: float | None


@dataclass(frozen=True)
class JointAnswers:
    """The answers of an ensemble.

    Args:
        ensemble: The ensemble.
        members: Its members.
        answers: The best spans of each question id.
        score: Their score; None if the data has no answers.
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
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, runs, output or options cannot be used.
    """
    parser = ensemble_parser()
    options = parser.parse_args(arguments)
    named = check_options(options)
    answered = _answer(options, named)
    written = _write(options, answered, parser.command_line(arguments, without=NOT_RECORDED))
    if options.json:
        members = [asdict(member) for member in answered.members]
        scores = asdict(answered.score) if answered.score else {"total": len(answered.answers)}
        print_json({**scores, "members": members})
        return 0
    print(_text(answered))
    if written:
        print("\n" + facts(written))
    return 0


def _answer(options: argparse.Namespace, named: "list[Named]") -> JointAnswers:
    """Let the members read one after another, and take their mean."""
    from squadqa.inference.run_folder import find_checkpoint, find_run, open_run

    source = source_of(options) if options.data else None
    require_different([find_checkpoint(find_run(folder), choice) for folder, choice in named])

    from squadqa.inference.answered import Preparation
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
        ensemble.fit_threshold(held_out)
    reading = held_out if source is None else ensemble.read(source, preparation)
    assert reading is not None
    references = reading.references
    is_scored = _is_scored(references, options, ensemble)
    answers = ensemble.answers(reading, n_best=options.n_best or 1)
    return JointAnswers(
        ensemble=ensemble,
        members=_members(ensemble, named, reading, references if is_scored else None),
        answers=answers,
        score=_scored(references, answers, ensemble) if is_scored else None,
        data=options.data or predictors[0].run.held_out.source,
    )


def _members(
    ensemble: "Ensemble",
    named: "Sequence[Named]",
    reading: "JointReading",
    references: Mapping[str, Sequence[str]] | None,
) -> list[Member]:
    """Describe the members; with references, also score each alone."""
    members = []
    for place, (folder, _) in enumerate(named):
        alone = None
        if references is not None:
            alone = _scored(references, ensemble.answers_of_member(reading, place), ensemble)
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


def _scored(
    references: Mapping[str, Sequence[str]],
    answers: "Mapping[str, Sequence[Answer]]",
    ensemble: "Ensemble",
) -> Score:
    """Score answers by the rule of SQuAD v2.0 if the ensemble may abstain, else by that of v1.1."""
    from squadqa.inference.answered import texts_of

    texts = texts_of(answers)
    if ensemble.threshold is None:
        return score(references, texts)
    scored = score_v2(references, texts)
    return Score(scored.exact_match, scored.f1, scored.total, scored.missing)


def _is_scored(
    references: Mapping[str, Sequence[str]], options: argparse.Namespace, ensemble: "Ensemble"
) -> bool:
    """Return whether there are answers to score against; without any, an output must be named."""
    if any(references.values()):
        if ensemble.threshold is None:
            require_references(references, options.data or "the held-out articles")
        return True
    if not options.output and not options.run_folder:
        raise DataError(
            f'"{options.data}" has no answers to score against, and no output is named',
            next_step="Name a prediction file with --output FILE, or data with answers.",
        )
    return False


def _write(
    options: argparse.Namespace, answered: JointAnswers, command: str
) -> list[tuple[str, str]]:
    """Write the requested files, and return what was written where."""
    from squadqa.evaluation.predictions import n_best_path, write_n_best, write_predictions
    from squadqa.evaluation.results import write_result
    from squadqa.inference.answered import texts_of
    from squadqa.inference.ensemble_folder import save_ensemble

    texts = texts_of(answered.answers)
    is_kept = options.run_folder or options.results
    result = _result(options, answered, answered.score, command) if is_kept else None
    written = []
    if options.run_folder:
        folder = Path(options.run_folder)
        with write_folder_atomic(folder) as made:
            write_scored(made, result, texts)
            with write_atomic(made / MEMBER_SCORES) as file:
                json.dump([asdict(member) for member in answered.members], file, indent=1)
            save_ensemble(made, answered.ensemble)
        written.append(("run", str(folder)))
    if options.output:
        output = Path(options.output)
        if options.n_best:
            n_best = n_best_path(output)
            write_n_best(n_best, answered.answers)
            written.append(("n-best", str(n_best)))
        write_predictions(output, texts)
        written.append(("predictions", str(output)))
    if options.results and result:
        written.append(("result", str(write_result(options.results, result))))
    return written


def _result(
    options: argparse.Namespace, answered: JointAnswers, scored: Score | None, command: str
) -> "Result | None":
    """Make a row for the table of results; its minutes are the members' training times together."""
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
        result_name(options),
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
        notes=f"Weights and F1 of each alone: {alone}."
        + (" Scored by the rule of SQuAD v2.0." if answered.ensemble.threshold is not None else ""),
    )


def _trained(folder: Path) -> dict[str, Any]:
    """The record that a finished training wrote; empty if it has not finished."""
    from squadqa.evaluation.results import read_result

    path = folder / RESULTS
    return asdict(read_result(path)) if path.is_file() else {}


def _text(answered: JointAnswers) -> str:
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
