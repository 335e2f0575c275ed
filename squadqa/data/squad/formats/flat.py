"""Rows of columns: what JSON lines, tables and `datasets` have in common."""

from typing import Any

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.fields import Field
from squadqa.data.squad.formats.answers import answers_of, without_contradiction
from squadqa.data.squad.places import NOWHERE
from squadqa.data.squad.row import Row


def row_of(field: Field, columns: Columns, *, number: int, has_ids: bool) -> Row:
    """Read one row.

    Args:
        field: The row.
        columns: What its columns are called.
        number: The row's number, which is its identifier where the source has none.
        has_ids: Whether the source has a column of identifiers.

    Raises:
        DataError: It has another form; the message names the column.
    """
    texts, starts = answers_of(field, _answers_key(field, columns), columns.answer_start)
    is_impossible = field.optional(columns.is_impossible, bool)
    texts, starts = without_contradiction(field, is_impossible, texts, starts)
    title, context = field.get(columns.title, str, ""), field.get(columns.context, str)
    return Row(
        where=field.where,
        article="",
        paragraph=f"{title}\n{context}",
        title=title,
        context=context,
        id=field.id(columns.id) if has_ids else str(number),
        question=field.get(columns.question, str),
        texts=texts,
        starts=starts,
        is_impossible=is_impossible,
    )


def _answers_key(field: Field, columns: Columns) -> str:
    """Choose the column of the answers: the one that the user named, or else the one with some."""
    is_there = columns.is_named("answers") or field.raw(columns.answers) is not None
    return columns.answers if columns.has_several and is_there else columns.answer


def value_of(row: Row) -> dict[str, Any]:
    """Return a row as `datasets` has it; the inverse of `row_of` with the usual names."""
    says = {} if row.is_impossible is None else {"is_impossible": row.is_impossible}
    starts = [NOWHERE if start is None else start for start in row.starts]
    return {
        "id": row.id,
        "title": row.title,
        "context": row.context,
        "question": row.question,
        "answers": {"text": row.texts, "answer_start": starts},
        **says,
    }
