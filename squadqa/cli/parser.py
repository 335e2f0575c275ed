"""Command lines whose mistakes are told in three lines: what, did you mean, what next."""

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from squadqa.errors import ConfigError, did_you_mean

NEGATIVE_NUMBER = re.compile(r"-\d*\.?\d+")


class CommandParser(argparse.ArgumentParser):
    """Parses the options of one command; a mistake raises `ConfigError`.

    Args:
        command: The command's name.
        description: What it does.
        usage: Its usual form, behind its name.
        examples: Worked examples: what each does, and its command line.
    """

    def __init__(
        self,
        command: str,
        description: str,
        *,
        usage: str = "[options]",
        examples: Sequence[tuple[str, str]],
    ) -> None:
        lines = [f"  {what}:\n    {line}" for what, line in examples]
        super().__init__(
            prog=f"squadqa {command}",
            usage=f"squadqa {command} {usage}",
            description=description,
            epilog="\n".join(["examples:", *lines]),
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def parse_args(  # type: ignore[override]  # the base class has overloads for other namespaces
        self, arguments: Sequence[str]
    ) -> argparse.Namespace:
        """Parse a command line.

        Args:
            arguments: What stands behind the command's name.

        Raises:
            ConfigError: It has an unknown option, a wrong value, too much or too little.
        """
        self._refuse_unknown_options(arguments)
        parsed, left_over = self.parse_known_args(arguments)
        if left_over:
            self.error(f'one argument too many: "{left_over[0]}"')
        return parsed

    def error(self, message: str) -> NoReturn:
        """Refuse a command line (called by argparse).

        Raises:
            ConfigError: Always.
        """
        raise self._refusal(message)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is none of an option's choices (called by argparse)."""
        if action.choices is not None and value not in action.choices:
            name = "/".join(action.option_strings) or action.dest
            raise self._refusal(
                f'{name} cannot be "{value}"', did_you_mean(str(value), map(str, action.choices))
            )

    def _refuse_unknown_options(self, arguments: Sequence[str]) -> None:
        """Look for unknown options first: argparse would rather tell what it misses."""
        known = [option for action in self._actions for option in action.option_strings]
        for argument in arguments:
            if argument == "--":
                return
            name = argument.split("=")[0]
            is_option = len(argument) > 1 and argument.startswith("-") and " " not in argument
            if is_option and name not in known and not NEGATIVE_NUMBER.fullmatch(argument):
                long_names = [option for option in known if option.startswith("--")]
                raise self._refusal(f'unknown option "{name}"', did_you_mean(name, long_names))

    def _refusal(self, what: str, hint: str = "") -> ConfigError:
        return ConfigError(what, hint=hint, next_step=f"All options: {self.prog} --help")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps lines as they are written, and gives the options' names some room."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30)


def positive(text: str) -> int:
    """Read an option's whole number, 1 or more.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number of 1 or more')
    return int(text)


def device(text: str) -> str:
    """Read the name of a device.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        raise argparse.ArgumentTypeError(
            f'"{text}" is no device; there are auto, cpu, cuda and cuda:NUMBER'
        )
    return text


def add_run_options(parser: CommandParser, *, run_is_optional: bool = False) -> None:
    """Add the options of commands that use a trained run.

    Args:
        parser: The command's parser.
        run_is_optional: Whether the command works without a run too.
    """
    parser.add_argument(
        "run_folder",
        metavar="RUN_FOLDER",
        nargs="?" if run_is_optional else None,
        help="folder of a trained run, such as runs/drqa",
    )
    parser.add_argument(
        "--checkpoint",
        choices=("best", "last"),
        help="which checkpoint to use (default: best, or last where there is no best yet)",
    )
    parser.add_argument(
        "--device",
        type=device,
        default="auto",
        help="auto, cpu or cuda (default: auto, a GPU where there is one)",
    )


def add_cache_options(parser: CommandParser) -> None:
    """Add the options of commands that prepare data."""
    parser.add_argument(
        "--cache-dir",
        metavar="FOLDER",
        help="prepared data (default: SQUADQA_CACHE_DIR, or data/cache)",
    )
    parser.add_argument(
        "--workers",
        metavar="N",
        type=positive,
        default=0,
        help="processes that annotate (default: one for each core)",
    )
