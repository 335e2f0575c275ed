"""One question as a source has it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One question as it is in the source.

    Args:
        where: The question's place in the source, for messages.
        article: The place of its article; empty in a format that does not group paragraphs by
            articles.
        paragraph: Its paragraph: consecutive rows of one paragraph have the same.
        title: The title of its article; may be empty.
        context: The text of its paragraph.
        id: Its identifier.
        question: Its text.
        texts: Its references, none or more.
        starts: The first character of each reference in the context; None where the source gives
            only the text.
        is_impossible: Whether the source says that the context has no answer (SQuAD v2.0); None
            where it does not say.
    """

    where: str
    article: str
    paragraph: str
    title: str
    context: str
    id: str
    question: str
    texts: list[str]
    starts: list[int | None]
    is_impossible: bool | None = None
