"""How a source is read, beyond its name: columns, answers without places, questions of a text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, get_args

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.places import FindAnswers
from squadqa.errors import ConfigError, did_you_mean


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

    @classmethod
    def of(
        cls,
        columns: "str | Mapping[str, str] | None" = None,
        find_answers: object = "error",
        *,
        questions: str | None = None,
    ) -> Self:
        """Read what a user gave.

        Args:
            columns: Such as "question=q,context=text", or a mapping; None for the usual names.
            find_answers: One of `FindAnswers`.
            questions: As for the class.

        Raises:
            ConfigError: A value is none of these.
        """
        for known in get_args(FindAnswers):
            if find_answers == known:
                return cls(Columns.of(columns), known, questions)
        raise ConfigError(
            f'find_answers cannot be "{find_answers!s:.60}"',
            hint=did_you_mean(str(find_answers), get_args(FindAnswers)),
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What the questions depend on beside the content of files, for a cache's fingerprint."""
        return {
            **({"columns": self.columns.changed} if self.columns.changed else {}),
            **({"find_answers": self.find_answers} if self.find_answers != "error" else {}),
            **({"is_text": True} if self.questions is not None else {}),
        }
