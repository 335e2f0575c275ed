"""Tables: CSV, also with semicolons, and TSV, with a header line of the columns' names."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.fields import FLAT, Field
from squadqa.data.squad.formats.flat import row_of, value_of
from squadqa.data.squad.row import Row
from squadqa.errors import DataError

DELIMITERS = ("\t", ",", ";")

LONGEST_CELL = 1 << 30
"""Characters of a cell; Python's own limit is below the length of many contexts."""

_TRUTH = {"": None, "true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Table:
    """A table's form.

    Args:
        delimiter: What stands between two cells.
        names: The names of its columns.
    """

    delimiter: str
    names: list[str]

    def has(self, columns: Columns) -> bool:
        """Return whether it has a column of questions and one of contexts."""
        return columns.question in self.names and columns.context in self.names


def find_table(text: str, columns: Columns) -> Table:
    """Find out what stands between the cells of a text's first line.

    Args:
        text: The text.
        columns: What the columns of questions and contexts are called.

    Returns:
        The form with these columns, or else the one with most columns.
    """
    tables = []
    for delimiter in DELIMITERS:
        names: list[str] = []
        with suppress(csv.Error, StopIteration), _long_cells():
            names = next(_reader(text, delimiter))
        tables.append(Table(delimiter, [name.strip() for name in names]))
    return max(tables, key=lambda table: (table.has(columns), len(table.names)))


def rows_of(text: str, source: str, columns: Columns) -> Iterator[Row]:
    """Iterate over the questions of a table.

    A cell of `answers` is JSON, in one of the forms that JSON lines have; one of `answer` is the
    answer's text.

    Args:
        text: Its text.
        source: Its name, for messages.
        columns: What its columns are called.

    Raises:
        DataError: It misses a column, or a row has another form; the message says which.
    """
    table = find_table(text, columns)
    columns.require_in(table.names, source)
    for name in (columns.question, columns.context, *columns.changed.values()):
        if table.names.count(name) > 1:
            raise DataError(
                f'"{source}" has {table.names.count(name)} columns "{name}"',
                next_step="Give each column its own name.",
            )
    has_ids = columns.id in table.names
    for number, (line, cells) in enumerate(_lines(text, source, table), start=1):
        values: dict[str, Any] = dict(zip(table.names, cells, strict=True))
        field = Field(values, f"line {line}", source, shape=FLAT)
        _read_cells(field, columns)
        yield row_of(field, columns, number=number, has_ids=has_ids)


def _lines(text: str, source: str, table: Table) -> Iterator[tuple[int, list[str]]]:
    """Iterate over the cells of each row after the header, with the number of its first line."""
    reader = _reader(text, table.delimiter)
    line, is_header = 1, True
    while True:
        try:
            with _long_cells():
                cells = next(reader, None)
        except csv.Error as error:
            raise DataError(
                f'"{source}" is no table: {error} at line {line}',
                hint='A cell with a quote in it stands in quotes, and the quote is doubled: "".',
                next_step="Write it again as CSV or TSV with quotes.",
            ) from error
        if cells is None:
            return
        if cells and not is_header:
            if len(cells) != len(table.names):
                raise DataError(
                    f'"{source}": line {line} has {len(cells)} cells, and the header has '
                    f"{len(table.names)}",
                    next_step="Put cells in quotes that hold what stands between cells.",
                )
            yield line, cells
        is_header = is_header and not cells
        line = reader.line_num + 1


def _read_cells(field: Field, columns: Columns) -> None:
    """Turn the cells that are not texts into values."""
    row: dict[str, Any] = field.value
    if columns.has_several and (cell := row.get(columns.answers)) is not None:
        value = _json(cell)
        if cell and not isinstance(value, list | dict):
            raise field.error(
                f'has "{columns.answers}": {ascii(cell):.60}, which is no JSON list',
                hint=f"If the column holds one plain text: --columns answer={columns.answers}.",
            )
        row[columns.answers] = value
    start = row.get(columns.answer_start)
    if start is not None:
        row[columns.answer_start] = _number(start)
    truth = row.get(columns.is_impossible)
    if truth is not None:
        row[columns.is_impossible] = _TRUTH.get(truth.strip().lower(), truth)


def _number(cell: str) -> Any:
    """Read a whole number, also with .0 after it as some programs write it, or a list of them."""
    value = _json(cell) if cell.strip() else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return cell if value is None and cell.strip() else value


def _json(cell: str) -> Any:
    """Parse a cell as JSON; None if it is none."""
    with suppress(ValueError, RecursionError):
        return json.loads(cell)
    return None


def _reader(text: str, delimiter: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


@contextmanager
def _long_cells() -> Iterator[None]:
    """Allow long cells, and restore the limit, which is the process's."""
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def dumped(rows: Sequence[Row], *, delimiter: str) -> Iterator[str]:
    """Write questions as a table, line by line; answers and their places are lists in JSON.

    Args:
        rows: The questions.
        delimiter: What stands between two cells.
    """
    names = ["id", "title", "context", "question", "answers", "answer_start"]
    says = any(row.is_impossible is not None for row in rows)
    yield _line([*names, *(["is_impossible"] if says else [])], delimiter)
    for row in rows:
        value = value_of(row)
        lists = value["answers"]["text"], value["answers"]["answer_start"]
        cells = [value[name] for name in names[:4]]
        cells += [json.dumps(one, ensure_ascii=False) for one in lists]
        if says:
            cells.append({None: "", True: "true", False: "false"}[row.is_impossible])
        yield _line(cells, delimiter)


def _line(cells: Sequence[str], delimiter: str) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(
        cells
    )
    return line.getvalue()
