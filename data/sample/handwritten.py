"""The shape of an article, and the articles in handwritten.txt."""

import re
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Answer:
    """A piece of a paragraph.

    Args:
        text: The piece itself.
        start: Its first character in the paragraph.
    """

    text: str
    start: int


@dataclass(frozen=True)
class Question:
    """A question about a paragraph.

    Args:
        text: The question.
        answers: Its answers, the plainest first.
        type: The answer's type, as entities.TYPES has them; empty for one written by hand.
    """

    text: str
    answers: tuple[Answer, ...]
    type: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph and what is asked about it.

    Args:
        context: The text.
        questions: The questions.
        entities: The values that the text tells, by type; empty for one written by hand.
    """

    context: str
    questions: tuple[Question, ...]
    entities: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Article:
    """Paragraphs under one title."""

    title: str
    paragraphs: tuple[Paragraph, ...]


def read_articles(split: str) -> list[Article]:
    """Read the articles of one split, "train" or "dev".

    Raises:
        ValueError: A marked answer is not found exactly once.
    """
    articles = []
    # What stands before the first heading explains the file.
    for block in re.split(r"^# ", read("handwritten.txt"), flags=re.MULTILINE)[1:]:
        heading, *paragraphs = re.split(r"\n{2,}", block.strip())
        of, title = heading.split(": ")
        if of == split:
            articles.append(Article(title, tuple(_paragraph(text) for text in paragraphs)))
    return articles


def read(name: str) -> str:
    """Read a file that stands beside this one."""
    return (HERE / name).read_text(encoding="utf-8")


def _paragraph(text: str) -> Paragraph:
    body, *questions = re.split(r"^\? ", text, flags=re.MULTILINE)
    context = " ".join(body.split())
    return Paragraph(context, tuple(_question(lines, context) for lines in questions))


def _question(text: str, context: str) -> Question:
    question, *marked = text.strip().split("\n")
    answers = (_answer(line.removeprefix("= "), context) for line in marked)
    return Question(question, tuple(answers))


def _answer(marked: str, context: str) -> Answer:
    """Find "answer", or "words before [answer] words after"."""
    before, bracket, rest = marked.rpartition("[")
    text = rest.partition("]")[0] if bracket else marked
    found = [m.start() for m in re.finditer(re.escape(re.sub(r"[][]", "", marked)), context)]
    if len(found) != 1:
        raise ValueError(f'"{marked}" is found {len(found)} times in "{context[:60]}..."')
    return Answer(text, found[0] + len(before))
