"""Iteration over the questions of a source, with each field checked against SQuAD v1.1's schema."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squadqa.data.squad.source import Source, load_dataset, read_text
from squadqa.errors import DataError

_KINDS = {str: "a string", int: "a whole number", list: "a list", dict: "an object"}
_LARGEST = 2**31 - 1
"""Largest number that is kept, far beyond the length of any text."""

_NESTED = (
    'Expected {"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers": '
    '[{"text", "answer_start"}]}]}]}]}.'
)
_FLAT = (
    'Expected rows of {"id", "title", "context", "question", "answers": {"text": [...], '
    '"answer_start": [...]}}.'
)


@dataclass(frozen=True)
class Row:
    """One question as it is in the source.

    `where` is the question's place, for messages. `paragraph` identifies its paragraph: consecutive
    rows of one paragraph have the same. `article` is the place of its article, and empty in a
    format that does not group paragraphs by articles.
    """

    where: str
    article: str
    paragraph: str
    title: str
    context: str
    id: str
    question: str
    texts: list[str]
    starts: list[int]


def rows_of(source: Source) -> Iterator[Row]:
    """Iterate over the questions of a source.

    Raises:
        DataError: The source is not SQuAD v1.1; the message says where.
    """
    if source.path is None:
        return _rows_of_dataset(source)
    if source.part is not None:
        from squadqa.data.pack.archive import Archive  # numpy takes long to import

        text = Archive(source.path).text(f"{source.part}/questions.json")
        return _rows_of_json(text, str(source))
    if source.name.endswith((".jsonl", ".jsonl.gz")):
        return _rows_of_json_lines(source.path)
    return _rows_of_json(read_text(source.path), str(source.path))


class _Field:
    """Reads fields of parsed JSON, and reports the place when one is missing or wrong."""

    def __init__(self, value: Any, where: str, source: str, *, expected: str = _NESTED) -> None:
        self.value = value
        self.where = where
        self.source = source
        self.expected = expected

    def error(self, problem: str) -> DataError:
        return DataError(
            f'"{self.source}" is not SQuAD v1.1: {self.where or "the file"} {problem}',
            next_step=self.expected,
        )

    def get(self, key: str, kind: type[Any], default: Any = None) -> Any:
        if not isinstance(self.value, dict):
            raise self.error(f"is {ascii(self.value):.60}, not an object")
        value = self.value.get(key)
        if value is None:
            value = default
        if value is None:
            raise self.error(f'misses "{key}"')
        return self._checked(value, key, kind)

    def values(self, key: str, kind: type[Any]) -> list[Any]:
        return [
            self._checked(value, f"{key}[{index}]", kind)
            for index, value in enumerate(self.get(key, list, []))
        ]

    def _checked(self, value: Any, key: str, kind: type[Any]) -> Any:
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.error(f'has "{key}": {ascii(value):.60}, not {_KINDS[kind]}')
        if kind is int and abs(value) > _LARGEST:
            raise self.error(f'has "{key}": {value!r:.60}, which is out of range')
        if kind is str:
            try:
                value.encode()
            except UnicodeEncodeError as error:
                found = ascii(value[error.start : error.start + 20])
                raise self.error(f'has "{key}" with half a surrogate pair at {found}') from error
        return value

    def items(self, key: str, default: Any = None) -> Iterator["_Field"]:
        prefix = f"{self.where}." if self.where else ""
        for index, value in enumerate(self.get(key, list, default)):
            yield _Field(value, f"{prefix}{key}[{index}]", self.source)


def _rows_of_json(text: str, source: str) -> Iterator[Row]:
    for article in _Field(_parse(text, source), "", source).items("data"):
        title = article.get("title", str, "")
        for paragraph in article.items("paragraphs"):
            context = paragraph.get("context", str)
            for question in paragraph.items("qas"):
                answers = list(question.items("answers", []))
                yield Row(
                    where=question.where,
                    article=article.where,
                    paragraph=paragraph.where,
                    title=title,
                    context=context,
                    id=question.get("id", str),
                    question=question.get("question", str),
                    texts=[answer.get("text", str) for answer in answers],
                    starts=[answer.get("answer_start", int) for answer in answers],
                )


def _rows_of_json_lines(path: Path) -> Iterator[Row]:
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            value = _parse(line, str(path), first_line=number)
            yield _flat_row(_Field(value, f"line {number}", str(path), expected=_FLAT))


def _rows_of_dataset(source: Source) -> Iterator[Row]:
    for number, row in enumerate(load_dataset(source)):
        yield _flat_row(_Field(row, f"row {number}", str(source), expected=_FLAT))


def _flat_row(row: _Field) -> Row:
    answers = _Field(
        row.get("answers", dict, {}), f"{row.where} answers", row.source, expected=_FLAT
    )
    texts, starts = answers.values("text", str), answers.values("answer_start", int)
    if len(texts) != len(starts):
        raise row.error(f"has {len(texts)} answer texts but {len(starts)} answer starts")
    title, context = row.get("title", str, ""), row.get("context", str)
    return Row(
        where=row.where,
        article="",
        paragraph=f"{title}\n{context}",
        title=title,
        context=context,
        id=row.get("id", str),
        question=row.get("question", str),
        texts=texts,
        starts=starts,
    )


def _parse(text: str, source: str, *, first_line: int = 1) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error)
        if isinstance(error, json.JSONDecodeError):
            line = first_line + error.lineno - 1
            reason = f"{error.msg} at line {line}, column {error.colno}"
        raise DataError(
            f'"{source}" is not JSON: {reason}', next_step="Name a file in SQuAD v1.1 format."
        ) from error
