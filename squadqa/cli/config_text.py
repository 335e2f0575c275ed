"""Values set in the text of a configuration, which keeps its comments and its order."""

import re
from collections.abc import Sequence

import yaml

KEY = re.compile(r"( *)([\w.]+):(?: |$)")
INDENT = 2


def with_value(text: str, path: Sequence[str], value: str, comment: str = "") -> str:
    """Set one value of a configuration.

    Args:
        text: The configuration, in block style.
        path: The keys that lead to the value; those that are missing are made.
        value: The value, as YAML.
        comment: A comment to put after it, instead of the one that is there.
    """
    lines = text.rstrip("\n").split("\n")
    written = f"{value} # {comment}" if comment else value
    begin, end = 0, len(lines)  # of the block that the keys so far lead to
    for depth, key in enumerate(path):
        at = _place_of(lines, key, begin, end, depth)
        if at is None:
            made = [f"{' ' * INDENT * (depth + n)}{name}:" for n, name in enumerate(path[depth:])]
            made[-1] += f" {written}"
            lines[end:end] = made
            break
        begin, end = at + 1, _end_of_block(lines, at + 1, end, INDENT * depth)
    else:
        lines[begin - 1 : end] = [f"{' ' * INDENT * (len(path) - 1)}{path[-1]}: {written}"]
    changed = "\n".join([*lines, ""])
    _check(changed, path, value)
    return changed


def _place_of(lines: Sequence[str], key: str, begin: int, end: int, depth: int) -> int | None:
    """Return the line of a key in a block; None if it is not there."""
    for number in range(begin, end):
        found = KEY.match(lines[number])
        if found and len(found[1]) == INDENT * depth and found[2] == key:
            return number
    return None


def _end_of_block(lines: Sequence[str], begin: int, end: int, indent: int) -> int:
    """Return the line after the block of a key with this indentation."""
    for number in range(begin, end):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            return number
    return end


def _check(text: str, path: Sequence[str], value: str) -> None:
    found = yaml.safe_load(text)
    for key in path:
        found = found[key]
    assert found == yaml.safe_load(value), f"{'.'.join(path)} is {found!r}"
