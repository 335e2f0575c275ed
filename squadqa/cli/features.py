"""`squadqa features`: how full a scorer's tables of hashed features are."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from squadqa.cli.console import ProgressLines, facts, print_json, table
from squadqa.cli.parser import CommandParser, add_cache_options, add_run_options, positive
from squadqa.cli.prepare import default_bad_answers

if TYPE_CHECKING:
    from squadqa.inference.feature_counts import TableCounts

HELP = "count a scorer's hashed features, and those that share a row of its tables"

LEGEND = """\
a question   features that a question looks up, with repeats
distinct     distinct features of all questions
taken        rows that at least one of them falls on
collide      distinct features that share their row with another, in percent
by chance    the same if features fell on rows by chance, in percent
not zero     numbers in the table that training moved from zero"""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: What stands behind the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, run or options are not what they should be.
    """
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
    parser.add_argument(
        "--data",
        metavar="FILE",
        required=True,
        help="questions: .json, .json.gz, .jsonl, squad, or squad:train",
    )
    parser.add_argument(
        "--limit", metavar="N", type=positive, help="count over the first N questions alone"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    add_cache_options(parser)
    options = parser.parse_args(arguments)

    from squadqa.data.squad import find_source
    from squadqa.inference.run_folder import open_run

    source = find_source(options.data)
    run = open_run(options.run_folder, checkpoint=options.checkpoint)

    from squadqa.inference.feature_counts import count_features, require_tables
    from squadqa.inference.predictor import Predictor

    require_tables(run)
    progress = ProgressLines()
    data = Predictor(run, device=options.device).prepare(
        source,
        cache_dir=options.cache_dir,
        bad_answers=default_bad_answers(source),
        workers=options.workers,
        progress=progress,
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
        told = {"data": data.source, "questions": questions, "checkpoint": str(run.checkpoint)}
        print_json({**told, "tables": tables})
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
