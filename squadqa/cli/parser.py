"""A parser of command lines that says in three lines what is wrong, what was meant, what to do."""

import argparse
import re
import shlex
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from squadqa.errors import ConfigError, did_you_mean

NEGATIVE_NUMBER = re.compile(r"-\d*\.?\d+")


class CommandParser(argparse.ArgumentParser):
    """Parses the options of one command; a mistake raises `ConfigError`.

    Args:
        command: The command's name.
        description: What it does.
        usage: The usual arguments, after the command's name.
        examples: What each example does, and its command line.
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

    @property
    def options(self) -> list[str]:
        """The names of all options, with their dashes."""
        return [option for action in self._actions for option in action.option_strings]

    def command_line(self, arguments: Sequence[str], *, without: Collection[str]) -> str:
        """Write a command line as a result names it.

        Args:
            arguments: The words after the command's name.
            without: Options to leave out, with their values: those that say where to write.
        """
        kept: list[str] = []
        words = iter(arguments)
        for word in words:
            name, has_value, _ = word.partition("=")
            if name not in without:
                kept.append(word)
            elif not has_value and self._option_string_actions[name].nargs != 0:
                next(words, None)
        return shlex.join([*self.prog.split(), *kept])

    def parse_args(  # type: ignore[override]  # the base class has overloads for other namespaces
        self, arguments: Sequence[str]
    ) -> argparse.Namespace:
        """Parse a command line.

        Args:
            arguments: The words after the command's name.

        Raises:
            ConfigError: An option is unknown or missing, a value is wrong, or there is an argument
                too many.
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
        """Refuse a value that is not among an option's choices (called by argparse)."""
        if action.choices is not None and value not in action.choices:
            name = "/".join(action.option_strings) or action.dest
            raise self._refusal(
                f'{name} cannot be "{value}"', did_you_mean(str(value), map(str, action.choices))
            )

    def _refuse_unknown_options(self, arguments: Sequence[str]) -> None:
        """Refuse unknown options first: argparse names a missing option before a misspelt one."""
        known = self.options
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
    """Keeps the lines of descriptions and examples, and gives the options' names some room."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30)
