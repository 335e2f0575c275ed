"""Questions that come in memory, about a text of no file."""

from collections.abc import Sequence

from squadqa.data.squad.read import SquadData

IN_MEMORY = "question"
"""Prefix of the ids of questions about a new text."""


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
