"""The options of `squadqa ensemble`, and what is checked of them before the work starts."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from squadqa.cli.options import (
    add_cache_options,
    add_json_option,
    add_trust_option,
    device,
    positive,
    positive_number,
    require_writable_file,
)
from squadqa.cli.parser import CommandParser
from squadqa.cli.run_folders import require_name, require_new, require_writable
from squadqa.errors import ConfigError

if TYPE_CHECKING:
    from squadqa.inference.run_folder import Choice

Named = tuple[Path, "Choice | None"]
"""A run folder and which of its checkpoints to take."""


def ensemble_parser() -> CommandParser:
    """Make the parser of the command."""
    parser = CommandParser(
        "ensemble",
        "Let several trained runs, readers and scorers alike, answer together: each span's\n"
        "probability is the weighted mean of the members'. Scores it beside each member alone.",
        usage="RUN RUN [RUN ...] (--data FILE | --held-out) [options]",
        examples=[
            (
                "three runs on SQuAD's dev part, scores and predictions kept as a training's are",
                "squadqa ensemble runs/drqa runs/bidaf runs/rnet --data squad --run runs/three",
            ),
            (
                "which members to take: the score on articles that no member learned from",
                "squadqa ensemble runs/drqa runs/mlp --held-out --fit-weights",
            ),
            (
                "the best and the last checkpoint of one run, the best counting twice",
                "squadqa ensemble runs/drqa runs/drqa/checkpoints/last.ckpt --weights 2 1 "
                "--data dev.json",
            ),
        ],
    )
    add = parser.add_argument
    add("run", metavar="RUN", nargs="+", help="run folder, or a checkpoint in one")
    add(
        "--data",
        metavar="FILE",
        help="questions: .json, .json.gz, .jsonl, or squad; scored where they have answers",
    )
    add(
        "--held-out",
        action="store_true",
        help="score on what the trainings held out",
    )
    add(
        "--weights",
        metavar="W",
        nargs="+",
        type=positive_number,
        help="of the runs (default: all alike)",
    )
    add(
        "--fit-weights",
        action="store_true",
        help="make the held-out answers most probable",
    )
    add(
        "--mean",
        choices=("geometric", "arithmetic"),
        default="geometric",
        help="of probabilities (default: geometric)",
    )
    add(
        "--maximize",
        choices=("exact-match", "f1"),
        default="exact-match",
        help="answer with the most probable span, or that of the highest expected F1 "
        "(default: exact-match)",
    )
    add("--output", metavar="FILE", help="prediction file to write, as .json")
    add("--n-best", metavar="N", type=positive, help="also write the N best spans of each question")
    add(
        "--checkpoint",
        choices=("best", "last"),
        help="of run folders (default: best, else last)",
    )
    add("--device", type=device, default="auto", help="auto, cpu or cuda (default: auto)")
    add_trust_option(parser)
    add(
        "--run",
        metavar="RUN_FOLDER",
        dest="run_folder",
        help="folder to make, which answers by itself",
    )
    add("--results", metavar="FOLDER", help="also write the scores to FOLDER/NAME.json")
    add_json_option(parser)
    add_cache_options(parser)
    return parser


def check_options(options: argparse.Namespace) -> "list[Named]":
    """Find out before the work starts whether the options fit each other and can be written.

    Args:
        options: Those of `ensemble_parser`.

    Returns:
        The members.

    Raises:
        SquadQAError: They do not, or something cannot be written.
    """
    _require_sense(options)
    if options.n_best and not options.output:
        raise ConfigError("--n-best wants a file to write", next_step="Name it with --output FILE.")
    _require_places(options)
    return [_named(text, options.checkpoint) for text in options.run]


def result_name(options: argparse.Namespace) -> str:
    """Name the result as a training's: after its run folder, where one is to be made."""
    return Path(options.run_folder).name if options.run_folder else "ensemble"


def require_different(paths: list[Path]) -> None:
    """Make sure that no checkpoint is named twice.

    Raises:
        ConfigError: One is.
    """
    resolved = [path.resolve() for path in paths]
    twice = next((path for path in paths if resolved.count(path.resolve()) > 1), None)
    if twice is not None:
        raise ConfigError(
            f'"{twice}" is named twice', next_step="Give it more weight with --weights instead."
        )


def _named(text: str, choice: "Choice | None") -> Named:
    """Tell a run folder from a checkpoint in one."""
    path = Path(text)
    if path.suffix != ".ckpt":
        return path, choice

    from squadqa.inference.run_folder import CHECKPOINTS, CHOICES

    chosen = next((name for name in CHOICES if name == path.stem), None)
    if chosen is None or path.parent.name != CHECKPOINTS:
        raise ConfigError(
            f'"{path}" is no checkpoint of a run folder',
            hint=f'Its place would be "RUN_FOLDER/{CHECKPOINTS}/best.ckpt", or last.ckpt.',
            next_step="Name a run folder, or one of these two files.",
        )
    return path.parent.parent, chosen


def _require_sense(options: argparse.Namespace) -> None:
    runs, weights = options.run, options.weights
    if len(runs) < 2:
        raise ConfigError(
            f'one run, "{runs[0]}", is no ensemble',
            next_step=f"Name another, or score it alone: squadqa evaluate {runs[0]} --data FILE",
        )
    if bool(options.data) == options.held_out:
        raise ConfigError(
            f'both --data "{options.data}" and --held-out'
            if options.data
            else "nothing to answer: neither --data nor --held-out",
            next_step="Name a file with --data FILE, or take the trainings' own with --held-out.",
        )
    if weights and options.fit_weights:
        raise ConfigError(
            "both --weights and --fit-weights", next_step="Give the weights, or have them fitted."
        )
    if weights and len(weights) != len(runs):
        raise ConfigError(
            f"{len(weights)} weights for {len(runs)} runs",
            hint="Run folders stand in front of --weights.",
            next_step="Give one weight for each run, in the same order.",
        )


def _require_places(options: argparse.Namespace) -> None:
    """Find out before the work is done whether all that is asked for can be written."""
    if options.run_folder:
        folder = Path(options.run_folder)
        require_new(folder, next_step="Name another with --run.")
        require_name(folder)
        require_writable(folder)
    if options.output:
        require_writable_file(Path(options.output))
    if options.results:
        require_writable_file(Path(options.results) / f"{result_name(options)}.json")
