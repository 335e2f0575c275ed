"""Parsing of JSON, with the line and column of a mistake."""

import json
from collections.abc import Iterator
from typing import Any

from squadqa.errors import DataError

_DECODER = json.JSONDecoder()
_SPACE = " \t\n\r"
"""What JSON takes for white space."""


def first_value(text: str, source: str) -> tuple[Any, str]:
    """Parse the first JSON value of a text.

    Args:
        text: The text.
        source: Its name, for messages.

    Returns:
        The value, and the text after it, without white space around it.

    Raises:
        DataError: It is no JSON; the message says where.
    """
    start = len(text) - len(text.lstrip(_SPACE))
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        raise not_json(error, source) from error
    return value, text[end:].strip(_SPACE)


def parsed(text: str, source: str, *, first_line: int = 1) -> Any:
    """Parse a text that is one JSON value.

    Args:
        text: The text.
        source: Its name, for messages.
        first_line: The number of its first line in the source.

    Raises:
        DataError: It is no JSON; the message says where.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise not_json(error, source, first_line=first_line) from error


def parsed_lines(text: str, source: str) -> Iterator[tuple[int, Any]]:
    """Parse a text with one JSON value a line; blank lines are left out.

    Yields:
        The line's number, from 1, and its value.

    Raises:
        DataError: A line is no JSON.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, parsed(line, source, first_line=number)


def not_json(error: Exception, source: str, *, first_line: int = 1) -> DataError:
    """Make the error for a text that is no JSON.

    Args:
        error: What the parser raised.
        source: The text's name.
        first_line: The number of its first line in the source.
    """
    reason = str(error)
    if isinstance(error, json.JSONDecodeError):
        line = first_line + error.lineno - 1
        reason = f"{error.msg} at line {line}, column {error.colno}"
    return DataError(
        f'"{source}" is not JSON: {reason}',
        next_step="Name a file of questions: SQuAD's JSON, JSON lines, MRQA, CSV or TSV.",
    )
