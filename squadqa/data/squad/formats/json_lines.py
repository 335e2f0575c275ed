"""Rows as JSON: one object a line, as `datasets` writes them, or one list of objects."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.fields import FLAT, Field
from squadqa.data.squad.formats.flat import row_of, value_of
from squadqa.data.squad.formats.parsing import parsed_lines
from squadqa.data.squad.row import Row


def rows_of(text: str, source: str, columns: Columns) -> Iterator[Row]:
    """Iterate over the questions of a file of lines.

    Args:
        text: Its text.
        source: Its name, for messages.
        columns: What its fields are called.

    Raises:
        DataError: A line is no JSON, or has another form; the message says which.
    """
    numbered = ((f"line {line}", value) for line, value in parsed_lines(text, source))
    return rows_of_values(numbered, source, columns)


def rows_of_list(values: list[Any], source: str, columns: Columns) -> Iterator[Row]:
    """Iterate over the questions of a file that is one list; see `rows_of`."""
    numbered = ((f"item {number}", value) for number, value in enumerate(values))
    return rows_of_values(numbered, source, columns)


def rows_of_values(
    values: Iterable[tuple[str, Any]], source: str, columns: Columns
) -> Iterator[Row]:
    """Iterate over rows.

    Args:
        values: The place and the value of each row.
        source: Their source's name, for messages.
        columns: What their fields are called.
    """
    has_ids = True
    for number, (where, value) in enumerate(values, start=1):
        if number == 1 and isinstance(value, dict):
            if columns.changed:
                columns.require_in(value, source)
            has_ids = columns.id in value
        field = Field(value, where, source, shape=FLAT)
        yield row_of(field, columns, number=number, has_ids=has_ids)


def dumped(rows: Sequence[Row]) -> Iterator[str]:
    """Write questions as lines, one after another."""
    for row in rows:
        yield json.dumps(value_of(row), ensure_ascii=False) + "\n"
