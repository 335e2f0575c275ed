"""Options of the commands that take several runs, ensembles or prediction files."""

import argparse
from typing import TYPE_CHECKING

from squadqa.cli.options import add_trust_option, default_pipeline, device
from squadqa.cli.parser import CommandParser

if TYPE_CHECKING:
    from squadqa.data.prepare import Progress
    from squadqa.data.squad import Source
    from squadqa.inference.systems import Opening


def add_systems_options(parser: CommandParser) -> None:
    """Add the options of how systems are opened, for `opening`.

    Args:
        parser: The command's parser.
    """
    parser.add_argument(
        "--details",
        action="store_true",
        help="also by type of answer, from a parse of the text; the default where a run has one",
    )
    parser.add_argument(
        "--device",
        type=device,
        default="auto",
        help="auto, cpu or cuda (default: auto, a GPU where there is one)",
    )
    add_trust_option(parser)


def opening(
    options: argparse.Namespace, source: "Source", progress: "Progress | None"
) -> "Opening":
    """Say how a command opens its systems.

    Args:
        options: The command's, with those of `add_systems_options` and `add_cache_options`.
        source: The questions.
        progress: Called from time to time.

    Raises:
        DataError: The source is a damaged pack.
    """
    from squadqa.inference.answered import Preparation
    from squadqa.inference.systems import Opening

    return Opening(
        Preparation(options.cache_dir, options.workers, progress),
        device=options.device,
        trust=options.trust,
        pipeline=default_pipeline(source) if options.details else None,
    )
