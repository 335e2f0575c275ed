"""`squadqa models`: the models there are, and what they score."""

import textwrap
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

from squadqa.cli.console import bold, print_json, table
from squadqa.cli.parser import CommandParser

if TYPE_CHECKING:
    from squadqa.inference.catalog import CatalogEntry

HELP = "list the readers, scorers and character CNNs, and what they score"

WIDTH = 100
"""Characters of a line."""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: What stands behind the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: An option is unknown, or a configuration or result cannot be read.
    """
    parser = CommandParser(
        "models",
        "List every reader, scorer and character CNN: parameters, paper, configurations, and what "
        "was\nmeasured with them. In a checkout, or an editable installation of one; without "
        "configs/ and\nresults/ the classes alone, as they are by default.",
        examples=[
            ("what there is", "squadqa models"),
            ("for a script: a JSON list", "squadqa models --json"),
        ],
    )
    parser.add_argument("--json", action="store_true", help="print one JSON list, nothing else")
    options = parser.parse_args(arguments)

    from squadqa.evaluation.results import FOLDER
    from squadqa.inference.catalog import CONFIGS, catalog, find_folder

    configs, results = find_folder(CONFIGS), find_folder(FOLDER)
    entries = catalog(configs, results)
    if options.json:
        print_json([asdict(entry) for entry in entries])
        return 0
    for kind, some in groupby(entries, key=lambda entry: entry.kind):
        print(bold(f"{kind}s") + "\n")
        print("\n\n".join(map(_text, some)) + "\n")
    if configs is None or results is None:
        print("There is no configs/ or results/ here: run this in a checkout to see them.")
    return 0


def _text(entry: "CatalogEntry") -> str:
    head = f"  {bold(entry.name)}  {entry.parameters:,} parameters"
    if entry.configs:
        head += f"  {', '.join(entry.configs)}"
    lines = [head, *_wrapped(entry.paper or entry.summary)]
    measured = sorted(entry.results, key=lambda result: (-result.total, -result.f1))
    rows = [
        (
            f"    {result.name}",
            f"EM {result.exact_match:.1f}",
            f"F1 {result.f1:.1f}",
            f"{result.minutes:,.1f} minutes",
        )
        for result in measured
    ]
    for row, result in zip(table(rows).splitlines() if rows else [], measured, strict=True):
        lines.append(f"{row}  {result.total:,} questions of {result.data}")
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")
