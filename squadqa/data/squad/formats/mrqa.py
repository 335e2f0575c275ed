"""MRQA's format: a header line, then one JSON object a line for each context.

Reference: Fisch et al. 2019 (arXiv 1910.09753). Its contexts hold markers such as [TLE], [PAR] and
[DOC], which are kept: every number counts the characters of the context as it stands. The last
character of a span belongs to it, unlike everywhere else in squadqa.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from squadqa.data.squad.fields import MRQA, Field
from squadqa.data.squad.formats.answers import Answers
from squadqa.data.squad.formats.parsing import parsed_lines
from squadqa.data.squad.row import Row

if TYPE_CHECKING:
    from squadqa.spans import Offsets


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


def dumped(rows: Sequence[Row], *, name: str) -> Iterator[str]:
    """Write questions as lines, one for each context, with the tokens that MRQA's files have.

    An article's title is kept as "title", which other readers of the format do not look at.

    Args:
        rows: The questions, those of a paragraph together.
        name: The name of the data set, for the header.

    Yields:
        The lines, the header first.
    """
    from squadqa.data.tokenization import tokenize  # spaCy takes long to import

    yield json.dumps({"header": {"dataset": name, "split": ""}}, ensure_ascii=False) + "\n"
    for _, of_one in groupby(rows, key=lambda row: (row.paragraph, row.context)):
        together = list(of_one)
        context, title = together[0].context, together[0].title
        tokens = tokenize([context, *(row.question for row in together)])
        cut = [tokens.offset_mapping[a:b] for a, b in pairwise(tokens.bounds)]
        value = {
            "id": "",
            "context": context,
            "context_tokens": _tokens(context, cut[0]),
            "qas": [
                {
                    "id": row.id,
                    "qid": row.id,
                    "question": row.question,
                    "question_tokens": _tokens(row.question, offsets),
                    "detected_answers": _detected(row, cut[0]),
                    "answers": list(dict.fromkeys(row.texts)),
                }
                for row, offsets in zip(together, cut[1:], strict=True)
            ],
            **({"title": title} if title.strip() else {}),
        }
        yield json.dumps(value, ensure_ascii=False) + "\n"


def _tokens(text: str, offsets: "Offsets") -> list[list[Any]]:
    return [[text[start:end], start] for start, end in offsets.tolist()]


def _detected(row: Row, offsets: "Offsets") -> list[dict[str, Any]]:
    """The answers that have a place, each with its places that follow one another."""
    import numpy as np

    from squadqa.spans import tokens_covering

    placed = [
        (text, start)
        for text, start in zip(row.texts, row.starts, strict=True)
        if start is not None and text
    ]
    found = []
    for text, pairs in groupby(placed, key=lambda pair: pair[0]):
        starts = np.array([start for _, start in pairs])
        spans = np.stack(tokens_covering(offsets, starts, starts + len(text)), axis=1)
        found.append(
            {
                "text": text,
                "char_spans": [[start, start + len(text) - 1] for start in starts.tolist()],
                "token_spans": spans.tolist(),
            }
        )
    return found
