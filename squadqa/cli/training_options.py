"""What the commands that train share: configurations, and values that replace theirs."""

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from squadqa.errors import ConfigError, did_you_mean

SAMPLE = "data/sample"
"""What `--data sample` stands for, in a checkout."""


def split_overrides(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Separate a command's own options from values of the configuration (--SECTION.NAME VALUE).

    Args:
        arguments: The words after the command's name.

    Returns:
        The command's own arguments, and the others.
    """
    own: list[str] = []
    overrides: list[str] = []
    for name, words in grouped(arguments):
        (overrides if name else own).extend(words)
    return own, overrides


def grouped(arguments: list[str], *, also: Collection[str] = ()) -> Iterator[tuple[str, list[str]]]:
    """Keep each value of the configuration (--SECTION.NAME VALUE) together.

    Args:
        arguments: A command line.
        also: Other options to take for values of the configuration.

    Yields:
        The option and its words, as they are written; or "" and one word that belongs to none.
    """
    rest = iter(arguments)
    for argument in rest:
        name, has_value, _ = argument.partition("=")
        if name in also or (name.startswith("--") and "." in name):
            yield name, [argument] if has_value else [argument, *islice(rest, 1)]
        else:
            yield "", [argument]


def data_overrides(data: str | None, test: str | None) -> list[str]:
    """Translate --data and --test into values of the configuration.

    Args:
        data: What --data names, if anything.
        test: What --test names, if anything.

    Raises:
        ConfigError: --data names one file, and nothing names another to test on.
    """
    data = SAMPLE if data == "sample" else data
    if data and Path(data).is_file() and not test:
        raise ConfigError(
            f'--data names one file, "{data}": there is nothing to test on',
            next_step="Name a file of test questions with --test, or a folder that has both.",
        )
    line = ["--data.train", data] if data else []
    return line + (["--data.test", named] if (named := test or data) else [])


def require_config(path: Path) -> None:
    """Check that a configuration exists.

    Args:
        path: Its file.

    Raises:
        ConfigError: There is no such file.
    """
    if path.is_file():
        return
    near = [str(file) for file in path.parent.rglob("*.yaml")] if path.parent.is_dir() else []
    raise ConfigError(
        f'no configuration "{path}"',
        hint=did_you_mean(str(path), near or map(str, Path("configs").glob("*.yaml"))),
        next_step="Name a .yaml file, such as configs/drqa.yaml.",
    )
