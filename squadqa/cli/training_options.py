"""Shared options of commands that train: configuration files, data, and further values."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from squadqa.cli.parser import CommandParser
from squadqa.errors import ConfigError, did_you_mean
from squadqa.package_files import SAMPLE, configs_folder, locate, short_name


def split_overrides(arguments: list[str], parser: CommandParser) -> tuple[list[str], list[str]]:
    """Separate a command's own options from values of the configuration (--NAME VALUE).

    Args:
        arguments: The command line after the command's name.
        parser: The parser of the command's own options.

    Returns:
        The command's own arguments, and the others.
    """
    own: list[str] = []
    others: list[str] = []
    for name, words in _grouped(arguments, set(parser.options)):
        (others if name else own).extend(words)
    return own, others


def _grouped(arguments: list[str], known: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Keep each unknown option together with its value.

    Yields:
        An option and its words, as the user wrote them; or "" and a word that belongs to no option.
    """
    rest = iter(arguments)
    for argument in rest:
        name, has_value, _ = argument.partition("=")
        if name.startswith("--") and len(name) > 2 and name not in known:
            yield name, [argument] if has_value else [argument, *islice(rest, 1)]
        else:
            yield "", [argument]


def data_overrides(data: str | None, test: str | None) -> list[str]:
    """Turn --data and --test into values of the configuration.

    Args:
        data: The value of --data, if any.
        test: The value of --test, if any.

    Raises:
        ConfigError: --data names a single file, and there is no --test.
    """
    data = SAMPLE.as_posix() if data == SAMPLE.name else data  # as `find_source` does
    if data and Path(data).is_file() and not test:
        raise ConfigError(
            f'--data names one file, "{data}": there are no test questions',
            next_step="Name a file of test questions with --test, or a folder with both.",
        )
    line = ["--data.train", data] if data else []
    return line + (["--data.test", named] if (named := test or data) else [])


def require_config(path: Path) -> None:
    """Check that a configuration exists; say where it is, if the path alone does not.

    Args:
        path: Its file. One that comes with squadqa is found as configs/FILE from any folder.

    Raises:
        ConfigError: It does not.
    """
    found = locate(path)
    if found.is_file():
        if found != path:
            sys.stderr.write(f"squadqa: taking {path} from the installed package\n")
        return
    if found.is_fifo():
        raise ConfigError(
            f'"{path}" is a pipe, and a configuration is read more than once',
            next_step="Write it to a file, and name that.",
        )
    near = [str(file) for file in path.parent.rglob("*.yaml")] if path.parent.is_dir() else []
    shipped = [short_name(file) for file in configs_folder().glob("*.yaml")]
    raise ConfigError(
        f'no configuration "{path}"',
        hint=did_you_mean(str(path), near or shipped),
        next_step="Name a .yaml file, such as configs/drqa.yaml.",
    )
