"""All mistakes of a configuration at once: each is mended in a copy, until the rest can be parsed.

A parser stops at the first mistake. Here an unknown option is left out, and a misspelt class is
replaced by the one that its message suggests, so that the next mistake shows. Nothing of the user's
files changes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from squadqa.cli.lightning_parser import Parsed, parse
from squadqa.errors import SquadQAError
from squadqa.package_files import locate

MOST_MISTAKES = 30
"""Mistakes after which a configuration is left alone."""

SUGGESTED = re.compile(r'Did you mean "(.+)"\?')
WITHOUT_INIT_ARGS = re.compile(r"\.?\binit_args\b")


@dataclass(frozen=True)
class Mended:
    """What is wrong with a configuration, and what is left of it.

    Args:
        parsed: The rest, parsed; None if a mistake could not be mended.
        mistakes: What is wrong.
        line: The command line of the rest; its configuration files may be mended copies.
    """

    parsed: Parsed | None
    mistakes: list[SquadQAError]
    line: list[str]


def parse_mended(line: Sequence[str], folder: Path, *, also_known: Sequence[str] = ()) -> Mended:
    """Parse a command line, and find all its mistakes.

    Args:
        line: As for `parse`.
        folder: An empty folder for mended copies.
        also_known: As for `parse`.
    """
    rest, mistakes = list(line), list[SquadQAError]()
    for number in range(MOST_MISTAKES):
        try:
            return Mended(parse(rest, also_known=also_known), mistakes, rest)
        except SquadQAError as error:
            mistakes.append(error)
            mended = _mended(rest, error, folder / str(number))
            if mended is None:
                break
            rest = mended
    return Mended(None, mistakes, rest)


def _mended(line: list[str], error: SquadQAError, folder: Path) -> list[str] | None:
    """Mend one mistake in a command line and its files; None if it is not known how."""
    quoted = re.findall(r'"([^"]+)"', error.what)
    suggested = SUGGESTED.fullmatch(error.hint)
    key, is_value, _ = error.what.partition(" cannot be ")
    if error.what.startswith("unknown option") and quoted:
        owner = re.search(r" of (\w+)$", error.what)
        return _changed(line, folder, _Removal(_plain(quoted[0]), owner[1] if owner else ""))
    if suggested and quoted and (is_value or "names no class" in error.what):
        return _changed(line, folder, _Replacement(quoted[0], suggested[1]))
    if is_value:
        return _changed(line, folder, _Removal(_plain(key), ""))
    return None


@dataclass(frozen=True)
class _Removal:
    """Leaves out an option.

    Args:
        name: Its name, or the end of it, without `init_args`.
        owner: The class that it was given to; empty where that is not known.
    """

    name: str
    owner: str

    def of_words(self, name: str, words: list[str]) -> list[str]:
        return [] if self._is_meant(_plain(name)) else words

    def of_value(self, value: Any, place: str = "", owner: str = "") -> Any:
        if not isinstance(value, dict):
            return value
        owner = str(value.get("class_path", "")).rpartition(".")[2] or owner
        kept = {}
        for key, inner in value.items():
            where = _plain(f"{place}.{key}" if place else str(key))
            if self._is_meant(where) and self.owner in ("", owner) and key != "init_args":
                continue
            kept[key] = self.of_value(inner, where, owner if key == "init_args" else "")
        return kept

    def _is_meant(self, where: str) -> bool:
        return where == self.name or where.endswith(f".{self.name}")


@dataclass(frozen=True)
class _Replacement:
    """Gives another value wherever a text stands, or a class by its name."""

    old: str
    new: str

    def of_words(self, name: str, words: list[str]) -> list[str]:
        *before, last = words
        option, equals, value = last.partition("=") if not before else ("", "", last)
        return [*before, f"{option}{equals}{self.new}"] if self._is_meant(value) else words

    def of_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.of_value(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.of_value(inner) for inner in value]
        return self.new if self._is_meant(value) else value

    def _is_meant(self, value: Any) -> bool:
        return isinstance(value, str) and (value == self.old or value.endswith(f".{self.old}"))


def _changed(line: list[str], folder: Path, change: _Removal | _Replacement) -> list[str] | None:
    """Change a command line, or else its files, which are copied; None if nothing changes.

    What the command line says overrides the files, whose own value may be right.
    """
    pairs = list(_pairs(line[1:]))
    kept = [words if name == "--config" else change.of_words(name, words) for name, words in pairs]
    if (changed := [*line[:1], *chain(*kept)]) != line:
        return changed
    changed = line[:1]
    for number, (name, words) in enumerate(pairs):
        if name != "--config":
            changed += words
            continue
        path = Path(words[-1].partition("=")[2] or words[-1])
        try:
            values = yaml.safe_load(locate(path).read_text("utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            return None
        mended = change.of_value(values)
        if mended != values:
            copy = folder / str(number) / path.name
            copy.parent.mkdir(parents=True)
            copy.write_text(yaml.safe_dump(mended, sort_keys=False), encoding="utf-8")
            words = ["--config", str(copy)]
        changed += words
    return changed if changed != line else None


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the options of a command line: each name with its words."""
    rest = iter(words)
    for word in rest:
        name, has_value, _ = word.partition("=")
        yield (
            name,
            [word] if has_value else [word, *(value for value in [next(rest, None)] if value)],
        )


def _plain(name: str) -> str:
    """Return an option's name as a configuration has it, without `init_args`."""
    return WITHOUT_INIT_ARGS.sub("", name.removeprefix("--").replace("-", "_")).lstrip(".")
