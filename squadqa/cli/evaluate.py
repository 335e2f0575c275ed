"""`squadqa evaluate`: the official score of a prediction file, or of a trained run.

One file, as it is one command with the options of one score.
"""

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from squadqa.cli.console import ProgressLines, facts, print_json, table
from squadqa.cli.evaluate_options import check_options, evaluate_parser
from squadqa.cli.options import DEFAULT_PIPELINE, default_pipeline, open_answerer
from squadqa.cli.reading_options import source_of
from squadqa.cli.scores import abstaining_lines, score_lines
from squadqa.errors import ConfigError
from squadqa.evaluation.abstaining import abstaining_scores
from squadqa.files import write_atomic
from squadqa.scoring import Score, require_references, score
from squadqa.scoring_v2 import require_a_reference, score_v2

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence

    from squadqa.data.prepare import PreparedData
    from squadqa.data.squad import Source
    from squadqa.evaluation.slices import DetailedScore
    from squadqa.inference.answered import Answered
    from squadqa.inference.answering import Answerer

HELP = "score a prediction file or a trained run"

V2_ADVICE = (
    "Score by SQuAD's v2.0 rule, for which some may have none, with --v2; or name a file in which "
    "every question has answers. `squadqa predict` needs none."
)
"""The next step where questions have no answers."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, predictions, run or options cannot be used.
    """
    options = evaluate_parser().parse_args(arguments)
    check_options(options)

    source = source_of(options) if options.data else None
    has_run = options.predictions is None
    answered = _from_run(options, source) if has_run else _from_file(options, source)
    v2 = _score_v2(answered)
    scored = None if v2 else score(answered.references, answered.texts)
    details = _details(options, source, answered) if options.details else None
    if options.json:
        named = {"checkpoint": answered.checkpoint} if answered.checkpoint else {}
        values = asdict(scored) if scored else v2
        print_json({**values, **named, **(asdict(details) if details else {})})
        return 0
    print(_text(scored, v2, answered))
    if details:
        print("\n" + _details_text(details))
    return 0


@dataclass(frozen=True)
class _ToScore:
    """The answers to score, by question id.

    Args:
        references: The given answers.
        texts: The predicted text.
        spans: The predicted characters, half-open; None where only the text is known.
        data: What a run answered from; None where there is no run, or it has no parse.
        checkpoint: The run's checkpoint; empty where there is no run.
        is_v2: Whether the rule of SQuAD v2.0 scores them.
        always: The text of each question if none is left without an answer.
        no_answer_probabilities: The probability of "no answer" of each question; None where they
            are unknown.
        threshold: That of a run that may abstain.
        calibration: The report that was written, if one was asked for.
    """

    references: dict[str, list[str]]
    texts: dict[str, str]
    spans: dict[str, tuple[int, int]] | None = None
    data: "PreparedData | None" = None
    checkpoint: str = ""
    is_v2: bool = False
    always: dict[str, str] | None = None
    no_answer_probabilities: dict[str, float] | None = None
    threshold: float | None = None
    calibration: dict[str, Any] | None = None


def _score_v2(answered: _ToScore) -> dict[str, float]:
    """Score by the rule of SQuAD v2.0, under the official names; empty if another rule counts."""
    if not answered.is_v2:
        return {}
    references, texts = answered.references, answered.texts
    probabilities = answered.no_answer_probabilities
    if answered.always is None or probabilities is None:
        scored = score_v2(references, texts, no_answer_probabilities=probabilities)
        return {**scored.official(), "missing": scored.missing}
    values = abstaining_scores(references, answered.always, texts, probabilities)
    told = {} if answered.threshold is None else {"threshold": answered.threshold}
    return {**values, "missing": 0, **told}


def _from_file(options: "Namespace", source: "Source | None") -> _ToScore:
    """Take the answers from a prediction file."""
    assert source is not None
    from squadqa.data.squad import read_squad
    from squadqa.evaluation.predictions import read_no_answer_probabilities, read_predictions

    if options.details:
        _require_pipeline(source)
    references = read_squad(source).references
    _require_references(references, options.data, is_v2=options.v2)
    texts = read_predictions(options.predictions, known_ids=references)
    unknown = len(texts.keys() - references.keys())
    if unknown:
        sys.stderr.write(
            f'squadqa: note: {unknown:,} predictions are of no question in "{options.data}"; '
            "they do not count\n"
        )
    probabilities = None
    if options.na_prob:
        known = [name for name in texts if name in references]
        probabilities = read_no_answer_probabilities(options.na_prob, predictions=known)
    return _ToScore(references, texts, is_v2=options.v2, no_answer_probabilities=probabilities)


def _from_run(options: "Namespace", source: "Source | None") -> _ToScore:
    """Take the answers from a run."""
    run = open_answerer(options, choose=options.choose)
    if options.details and run.parser is None and source is not None:
        _require_pipeline(source)

    from squadqa.data.squad import read_squad
    from squadqa.inference.answered import Preparation

    is_v2 = options.v2 or run.threshold is not None
    if is_v2 and options.details:
        raise ConfigError(
            f'--details tells types of answers, and "{run.description}" may give none',
            next_step="Leave out --details.",
        )
    preparation = Preparation(options.cache_dir, options.workers, ProgressLines())

    def answered_always() -> "Answered":
        if source is None:
            return run.answer_held_out(preparation, always=True)
        return run.answer_file(source, always=True, preparation=preparation)

    if source is not None:
        _require_references(read_squad(source).references, options.data, is_v2=is_v2)
    answered = answered_always()
    texts, threshold = answered.texts, None if options.always_answer else run.threshold
    return _ToScore(
        references=answered.references,
        texts=texts if threshold is None else answered.abstained(threshold),
        spans={name: (best[0].start, best[0].end) for name, best in answered.answers.items()},
        data=answered.data if run.parser else None,
        checkpoint=run.description,
        is_v2=is_v2,
        always=texts if run.threshold is not None else None,
        no_answer_probabilities=answered.no_answer_probabilities,
        threshold=threshold,
        calibration=_calibration(options, run, answered, answered_always)
        if options.calibration
        else None,
    )


def _require_references(
    references: "Mapping[str, Sequence[str]]", data: str, *, is_v2: bool
) -> None:
    """Check before the work that every question can be scored, or one where some may have none."""
    if is_v2:
        require_a_reference(references, data)
    else:
        require_references(references, data, next_step=V2_ADVICE)


def _calibration(
    options: "Namespace",
    run: "Answerer",
    answered: "Answered",
    again: "Callable[[], Answered]",
) -> dict[str, Any]:
    """Write what the probabilities are worth, for which the run answers without its temperature."""
    from squadqa.evaluation.confidence import confidence_report

    run.use_temperature(False)
    before = again()
    run.use_temperature(True)
    report = confidence_report(
        *(
            {name: (best[0].probability, best[0].no_answer_probability)
             for name, best in each.answers.items()}
            for each in (before, answered)
        ),
        references=answered.references,
        texts=answered.texts,
        threshold=run.threshold,
    )  # fmt: skip
    with write_atomic(options.calibration) as file:
        json.dump(report, file, indent=1, allow_nan=False)
        file.write("\n")
    return report


def _require_pipeline(source: "Source") -> None:
    """Check before the work starts that answers can be sorted into types without a run's parse.

    Raises:
        ConfigError: The pipeline that this needs is not installed.
    """
    if source.part is not None:
        return  # a pack has been annotated, or says that it has not

    from squadqa.data.pipelines import find_pipeline

    try:
        find_pipeline(DEFAULT_PIPELINE)
    except ConfigError as error:
        raise ConfigError(
            error.what,
            hint="--details tells types of answers by a parse of the data.",
            next_step=f"Install it (python -m spacy download {DEFAULT_PIPELINE}), or leave out "
            "--details.",
        ) from error


def _details(options: "Namespace", source: "Source | None", answered: _ToScore) -> "DetailedScore":
    """Score in parts, on the parse of the run, of a pack, or else of the default pipeline."""
    from squadqa.data.prepare import prepare
    from squadqa.evaluation.slices import score_in_detail

    data = answered.data
    if data is None:
        assert source is not None
        data = prepare(
            source,
            cache_dir=options.cache_dir,
            pipeline=default_pipeline(source),
            workers=options.workers,
            progress=ProgressLines(),
        )
    return score_in_detail(data, answered.texts, spans=answered.spans)


def _text(scored: Score | None, v2: dict[str, float], answered: _ToScore) -> str:
    if scored is None:
        whole = Score(v2["exact"], v2["f1"], int(v2["total"]), int(v2["missing"]))
        pairs = [*score_lines(whole), *abstaining_lines(v2)]
    else:
        pairs = score_lines(scored)
    if report := answered.calibration:
        before, after = (100 * report["answers"][when]["ece"] for when in ("before", "after"))
        pairs.append(("calibration error", f"{before:.1f} %, with the temperature {after:.1f} %"))
    named = [("checkpoint", answered.checkpoint)] if answered.checkpoint else []
    return facts([*pairs, *named])


def _details_text(details: "DetailedScore") -> str:
    from squadqa.evaluation.slices import PAPER_F1, PAPER_SENTENCE_ACCURACY

    rows = [("answer type", "questions", "EM", "F1", "paper's F1")]
    for name, paper_f1 in PAPER_F1.items():
        one = details.by_answer_type.get(name)
        ours = ("0", "", "") if one is None else (
            f"{one.total:,}", f"{one.exact_match:.1f}", f"{one.f1:.1f}"
        )  # fmt: skip
        rows.append((name, *ours, f"{paper_f1:.1f}"))
    found = details.sentence_accuracy
    sentences = (
        "unknown: a prediction file holds texts, not their places; evaluate the run itself"
        if found is None
        else f"{found:.1f} % (paper: {PAPER_SENTENCE_ACCURACY:.1f} %)"
    )
    return "\n".join(
        [
            table(rows),
            "",
            facts([("right sentence", sentences)]),
            "The paper is Rajpurkar et al. 2016: its logistic regression, on SQuAD v1.1 dev.",
        ]
    )
