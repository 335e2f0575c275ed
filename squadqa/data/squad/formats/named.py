"""Data sets that the package `datasets` knows by name."""

from collections.abc import Iterator
from typing import Any

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.formats.json_lines import rows_of_values
from squadqa.data.squad.row import Row


def rows_of(dataset: Any, source: str, columns: Columns) -> Iterator[Row]:
    """Iterate over the questions of a data set.

    Args:
        dataset: What `datasets` loaded.
        source: Its name, for messages.
        columns: What its columns are called.

    Raises:
        DataError: It misses a column, or a row has another form; the message says which.
    """
    columns.require_in(dataset.column_names, source)
    numbered = ((f"row {number}", row) for number, row in enumerate(dataset))
    return rows_of_values(numbered, source, columns)
