"""MRQA's format: a header line, then one JSON object a line for each context.

Reference: Fisch et al. 2019 (arXiv 1910.09753). Its contexts hold markers such as [TLE], [PAR] and
[DOC], which are kept: every number counts the characters of the context as it stands. The last
character of a span belongs to it, unlike everywhere else in squadqa.
"""

from collections.abc import Iterator
from typing import Any

from squadqa.data.squad.fields import MRQA, Field
from squadqa.data.squad.formats.answers import Answers
from squadqa.data.squad.formats.parsing import parsed_lines
from squadqa.data.squad.row import Row


def is_header(value: Any) -> bool:
    """Return whether a line's value is the header."""
    return isinstance(value, dict) and "header" in value and "context" not in value


def rows_of(text: str, source: str) -> Iterator[Row]:
    """Iterate over the questions of a file.

    The references are the places where the answers were detected, then the other answers that
    count, such as aliases, which have no place.

    Args:
        text: Its text.
        source: Its name, for messages.

    Raises:
        DataError: A line is no JSON, or has another form; the message says which.
    """
    for line, value in parsed_lines(text, source):
        if is_header(value):
            continue
        paragraph = Field(value, f"line {line}", source, shape=MRQA)
        context, title = paragraph.get("context", str), paragraph.get("title", str, "")
        for index, one in enumerate(paragraph.get("qas", list)):
            question = Field(one, f"line {line} qas[{index}]", source, shape=MRQA)
            texts, starts = _answers(question, context)
            yield Row(
                where=question.where,
                article="",
                paragraph=f"line {line}",
                title=title,
                context=context,
                id=question.id("qid" if question.raw("qid") is not None else "id"),
                question=question.get("question", str),
                texts=texts,
                starts=starts,
            )


def _answers(question: Field, context: str) -> Answers:
    texts: list[str] = []
    starts: list[int | None] = []
    for answer in question.items("detected_answers", []):
        text = answer.get("text", str)
        spans = answer.get("char_spans", list, [])
        if not spans:
            texts.append(text)
            starts.append(None)
        for index, span in enumerate(spans):
            first, last = _span(answer, span, f"char_spans[{index}]")
            found = context[first : last + 1] if first >= 0 else ""
            # Written in the context with other capitals or white space, it is still the answer.
            is_same = "".join(found.split()).lower() == "".join(text.split()).lower()
            texts.append(found if is_same and found.strip() else text)
            starts.append(first)
    for text in question.values("answers", str):
        if text.strip() and text not in texts:
            texts.append(text)
            starts.append(None)
    return texts, starts


def _span(answer: Field, span: Any, key: str) -> tuple[int, int]:
    if not isinstance(span, list) or len(span) != 2:
        raise answer.error(f'has "{key}": {ascii(span):.60}, not the first and last character')
    first, last = (answer.checked(one, key, int) for one in span)
    if last < first:
        raise answer.error(f'has "{key}": {span}, whose last character is before its first')
    return first, last
