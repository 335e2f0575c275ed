"""How a source is read, beyond its name: columns, answers without places, questions of a text."""

from dataclasses import dataclass
from typing import Any

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.places import FindAnswers


@dataclass(frozen=True)
class Reading:
    """How a source is read.

    Args:
        columns: What the columns of rows are called. Formats with fixed names do not need it.
        find_answers: What to do with an answer whose place is not given; see `FindAnswers`.
        questions: The file of questions about a source that is a plain text; None for a source
            with questions of its own.
    """

    columns: Columns = Columns()
    find_answers: FindAnswers = "error"
    questions: str | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What the questions depend on beside the content of files, for a cache's fingerprint."""
        return {
            **({"columns": self.columns.changed} if self.columns.changed else {}),
            **({"find_answers": self.find_answers} if self.find_answers != "error" else {}),
            **({"is_text": True} if self.questions is not None else {}),
        }
