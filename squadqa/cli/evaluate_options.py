"""The options of `squadqa evaluate`, and checks of them before the work starts."""

import argparse
from pathlib import Path

from squadqa.cli.options import (
    add_cache_options,
    add_choose_option,
    add_data_option,
    add_json_option,
    add_run_options,
)
from squadqa.cli.parser import CommandParser
from squadqa.errors import ConfigError
from squadqa.files import require_writable_file


def evaluate_parser() -> CommandParser:
    """Make the parser of the command."""
    parser = CommandParser(
        "evaluate",
        "Score a prediction file or a trained run: official exact match and F1, in percent.",
        usage="(RUN_FOLDER | --predictions FILE) (--data FILE | --held-out) [options]",
        examples=[
            (
                "the official score of any prediction file",
                "squadqa evaluate --data dev-v1.1.json --predictions predictions.json",
            ),
            (
                "a run's best checkpoint on SQuAD's dev part",
                "squadqa evaluate runs/drqa --data squad",
            ),
            (
                "by type of answer too, beside the SQuAD paper's figures",
                "squadqa evaluate runs/logistic --data squad --details",
            ),
            (
                "SQuAD v2.0, where some questions have no answer, with the best thresholds",
                "squadqa evaluate --v2 --data dev-v2.0.json --predictions predictions.json "
                "--na-prob na_prob.json",
            ),
            (
                "what a run's probabilities are worth, on the articles held out of its training",
                "squadqa evaluate runs/drqa --held-out --calibration calibration.json",
            ),
            (
                "for a script: one JSON object, percent at full precision",
                "squadqa evaluate runs/drqa --data dev.json --checkpoint last --json",
            ),
        ],
    )
    add_run_options(parser, run_is_optional=True)
    add_choose_option(parser)
    add_data_option(parser, "questions with answers", required=False)
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="the questions that were held out of the run's training, instead of --data",
    )
    parser.add_argument(
        "--calibration",
        metavar="FILE",
        help="also write what the run's probabilities are worth, as .json (reads the data twice)",
    )
    parser.add_argument(
        "--predictions",
        metavar="FILE",
        help='score this file instead of a run: {"question id": "text", ...}',
    )
    parser.add_argument(
        "--v2",
        action="store_true",
        help="score by SQuAD's v2.0 rule, where questions may have no answer; so is a run that may "
        "abstain",
    )
    parser.add_argument(
        "--na-prob",
        metavar="FILE",
        help='probabilities of "no answer" of --predictions: {"question id": 0.25, ...}',
    )
    parser.add_argument(
        "--always-answer",
        action="store_true",
        help="let a run that may abstain answer every question",
    )
    parser.add_argument(
        "--details",
        action="store_true",
        help="the score by type of answer, and how often a run finds the right sentence",
    )
    add_json_option(parser)
    add_cache_options(parser)
    return parser


def check_options(options: argparse.Namespace) -> None:
    """Check before the work that the options fit each other, and that a file can be written.

    Args:
        options: The options of `evaluate_parser`.

    Raises:
        SquadQAError: They do not, or it cannot.
    """
    if (options.run_folder is None) == (options.predictions is None):
        both = options.predictions is not None
        raise ConfigError(
            f'both a run folder "{options.run_folder}" and --predictions "{options.predictions}"'
            if both
            else "nothing to evaluate: neither a run folder nor --predictions",
            next_step="Name one of the two; examples: squadqa evaluate --help",
        )
    if bool(options.data) == options.held_out:
        raise ConfigError(
            f'both --data "{options.data}" and --held-out'
            if options.data
            else "nothing to score: neither --data nor --held-out",
            next_step="Name questions with --data FILE, or take a run's own with --held-out.",
        )
    for name in ("held_out", "calibration", "always_answer"):
        option = f"--{name.replace('_', '-')}"
        if getattr(options, name) and options.predictions:
            raise ConfigError(
                f'{option} is of a run, and "{options.predictions}" is a prediction file',
                next_step=f"Name a run folder instead, or leave {option} out.",
            )
    if options.held_out and options.details:
        raise ConfigError(
            "--details needs the whole of the data, and --held-out is a part of it",
            next_step="Leave one of the two out.",
        )
    if options.calibration:
        require_writable_file(Path(options.calibration))
    if options.na_prob and not options.predictions:
        raise ConfigError(
            f'--na-prob "{options.na_prob}" belongs to a prediction file, and none is named',
            next_step="Name it with --predictions FILE; a run has its own probabilities.",
        )
    if options.na_prob and not options.v2:
        raise ConfigError(
            f'--na-prob "{options.na_prob}" counts only by the rule of SQuAD v2.0',
            next_step="Add --v2, or leave --na-prob out.",
        )
    if options.v2 and options.details:
        raise ConfigError(
            "--details tells types of answers, which questions without answers have not",
            next_step="Leave out --v2 or --details.",
        )
