"""`squadqa candidates`: how many answers each generator of candidates holds."""

import argparse
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from squadqa.cli.console import ProgressLines, print_json, table
from squadqa.cli.evaluate import require_answers
from squadqa.cli.parser import CommandParser, add_cache_options, positive
from squadqa.cli.prepare import PIPELINE

if TYPE_CHECKING:
    from squadqa.data.candidates.generators import CandidateGenerator
    from squadqa.data.prepare import PreparedData

HELP = "count the candidates a scorer chooses from, and the answers among them"

MAX_TOKENS, MAX_CANDIDATES = 20, 2000
"""The usual limits of generators."""

RUNS = "DependencyRuns"
GENERATORS = (RUNS, "NounChunks", "NGrams")
"""The names of `squadqa.data.candidates.GENERATORS`, which would take long to import."""

DEPTHS = (0, 1, 2)
"""Depths at which DependencyRuns is measured."""

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
        arguments: What stands behind the command's name.

    Returns:
        The exit code.

    Raises:
        SquadQAError: The data or options are not what they should be.
    """
    parser = CommandParser(
        "candidates",
        "Count the candidate answers that generators propose, the answers among them, and the "
        "best\nscore that choosing among them could reach.",
        usage="--data FILE [options]",
        examples=[
            ("every generator on SQuAD's dev part", "squadqa candidates --data squad"),
            (
                "one, with longer candidates, for a script",
                f"squadqa candidates --data dev.json --generator {RUNS} --depth 2 "
                "--max-tokens 30 --json",
            ),
        ],
    )
    parser.add_argument(
        "--data",
        metavar="FILE",
        required=True,
        help="questions with answers: .json, .json.gz, .jsonl, or squad",
    )
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
        help=f"depths of {RUNS} (default: {' '.join(map(str, DEPTHS))})",
    )
    add_limit_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    add_cache_options(parser)
    options = parser.parse_args(arguments)
    names = list(dict.fromkeys(options.generator))
    if options.depth and RUNS not in names:
        parser.error(f"--depth is of {RUNS}, which --generator leaves out")
    depths = list(dict.fromkeys(options.depth or DEPTHS))
    chosen = [(name, n) for name in names for n in (depths if name == RUNS else [None])]
    data = prepared_data(options)

    from squadqa.data.candidates.parse import parse_paragraphs
    from squadqa.evaluation.candidate_recall import candidate_recall

    progress = ProgressLines()
    parse = parse_paragraphs(data)
    measured = []
    for number, (name, of_depth) in enumerate(chosen):
        progress("generators", number, len(chosen))
        start = time.perf_counter()
        candidates = make_generator(name, options, depth=of_depth).generate(data, parse)
        seconds = time.perf_counter() - start
        figures = asdict(candidate_recall(data, parse, candidates))
        figures |= {"dropped": candidates.dropped, "seconds": seconds}
        measured.append({"name": name, "depth": of_depth, **figures})
    progress("generators", len(chosen), len(chosen))
    if options.json:
        limits = {"max_tokens": options.max_tokens, "max_candidates": options.max_candidates}
        print_json({"source": data.source, **limits, "generators": measured})
        return 0
    print(f"{data.source}: {len(data.contexts):,} paragraphs, {len(data.ids):,} questions\n")
    print(table([_HEAD, *map(_row, measured)]) + "\n")
    print(LEGEND.format(**vars(options)))
    return 0


def add_limit_options(parser: CommandParser) -> None:
    """Add the limits that all generators share."""
    parser.add_argument(
        "--max-tokens",
        metavar="N",
        type=positive,
        default=MAX_TOKENS,
        help=f"longest candidate, in tokens (default: {MAX_TOKENS})",
    )
    parser.add_argument(
        "--max-candidates",
        metavar="N",
        type=positive,
        default=MAX_CANDIDATES,
        help=f"most candidates of a paragraph, the shortest (default: {MAX_CANDIDATES})",
    )


def natural(text: str) -> int:
    """Read an option's whole number, 0 or more.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number of 0 or more')
    return int(text)


def prepared_data(options: argparse.Namespace) -> "PreparedData":
    """Open the annotated data that a command's options name.

    Args:
        options: With `data` and the cache options.

    Raises:
        DataError: There are no such data, or a question has no answers.
        ConfigError: The pipeline is not installed.
    """
    from squadqa.data.prepare import prepare
    from squadqa.data.squad import find_source

    data = prepare(
        find_source(options.data),
        cache_dir=options.cache_dir,
        pipeline=PIPELINE,
        workers=options.workers,
        progress=ProgressLines(),
    )
    require_answers(data.references, options.data)
    return data


def make_generator(
    name: str, options: argparse.Namespace, *, depth: int | None
) -> "CandidateGenerator":
    """Make a generator.

    Args:
        name: One of `GENERATORS`.
        options: With the limits.
        depth: The depth of DependencyRuns.
    """
    from squadqa.data.candidates import generators

    limits = {"max_tokens": options.max_tokens, "max_candidates": options.max_candidates}
    if name == RUNS:
        return generators.DependencyRuns(**limits, depth=depth or 0)
    return generators.GENERATORS[name](**limits)


_HEAD = (
    "generator", "a paragraph", "most", "first", "any", "EM", "F1", "too long", "too many",
    "seconds",
)  # fmt: skip


def _row(measured: dict[str, Any]) -> list[str]:
    mean = measured["candidates"] / measured["paragraphs"]
    in_percent = [measured[key] for key in ("recall_first", "recall_any", "exact_match", "f1")]
    return [
        measured["name"] + ("" if measured["depth"] is None else f", depth {measured['depth']}"),
        f"{mean:,.0f}",
        f"{measured['most_candidates']:,}",
        *(f"{share:.1f}" for share in in_percent),
        *(f"{measured['dropped'][limit]:,}" for limit in ("max_tokens", "max_candidates")),
        f"{measured['seconds']:.1f}",
    ]
