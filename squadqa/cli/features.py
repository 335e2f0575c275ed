"""`squadqa features`: how full a scorer's tables of hashed features are."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from squadqa.cli.console import ProgressLines, facts, print_json, table
from squadqa.cli.options import (
    add_cache_options,
    add_data_option,
    add_json_option,
    add_run_options,
    default_bad_answers,
    open_one_run,
    positive,
)
from squadqa.cli.parser import CommandParser
from squadqa.cli.reading_options import source_of

if TYPE_CHECKING:
    from squadqa.inference.feature_counts import TableCounts

HELP = "count a scorer's hashed features, and those that share a row of its tables"

LEGEND = """\
a question   features that a question looks up, with repeats
distinct     distinct features of all questions
taken        rows that at least one of them uses
collide      distinct features that share their row with another, in percent
by chance    the same if each feature had a random row, in percent
not zero     numbers in the table that training changed from zero"""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, run or options cannot be used.
    """
    options = _parser().parse_args(arguments)

    source = source_of(options)
    run = open_one_run(options)

    from squadqa.inference.answered import Preparation
    from squadqa.inference.feature_counts import count_features, require_tables
    from squadqa.inference.predictor import Predictor

    require_tables(run)
    progress = ProgressLines()
    data = Predictor(run, device=options.device).prepare(
        source,
        Preparation(options.cache_dir, options.workers, progress),
        bad_answers=default_bad_answers(source),
    )
    counts = count_features(
        run, data, limit=options.limit, device=options.device, progress=progress
    )
    questions = min(len(data.ids), options.limit or len(data.ids))
    if options.json:
        tables = {
            name: {
                **asdict(one),
                "collisions": one.collisions,
                "expected_collisions": one.expected_collisions,
            }
            for name, one in counts.items()
        }
        counted = {"data": data.source, "questions": questions, "checkpoint": str(run.checkpoint)}
        print_json({**counted, "tables": tables})
        return 0
    pairs = [
        ("data", f"{data.source}, {questions:,} questions"),
        ("checkpoint", str(run.checkpoint)),
    ]
    print(facts(pairs) + "\n")
    print(table([_HEAD, *(_row(name, one, questions) for name, one in counts.items())]) + "\n")
    print(LEGEND)
    error = max(one.error for one in counts.values())
    if error:
        print(f"Counts of one table or more are estimates, with a standard error of {error:.2g} %.")
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "features",
        "Count the hashed features that questions look up in each table of a trained scorer, and\n"
        "those that share a row: what hashing costs, and what a larger table_bits would save.",
        usage="RUN_FOLDER --data FILE [options]",
        examples=[
            ("over SQuAD's train part", "squadqa features runs/logistic --data squad:train"),
            (
                "a quick look, for a script",
                "squadqa features runs/logistic --data squad:train --limit 1000 --json",
            ),
        ],
    )
    add_run_options(parser)
    add_data_option(parser, "questions")
    parser.add_argument(
        "--limit", metavar="N", type=positive, help="count over the first N questions only"
    )
    add_json_option(parser)
    add_cache_options(parser)
    return parser


_HEAD = (
    "table", "a question", "distinct", "rows", "taken", "collide", "by chance", "not zero",
)  # fmt: skip


def _row(name: str, counts: "TableCounts", questions: int) -> list[str]:
    return [
        name,
        f"{counts.features / questions:,.0f}",
        f"{counts.distinct:,}",
        f"{counts.rows:,}",
        f"{counts.rows_taken:,}",
        f"{counts.collisions:.2f}",
        f"{counts.expected_collisions:.2f}",
        f"{counts.weights_not_zero:,}",
    ]
