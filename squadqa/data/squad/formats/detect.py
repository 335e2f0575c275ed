"""The choice of a file's format by its content; its name only decides where content is damaged."""

from collections.abc import Iterator
from typing import Any

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.formats import json_lines, mrqa, nested_json, tables
from squadqa.data.squad.formats.parsing import first_value, parsed
from squadqa.data.squad.row import Row
from squadqa.errors import DataError

TABLE_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
JSON_ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
LINES_ENDINGS = (".jsonl", ".jsonl.gz")


def rows_of(text: str, source: str, columns: Columns) -> Iterator[Row]:
    """Find out a text's format, and iterate over its questions.

    Args:
        text: The text of a file.
        source: The file's name.
        columns: What columns are called, in formats that have some.

    Raises:
        DataError: It is in none of the formats; the message says why.
    """
    begin = text.lstrip()[:1]
    if begin in ("{", "["):
        return _json_rows(text, source, columns)
    if source.endswith(TABLE_ENDINGS) or tables.find_table(text, columns).has(columns):
        return tables.rows_of(text, source, columns)
    if not source.endswith(JSON_ENDINGS):
        raise _unknown(text, source)
    return _json_rows(text, source, columns)


def _json_rows(text: str, source: str, columns: Columns) -> Iterator[Row]:
    value, rest = first_value(text, source)
    if mrqa.is_header(value) or _has(value, "context", "qas"):
        return mrqa.rows_of(text, source)
    if not rest and isinstance(value, list) and value and isinstance(value[0], dict):
        return json_lines.rows_of_list(value, source, columns)
    is_row = _has(value, columns.question) or _has(value, columns.context)
    is_lines = source.endswith(LINES_ENDINGS) and not _has(value, "data")
    if is_row or is_lines or (rest and not _has(value, "data")):
        return json_lines.rows_of(text, source, columns)
    if rest:
        parsed(text, source)  # raises the error that says where it should have ended
    return nested_json.rows_of(value, source)


def _has(value: Any, *keys: str) -> bool:
    return isinstance(value, dict) and all(key in value for key in keys)


def _unknown(text: str, source: str) -> DataError:
    if not text.strip():
        return DataError(
            f'"{source}" is empty', next_step="Name a file with questions; docs/data.md has forms."
        )
    return DataError(
        f'"{source}" is in no known format: it begins with {ascii(text.strip()):.40}',
        hint="Questions are read as SQuAD's JSON, JSON lines, MRQA, CSV or TSV with columns "
        '"question" and "context"; --columns question=NAME,context=NAME maps other names.',
        next_step="To ask about a plain text: squadqa predict RUN_FOLDER --data FILE --questions "
        "FILE.",
    )
