"""`squadqa report`: one page to look at: scores, slices, curves, and every question."""

from pathlib import Path

from squadqa.cli.console import ProgressLines, facts
from squadqa.cli.options import add_cache_options, add_data_option, positive_number
from squadqa.cli.parser import CommandParser
from squadqa.cli.systems_options import add_systems_options, opening
from squadqa.errors import ConfigError
from squadqa.files import require_writable_file

HELP = "write a page with a run's scores, slices, curves and every question"

MOST_SYSTEMS = 6
"""Most systems of one report: more cannot be told apart by colour."""


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
    if options.live:
        return _live(options.systems, options.seconds)
    missing = [f"--{name}" for name in ("data", "output") if getattr(options, name) is None]
    if missing:
        raise ConfigError(
            f"a report needs {' and '.join(missing)}", next_step="Examples: squadqa report --help"
        )
    if len(options.systems) > MOST_SYSTEMS:
        raise ConfigError(
            f"{len(options.systems)} runs in one report",
            hint=f"Colours tell {MOST_SYSTEMS} of them apart.",
            next_step="Name fewer.",
        )
    output = Path(options.output)
    require_writable_file(output)

    from squadqa.data.squad import find_source
    from squadqa.evaluation.systems import score_system
    from squadqa.inference.report_content import report_content
    from squadqa.inference.systems import open_systems
    from squadqa.report.page import write_report

    source = find_source(options.data)
    how = opening(options, source, ProgressLines())
    questions, opened = open_systems(options.systems, source, how)
    scored = [score_system(questions, one.system) for one in opened]
    write_report(output, report_content(questions, scored, opened, source, how))
    pairs = [
        (one.name, f"EM {100 * one.exact_match.mean():.1f}, F1 {100 * one.f1.mean():.1f}")
        for one in scored
    ]
    size = f"{output.stat().st_size / 1e6:.1f} MB"
    print(facts([*pairs, ("questions", f"{len(questions):,}"), ("page", f"{output} ({size})")]))
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "report",
        "Write one HTML file, which needs no network, about runs, ensembles or prediction files:\n"
        "scores with intervals, slices, calibration, curves, and every question with its answers.",
        usage="RUN [RUN ...] (--data FILE --output FILE.html | --live) [options]",
        examples=[
            (
                "a run on SQuAD's dev part",
                "squadqa report runs/drqa --data squad --output report.html",
            ),
            (
                "two runs side by side, by type of answer too",
                "squadqa report runs/drqa runs/logistic --data dev.json --output a.html --details",
            ),
            (
                "the curves of a training in the terminal, until it ends",
                "squadqa report runs/drqa --live",
            ),
        ],
    )
    parser.add_argument(
        "systems",
        metavar="RUN",
        nargs="+",
        help=f"folder of a run or ensemble, or a prediction file; at most {MOST_SYSTEMS}",
    )
    add_data_option(parser, "questions with answers", required=False)
    parser.add_argument("--output", metavar="FILE", help="page to write, as .html")
    parser.add_argument(
        "--live", action="store_true", help="show the curves of runs here while they train"
    )
    parser.add_argument(
        "--seconds",
        metavar="N",
        type=positive_number,
        default=10.0,
        help="seconds between two looks of --live (default: 10)",
    )
    add_systems_options(parser)
    add_cache_options(parser)
    return parser


def _live(names: list[str], seconds: float) -> int:
    """Show the curves of runs until their trainings end."""
    from squadqa.cli.live_curves import show_live

    return show_live([Path(name) for name in names], seconds=seconds)
