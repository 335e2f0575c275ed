"""`squadqa evaluate`: the official score of a prediction file, or of a trained run."""

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from squadqa.cli.console import ProgressLines, facts, print_json, table
from squadqa.cli.options import (
    DEFAULT_PIPELINE,
    add_cache_options,
    add_choose_option,
    add_data_option,
    add_json_option,
    add_run_options,
    default_pipeline,
    open_answerer,
)
from squadqa.cli.parser import CommandParser
from squadqa.errors import ConfigError
from squadqa.scoring import Score, require_references, score

if TYPE_CHECKING:
    from argparse import Namespace

    from squadqa.data.prepare import PreparedData
    from squadqa.data.squad import Source
    from squadqa.evaluation.slices import DetailedScore

HELP = "score a prediction file or a trained run"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, predictions, run or options cannot be used.
    """
    options = _parser().parse_args(arguments)
    if (options.run_folder is None) == (options.predictions is None):
        both = options.predictions is not None
        raise ConfigError(
            f'both a run folder "{options.run_folder}" and --predictions "{options.predictions}"'
            if both
            else "nothing to evaluate: neither a run folder nor --predictions",
            next_step="Name one of the two; examples: squadqa evaluate --help",
        )

    from squadqa.data.squad import find_source

    source = find_source(options.data)
    has_run = options.predictions is None
    answered = _from_run(options, source) if has_run else _from_file(options, source)
    scored = score(answered.references, answered.texts)
    details = _details(options, source, answered) if options.details else None
    if options.json:
        named = {"checkpoint": answered.checkpoint} if answered.checkpoint else {}
        print_json({**asdict(scored), **named, **(asdict(details) if details else {})})
        return 0
    print(_text(scored, answered.checkpoint))
    if details:
        print("\n" + _details_text(details))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "evaluate",
        "Score a prediction file or a trained run: official exact match and F1, in percent.",
        usage="(RUN_FOLDER | --predictions FILE) --data FILE [options]",
        examples=[
            (
                "the official score of any prediction file",
                "squadqa evaluate --data dev-v1.1.json --predictions predictions.json",
            ),
            (
                "a run's best checkpoint on SQuAD's dev part",
                "squadqa evaluate runs/drqa --data squad",
            ),
            (
                "by type of answer too, beside the SQuAD paper's figures",
                "squadqa evaluate runs/logistic --data squad --details",
            ),
            (
                "for a script: one JSON object, percent at full precision",
                "squadqa evaluate runs/drqa --data dev.json --checkpoint last --json",
            ),
        ],
    )
    add_run_options(parser, run_is_optional=True)
    add_choose_option(parser)
    add_data_option(parser, "questions with answers")
    parser.add_argument(
        "--predictions",
        metavar="FILE",
        help='score this file instead of a run: {"question id": "text", ...}',
    )
    parser.add_argument(
        "--details",
        action="store_true",
        help="the score by type of answer, and how often a run finds the right sentence",
    )
    add_json_option(parser)
    add_cache_options(parser)
    return parser


@dataclass(frozen=True)
class _ToScore:
    """The answers to score, by question id.

    Args:
        references: The given answers.
        texts: The predicted text.
        spans: The predicted characters, half-open; None where only the text is known.
        data: What a run answered from; None where there is no run, or it has no parse.
        checkpoint: The run's checkpoint; empty where there is no run.
    """

    references: dict[str, list[str]]
    texts: dict[str, str]
    spans: dict[str, tuple[int, int]] | None = None
    data: "PreparedData | None" = None
    checkpoint: str = ""


def _from_file(options: "Namespace", source: "Source") -> _ToScore:
    """Take the answers from a prediction file."""
    from squadqa.data.squad import read_squad
    from squadqa.evaluation.predictions import read_predictions

    if options.details:
        _require_pipeline(source)
    references = read_squad(source).references
    require_references(references, options.data)
    texts = read_predictions(options.predictions, known_ids=references)
    unknown = len(texts.keys() - references.keys())
    if unknown:
        sys.stderr.write(
            f'squadqa: note: {unknown:,} predictions are of no question in "{options.data}"; '
            "they do not count\n"
        )
    return _ToScore(references, texts)


def _from_run(options: "Namespace", source: "Source") -> _ToScore:
    """Take the answers from a run."""
    run = open_answerer(options)
    if options.details and run.parser is None:
        _require_pipeline(source)

    from squadqa.data.squad import read_squad
    from squadqa.inference.answering import Preparation

    require_references(read_squad(source).references, options.data)
    answered = run.answer_file(
        source, preparation=Preparation(options.cache_dir, options.workers, ProgressLines())
    )
    return _ToScore(
        references=answered.references,
        texts=answered.texts,
        spans={name: (best[0].start, best[0].end) for name, best in answered.answers.items()},
        data=answered.data if run.parser else None,
        checkpoint=run.description,
    )


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


def _details(options: "Namespace", source: "Source", answered: _ToScore) -> "DetailedScore":
    """Score in parts, on the parse of the run, of a pack, or else of the default pipeline."""
    from squadqa.data.prepare import prepare
    from squadqa.evaluation.slices import score_in_detail

    data = answered.data
    if data is None:
        data = prepare(
            source,
            cache_dir=options.cache_dir,
            pipeline=default_pipeline(source),
            workers=options.workers,
            progress=ProgressLines(),
        )
    return score_in_detail(data, answered.texts, spans=answered.spans)


def _text(scored: Score, checkpoint: str) -> str:
    missing = f", {scored.missing:,} without a prediction" if scored.missing else ""
    pairs = [
        ("exact match", f"{scored.exact_match:.2f} %"),
        ("F1", f"{scored.f1:.2f} %"),
        ("questions", f"{scored.total:,}{missing}"),
    ]
    return facts([*pairs, ("checkpoint", checkpoint)] if checkpoint else pairs)


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
