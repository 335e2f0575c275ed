"""`squadqa models`: the models there are, and what they score."""

import shutil
import textwrap
from dataclasses import asdict, replace
from itertools import groupby
from typing import TYPE_CHECKING

from squadqa.cli.console import bold, minutes_text, print_json, table
from squadqa.cli.options import add_json_option
from squadqa.cli.parser import CommandParser
from squadqa.package_files import configs_folder, short_name

if TYPE_CHECKING:
    from squadqa.inference.catalog import CatalogEntry

HELP = "list the readers, scorers and character CNNs, and what they score"

WIDEST = 100
"""Characters of a line at most, in a terminal that is as wide or wider."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: An option is unknown, or a configuration or result cannot be read.
    """
    options = _parser().parse_args(arguments)

    from squadqa.evaluation.results import FOLDER
    from squadqa.inference.catalog import VECTOR_SIZE, catalog, find_folder

    results = find_folder(FOLDER)
    entries = catalog(configs_folder(), results)
    entries = [replace(entry, configs=tuple(map(short_name, entry.configs))) for entry in entries]
    if options.json:
        print_json([asdict(entry) for entry in entries])
        return 0
    width = min(WIDEST, shutil.get_terminal_size().columns)
    for kind, some in groupby(entries, key=lambda entry: entry.kind):
        print(bold(f"{kind}s") + "\n")
        print("\n\n".join(_text(entry, width) for entry in some) + "\n")
    legend = (
        f"  Parameters are for word vectors of {VECTOR_SIZE} values, minutes are of training; the "
        "number of questions scored is in brackets."
    )
    print(textwrap.fill(legend, width, subsequent_indent="  "))
    if results is None:
        print("There is no results/ here: run this in a checkout to see what was measured.")
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "models",
        "List every reader, scorer and character CNN: parameters, paper, configurations, and the\n"
        "scores that were measured (those of results/, in a checkout or an editable installation\n"
        "of one).",
        examples=[
            ("for reading", "squadqa models"),
            ("for a script: a JSON list", "squadqa models --json"),
        ],
    )
    add_json_option(parser, kind="list")
    return parser


def _text(entry: "CatalogEntry", width: int) -> str:
    def wrapped(text: str) -> list[str]:
        return textwrap.wrap(
            text,
            width,
            initial_indent="    ",
            subsequent_indent="    ",
            break_on_hyphens=False,
            break_long_words=False,
        )

    lines = [f"  {bold(entry.name)}  {entry.parameters:,} parameters"]
    lines += wrapped(entry.paper or entry.summary)
    lines += wrapped(", ".join(entry.configs))
    measured = sorted(entry.results, key=lambda result: (-result.total, -result.f1))
    rows = [
        (
            f"    {result.name}",
            f"EM {result.exact_match:.1f}",
            f"F1 {result.f1:.1f}",
            f"{minutes_text(result.minutes)} min",
        )
        for result in measured
    ]
    for row, result in zip(table(rows).splitlines() if rows else [], measured, strict=True):
        scored = result.data.rpartition(", ")[2]  # a result names the training data before it
        lines.append(f"{row}  on {scored} ({result.total:,})")
    return "\n".join(lines)
