"""`squadqa candidates`: how many answers are among the candidates of each generator."""

from dataclasses import asdict
from typing import Any

from squadqa.cli.console import ProgressLines, print_json, table
from squadqa.cli.options import (
    DEPENDENCY_RUNS,
    GENERATORS,
    add_cache_options,
    add_data_option,
    add_json_option,
    add_limit_options,
    annotated_data,
    make_generator,
    natural,
)
from squadqa.cli.parser import CommandParser

HELP = "count the candidates a scorer chooses from, and the answers among them"

DEPTHS = (0, 1, 2)
"""The depths at which DependencyRuns is measured by default."""

LEGEND = """\
first, any    questions whose first (any) answer is a candidate, in percent: the fewest tokens that
              cover it, without the articles and punctuation at both ends
EM, F1        official score if each question got its best candidate, in percent
too long      spans left out by --max-tokens {max_tokens}
too many      candidates left out by --max-candidates {max_candidates:,} a paragraph
seconds       to propose the candidates of all paragraphs"""


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The words after the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data or options cannot be used.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    names = list(dict.fromkeys(options.generator))
    if options.depth and DEPENDENCY_RUNS not in names:
        parser.error(f"--depth is of {DEPENDENCY_RUNS}, which --generator leaves out")
    depths = list(dict.fromkeys(options.depth or DEPTHS))
    chosen = [(name, n) for name in names for n in (depths if name == DEPENDENCY_RUNS else [None])]
    data = annotated_data(options)

    from squadqa.evaluation.candidate_recall import measure_generators

    generators = [make_generator(name, options, depth=depth) for name, depth in chosen]
    measured = measure_generators(data, generators, progress=ProgressLines())
    figures = [
        {
            "name": name,
            "depth": depth,
            **asdict(one.recall),
            "dropped": one.dropped,
            "seconds": one.seconds,
        }
        for (name, depth), one in zip(chosen, measured, strict=True)
    ]
    if options.json:
        limits = {"max_tokens": options.max_tokens, "max_candidates": options.max_candidates}
        print_json({"source": data.source, **limits, "generators": figures})
        return 0
    print(f"{data.source}: {len(data.contexts):,} paragraphs, {len(data.ids):,} questions\n")
    print(table([_HEAD, *map(_row, figures)]) + "\n")
    print(LEGEND.format(**vars(options)))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "candidates",
        "Count the candidate answers that generators propose, the answers among them, and the "
        "best\nscore that choosing among them could reach.",
        usage="--data FILE [options]",
        examples=[
            ("every generator on SQuAD's dev part", "squadqa candidates --data squad"),
            (
                "one, with longer candidates, for a script",
                f"squadqa candidates --data dev.json --generator {DEPENDENCY_RUNS} --depth 2 "
                "--max-tokens 30 --json",
            ),
        ],
    )
    add_data_option(parser, "questions with answers")
    parser.add_argument(
        "--generator",
        metavar="NAME",
        nargs="+",
        choices=GENERATORS,
        default=list(GENERATORS),
        help=f"{', '.join(GENERATORS)} (default: all)",
    )
    parser.add_argument(
        "--depth",
        metavar="N",
        nargs="+",
        type=natural,
        help=f"depths of {DEPENDENCY_RUNS} (default: {' '.join(map(str, DEPTHS))})",
    )
    add_limit_options(parser)
    add_json_option(parser)
    add_cache_options(parser)
    return parser


_HEAD = (
    "generator", "a paragraph", "most", "first", "any", "EM", "F1", "too long", "too many",
    "seconds",
)  # fmt: skip


def _row(figures: dict[str, Any]) -> list[str]:
    mean = figures["candidates"] / figures["paragraphs"]
    in_percent = [figures[key] for key in ("recall_first", "recall_any", "exact_match", "f1")]
    return [
        figures["name"] + ("" if figures["depth"] is None else f", depth {figures['depth']}"),
        f"{mean:,.0f}",
        f"{figures['most_candidates']:,}",
        *(f"{share:.1f}" for share in in_percent),
        *(f"{figures['dropped'][limit]:,}" for limit in ("max_tokens", "max_candidates")),
        f"{figures['seconds']:.1f}",
    ]
