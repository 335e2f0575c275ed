"""A plain text with questions about it, which have no answers yet."""

from collections.abc import Iterator

from squadqa.data.squad.row import Row
from squadqa.errors import DataError


def rows_of(context: str, source: str, questions: str, questions_source: str) -> Iterator[Row]:
    """Iterate over the questions about one text.

    Args:
        context: The text, which is kept as it is.
        source: Its name.
        questions: The questions, one a line; blank lines are left out. A question's identifier is
            the number of its line.
        questions_source: Their name, for messages.

    Raises:
        DataError: There are no questions.
    """
    lines = [line.strip() for line in questions.split("\n")]
    if not any(lines):
        raise DataError(
            f'"{questions_source}" holds no questions about "{source}"',
            next_step="Write one question a line.",
        )
    for number, question in enumerate(lines, start=1):
        if question:
            yield Row(
                where=f'line {number} of "{questions_source}"',
                article="",
                paragraph=source,
                title="",
                context=context,
                id=str(number),
                question=question,
                texts=[],
                starts=[],
            )
