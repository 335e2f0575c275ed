"""The answers of one question, in the forms that files give them."""

from typing import Any

from squadqa.data.squad.fields import Field
from squadqa.data.squad.places import NOWHERE

Answers = tuple[list[str], list[int | None]]
"""Texts, and their first characters in the context; None where only the text is given."""


def answers_of(row: Field, key: str, start_key: str) -> Answers:
    """Read the answers of a row.

    They are an object {"text", "answer_start"} of lists, as in `datasets`, or of one text and its
    place; a list of such objects, as in SQuAD's files; a list of texts; or one text. Texts may have
    their places in a field of the row.

    Args:
        row: The row.
        key: The field of the answers; missing, null or an empty text means that there are none.
        start_key: The field of the places of texts.

    Raises:
        DataError: They have another form.
    """
    value = row.raw(key)
    if value is None or value == "":
        return [], []
    if isinstance(value, dict):
        named = Field(value, f"{row.where} {key}", row.source, shape=row.shape)
        if not isinstance(value.get("text"), str):
            texts = named.values("text", str)
            return texts, _starts(named, "answer_start", texts, about=row)
        return [named.get("text", str)], [named.start("answer_start")]
    if isinstance(value, str):
        return [row.get(key, str)], _starts(row, start_key, [value], about=row)
    if not isinstance(value, list):
        raise row.error(f'has "{key}": {ascii(value):.60}, not an object, a list or a text')
    if value and all(isinstance(one, dict) for one in value):
        items = list(row.items(key))
        return [one.get("text", str) for one in items], [one.start("answer_start") for one in items]
    texts = row.values(key, str)
    return texts, _starts(row, start_key, texts, about=row)


def without_contradiction(
    question: Field, is_impossible: bool | None, texts: list[str], starts: list[int | None]
) -> Answers:
    """Check the answers of a question that may be said to have none.

    Args:
        question: The question, for messages.
        is_impossible: Whether it is said to have none.
        texts: Its answers.
        starts: Their first characters.

    Returns:
        The answers; none if it has none, as some files give an empty text there.

    Raises:
        DataError: It is said to have none, and has some.
    """
    if not is_impossible:
        return texts, starts
    if said := [text for text in texts if text.strip()]:
        raise question.error(f'has "is_impossible": true, and the answer {ascii(said[0]):.60}')
    return [], []


def _starts(field: Field, key: str, texts: list[str], *, about: Field) -> list[int | None]:
    """Read the places of texts: a list, or one number for one text; missing ones are None."""
    value: Any = field.raw(key)
    if value is None:
        return [None] * len(texts)
    if not isinstance(value, list):
        if len(texts) != 1:
            raise about.error(f'has {len(texts)} answer texts but one "{key}"')
        return [field.start(key)]
    starts = [
        None if one is None else field.checked(one, f"{key}[{index}]", int)
        for index, one in enumerate(value)
    ]
    if len(texts) != len(starts):
        raise about.error(f"has {len(texts)} answer texts but {len(starts)} answer starts")
    return [None if one == NOWHERE else one for one in starts]
