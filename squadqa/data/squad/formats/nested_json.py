"""SQuAD's own format, v1.1 and v2.0: one JSON object of articles, paragraphs and questions.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250) and Rajpurkar et al. 2018 (arXiv 1806.03822),
whose files say `is_impossible` of each question.
"""

from collections.abc import Iterator
from typing import Any

from squadqa.data.squad.fields import Field
from squadqa.data.squad.formats.answers import without_contradiction
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
