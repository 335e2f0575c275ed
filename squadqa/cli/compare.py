"""`squadqa compare`: two runs or prediction files on the same questions."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from squadqa.cli.console import ProgressLines, bold, one_line, print_json, table
from squadqa.cli.options import add_cache_options, add_data_option, add_json_option
from squadqa.cli.parser import CommandParser
from squadqa.cli.systems_options import add_systems_options, opening
from squadqa.files import require_writable_file

if TYPE_CHECKING:
    from squadqa.evaluation.comparison import Comparison, Example

HELP = "compare two runs or prediction files: who wins, where, and how surely"


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data, systems, output or options cannot be used.
    """
    options = _parser().parse_args(arguments)
    if options.html is not None:
        require_writable_file(Path(options.html))

    from squadqa.data.squad import find_source
    from squadqa.evaluation.comparison import compare
    from squadqa.evaluation.question_slices import dimensions
    from squadqa.evaluation.systems import score_system
    from squadqa.inference.systems import open_systems

    source = find_source(options.data)
    how = opening(options, source, ProgressLines())
    questions, opened = open_systems([options.first, options.second], source, how)
    first, second = (score_system(questions, one.system) for one in opened)
    compared = compare(questions, first, second, dimensions(questions))
    if options.html is not None:
        from squadqa.inference.report_content import report_content
        from squadqa.report.page import write_report

        content = report_content(questions, [first, second], opened, source, how)
        write_report(Path(options.html), content)
    if options.json:
        print_json({"source": str(source), **asdict(compared)})
    else:
        print(_text(compared))
        if options.html is not None:
            print(f"\npage  {options.html}")
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "compare",
        "Compare two runs, ensembles or prediction files, question by question: wins, losses and\n"
        "ties, p-values, the slices that differ most surely, and ten examples each way.",
        usage="A B --data FILE [options]",
        examples=[
            (
                "two runs on SQuAD's dev part",
                "squadqa compare runs/drqa runs/logistic --data squad",
            ),
            (
                "a run and somebody's predictions; also as a page to look at",
                "squadqa compare runs/drqa predictions.json --data dev.json --html compare.html",
            ),
        ],
    )
    parser.add_argument(
        "first", metavar="A", help="folder of a run or ensemble, or a prediction file"
    )
    parser.add_argument("second", metavar="B", help="another one")
    add_data_option(parser, "questions with answers")
    parser.add_argument("--html", metavar="FILE", help="also write the report of both, as a page")
    add_json_option(parser)
    add_systems_options(parser)
    add_cache_options(parser)
    return parser


def _text(compared: "Comparison") -> str:
    a, b = compared.first, compared.second
    rows = [("", a, b, "difference", "95 % interval", "p-value")]
    for name, one in (("exact match", compared.exact_match), ("F1", compared.f1)):
        low, high = one.difference.low, one.difference.high
        rows.append(
            (
                name,
                f"{one.first:.2f}",
                f"{one.second:.2f}",
                f"{one.difference.value:+.2f}",
                f"{low:+.2f} to {high:+.2f}",
                "< 0.001" if one.p_value < 0.001 else f"{one.p_value:.3f}",
            )
        )
    won = [("", f"{a} better", f"{b} better", "same")]
    for name, one in (("exact match", compared.exact_match), ("F1", compared.f1)):
        won.append((name, f"{one.wins:,}", f"{one.losses:,}", f"{one.ties:,}"))
    parts = [f"{compared.questions:,} questions", table(rows), table(won)]
    if compared.moved:
        head = ("F1 by slice, the surest difference first", "questions", a, b, "difference", "")
        moved: list[tuple[str, ...]] = [head]
        for each in compared.moved:
            assert each.difference is not None
            moved.append(
                (
                    f"{each.dimension}: {each.label}",
                    f"{each.questions:,}",
                    *(f"{one.value:.1f}" for one in each.f1),
                    f"{each.difference.value:+.1f}",
                    f"({each.difference.low:+.1f} to {each.difference.high:+.1f})",
                )
            )
        parts.append(table(moved))
    for winner, examples in ((a, compared.wins), (b, compared.losses)):
        if examples:
            lines = [_example(one, a, b) for one in examples]
            parts.append("\n".join([bold(f"{winner} is better, such as here:"), *lines]))
    return "\n\n".join(parts)


def _example(one: "Example", a: str, b: str) -> str:
    width = max(len(a), len(b), len("gold"))
    gold = ", ".join(f'"{one_line(text)}"' for text in one.references)
    return "\n".join(
        [
            f"  {one_line(one.question)}",
            f"    {'gold':{width}}  {gold}",
            f"    {a:{width}}  {one_line(one.first) or '-'}  (F1 {one.first_f1:.0f})",
            f"    {b:{width}}  {one_line(one.second) or '-'}  (F1 {one.second_f1:.0f})",
        ]
    )
