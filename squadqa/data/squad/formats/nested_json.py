"""SQuAD's own format, v1.1 and v2.0: one JSON object of articles, paragraphs and questions.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250) and Rajpurkar et al. 2018 (arXiv 1806.03822),
whose files say `is_impossible` of each question.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from squadqa.data.squad.fields import Field
from squadqa.data.squad.formats.answers import without_contradiction
from squadqa.data.squad.places import NOWHERE
from squadqa.data.squad.row import Row


def rows_of(value: Any, source: str) -> Iterator[Row]:
    """Iterate over the questions of a parsed file.

    Args:
        value: Its JSON value.
        source: Its name, for messages.

    Raises:
        DataError: It has another form; the message says where.
    """
    for article in Field(value, "", source).items("data"):
        title = article.get("title", str, "")
        for paragraph in article.items("paragraphs"):
            context = paragraph.get("context", str)
            for question in paragraph.items("qas"):
                answers = list(question.items("answers", []))
                texts = [answer.get("text", str) for answer in answers]
                starts = [answer.start("answer_start") for answer in answers]
                is_impossible = question.optional("is_impossible", bool)
                texts, starts = without_contradiction(question, is_impossible, texts, starts)
                yield Row(
                    where=question.where,
                    article=article.where,
                    paragraph=paragraph.where,
                    title=title,
                    context=context,
                    id=question.id("id"),
                    question=question.get("question", str),
                    texts=texts,
                    starts=starts,
                    is_impossible=is_impossible,
                )


def dumped(rows: Sequence[Row]) -> Iterator[str]:
    """Write questions as a file: of v2.0 if one of them says whether it is impossible, else v1.1.

    Args:
        rows: The questions, those of a paragraph and of an article together.

    Yields:
        The text in parts.
    """
    version = "v2.0" if any(row.is_impossible is not None for row in rows) else "1.1"
    yield f'{{"version": "{version}", "data": ['
    for number, (_, article) in enumerate(groupby(rows, key=_article)):
        paragraphs = [list(of_one) for _, of_one in groupby(article, key=_paragraph)]
        value = {
            "title": paragraphs[0][0].title,
            "paragraphs": [
                {"context": of_one[0].context, "qas": [_question(row) for row in of_one]}
                for of_one in paragraphs
            ],
        }
        yield (",\n" if number else "\n") + json.dumps(value, ensure_ascii=False)
    yield "\n]}\n"


def _article(row: Row) -> tuple[str, str]:
    """What the rows of an article have in common; without a title, a paragraph is one."""
    return row.article, row.title if row.title.strip() or row.article else row.paragraph


def _paragraph(row: Row) -> tuple[str, str]:
    return row.paragraph, row.context


def _question(row: Row) -> dict[str, Any]:
    answers = [
        {"text": text, "answer_start": NOWHERE if start is None else start}
        for text, start in zip(row.texts, row.starts, strict=True)
    ]
    says = {} if row.is_impossible is None else {"is_impossible": row.is_impossible}
    return {"id": row.id, "question": row.question, "answers": answers, **says}
