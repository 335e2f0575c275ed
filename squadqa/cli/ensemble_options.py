"""The options of `squadqa ensemble`, and checks of them before the work starts."""

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
)
from squadqa.cli.parser import CommandParser
from squadqa.cli.reading_options import add_reading_options
from squadqa.cli.run_folders import require_name, require_new, require_writable
from squadqa.errors import ConfigError
from squadqa.files import require_writable_file
from squadqa.run_files import BEST, CHECKPOINTS, LAST

if TYPE_CHECKING:
    from squadqa.inference.run_folder import Choice

Named = tuple[Path, "Choice | None"]
"""A run folder and which of its checkpoints to take."""


def ensemble_parser() -> CommandParser:
    """Make the parser of the command."""
    parser = CommandParser(
        "ensemble",
        "Let several trained runs, readers and scorers, answer together: each span's probability\n"
        "is the weighted mean of the members' probabilities. Also scores each member alone.",
        usage="RUN RUN [RUN ...] (--data FILE | --held-out) [options]",
        examples=[
            (
                "three runs on SQuAD's dev part, with scores and predictions in a run folder",
                "squadqa ensemble runs/drqa runs/bidaf runs/rnet --data squad --run runs/three",
            ),
            (
                "to choose members: the score on articles that no member was trained on",
                "squadqa ensemble runs/drqa runs/mlp --held-out --fit-weights",
            ),
            (
                "the best and the last checkpoint of one run, the best with twice the weight",
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
        help="questions: a file, a pack, sample, or squad; scored if they have answers",
    )
    add_reading_options(parser)
    add(
        "--held-out",
        action="store_true",
        help="score on the trainings' held-out questions",
    )
    add(
        "--weights",
        metavar="W",
        nargs="+",
        type=positive_number,
        help="weights of the runs (default: all the same)",
    )
    add(
        "--fit-weights",
        action="store_true",
        help="fit the weights to the held-out answers",
    )
    add(
        "--mean",
        choices=("geometric", "arithmetic"),
        default="geometric",
        help="mean of probabilities (default: geometric)",
    )
    add(
        "--maximize",
        choices=("exact-match", "f1"),
        default="exact-match",
        help="most probable span, or highest expected F1 (default: exact-match)",
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
        help="folder to make for members, answers, scores",
    )
    add("--results", metavar="FOLDER", help="also write the scores to FOLDER/NAME.json")
    add_json_option(parser)
    add_cache_options(parser)
    return parser


def check_options(options: argparse.Namespace) -> "list[Named]":
    """Check before the work starts that the options fit each other and files can be written.

    Args:
        options: The options of `ensemble_parser`.

    Returns:
        The members.

    Raises:
        SquadQAError: They do not fit, or a file cannot be written.
    """
    _require_sense(options)
    if options.n_best and not options.output:
        raise ConfigError("--n-best needs an output file", next_step="Name it with --output FILE.")
    _require_places(options)
    return [_named(text, options.checkpoint) for text in options.run]


def result_name(options: argparse.Namespace) -> str:
    """Return the name of the result: as for a training, that of its run folder, if one is made."""
    return Path(options.run_folder).name if options.run_folder else "ensemble"


def require_different(paths: list[Path]) -> None:
    """Check that no checkpoint is named twice.

    Raises:
        ConfigError: A checkpoint is named twice.
    """
    resolved = [path.resolve() for path in paths]
    twice = next((path for path in paths if resolved.count(path.resolve()) > 1), None)
    if twice is not None:
        raise ConfigError(
            f'"{twice}" is named twice', next_step="Give it more weight with --weights instead."
        )


def _named(text: str, choice: "Choice | None") -> Named:
    """Parse the name of a run folder, or of a checkpoint in one."""
    path = Path(text)
    if path.suffix != ".ckpt":
        return path, choice

    from squadqa.inference.run_folder import CHOICES

    chosen = next((name for name in CHOICES if name == path.stem), None)
    if chosen is None or path.parent.name != CHECKPOINTS:
        raise ConfigError(
            f'"{path}" is not a checkpoint of a run folder',
            hint=f'Checkpoints are "RUN_FOLDER/{CHECKPOINTS}/{BEST}" and {LAST}.',
            next_step="Name a run folder, or one of these two files.",
        )
    return path.parent.parent, chosen


def _require_sense(options: argparse.Namespace) -> None:
    runs, weights = options.run, options.weights
    if len(runs) < 2:
        raise ConfigError(
            f'one run, "{runs[0]}", is not an ensemble',
            next_step=f"Name another, or score it alone: squadqa evaluate {runs[0]} --data FILE",
        )
    if bool(options.data) == options.held_out:
        raise ConfigError(
            f'both --data "{options.data}" and --held-out'
            if options.data
            else "nothing to answer: neither --data nor --held-out",
            next_step="Name a file with --data FILE, or use held-out questions with --held-out.",
        )
    if weights and options.fit_weights:
        raise ConfigError(
            "both --weights and --fit-weights", next_step="Give the weights, or have them fitted."
        )
    if weights and len(weights) != len(runs):
        raise ConfigError(
            f"{len(weights)} weights for {len(runs)} runs",
            hint="Name the run folders before --weights.",
            next_step="Give one weight for each run, in the same order.",
        )


def _require_places(options: argparse.Namespace) -> None:
    """Check before the work that all requested files can be written."""
    if options.run_folder:
        folder = Path(options.run_folder)
        require_new(folder, next_step="Name another folder with --run.")
        require_name(folder)
        require_writable(folder)
    if options.output:
        require_writable_file(Path(options.output))
    if options.results:
        require_writable_file(Path(options.results) / f"{result_name(options)}.json")
