"""Questions about a new text: checks of both, and how they become data."""

from collections.abc import Sequence

from squadqa.data.squad import SquadData
from squadqa.errors import DataError

IN_MEMORY = "question"
"""Prefix of the ids of questions about a new text."""


def require_text(name: str, text: str) -> None:
    """Check that a text can be read.

    Args:
        name: What it is: "context" or "question".
        text: The text.

    Raises:
        DataError: It is empty, or has half a surrogate pair.
    """
    if not text.strip():
        raise DataError(f"the {name} is empty: {text!r}", next_step=f"Give a {name}.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"the {name} has half a surrogate pair at character {error.start}: "
            f"{ascii(text[error.start])}",
            next_step="Decode it from its bytes in the right encoding.",
        ) from error


def new_questions(context: str, questions: Sequence[str]) -> SquadData:
    """Make questions about one text, without reference answers.

    Args:
        context: The text that contains the answers.
        questions: The questions.
    """
    return SquadData(
        titles=[""],
        contexts=[context],
        ids=[f"{IN_MEMORY}-{number}" for number in range(len(questions))],
        questions=list(questions),
        paragraphs=[0] * len(questions),
        answer_texts=[[] for _ in questions],
        answer_starts=[[] for _ in questions],
    )
