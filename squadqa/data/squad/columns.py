"""The names of the columns that a source of rows has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Self

from squadqa.errors import ConfigError, DataError, did_you_mean, shortened

_FORM = "The form is question=NAME,context=NAME, with the names that the columns have."

MOST_LISTED, MOST_SHOWN = 20, 40
"""Columns that a message lists, and characters that it shows of a name."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a source of rows are called: JSON lines, CSV, TSV, or `datasets`.

    Args:
        question: The question.
        context: The text that holds the answer.
        id: The identifier of the question; without such a column, it is the row's number.
        title: The title of the context's article.
        answers: Several answers, or one with its place in an object.
        answer: One answer as text; read where `answers` is not there.
        answer_start: The first character of the answer in the context, or a list of them.
        is_impossible: Whether the context has no answer.
    """

    question: str = "question"
    context: str = "context"
    id: str = "id"
    title: str = "title"
    answers: str = "answers"
    answer: str = "answer"
    answer_start: str = "answer_start"
    is_impossible: str = "is_impossible"

    @classmethod
    def of(cls, names: "str | Mapping[str, str] | Columns | None") -> Self:
        """Read the names that a user gave.

        Args:
            names: Such as "question=q,context=text", or a mapping; None for the usual names.

        Raises:
            ConfigError: It has another form, or names no column.
        """
        if isinstance(names, cls):
            return names
        if isinstance(names, str):
            pairs = [part.partition("=") for part in names.split(",")]
            if not all(equals and key.strip() and name.strip() for key, equals, name in pairs):
                raise ConfigError(f'columns cannot be "{names}"', next_step=_FORM)
            chosen = [(key.strip(), name.strip()) for key, _, name in pairs]
        elif names is None or isinstance(names, Mapping):
            chosen = list((names or {}).items())
        else:
            raise ConfigError(f"columns cannot be {names!r:.100}", next_step=_FORM)
        known = [field.name for field in fields(cls)]
        for place, (key, name) in enumerate(chosen):
            if key not in known:
                raise ConfigError(
                    f'columns name "{key}", which no question has',
                    hint=did_you_mean(str(key), known),
                    next_step=_FORM,
                )
            if not isinstance(name, str):
                raise ConfigError(f'the column "{key}" cannot be {name!r:.60}', next_step=_FORM)
            if key in (before for before, _ in chosen[:place]):
                raise ConfigError(f'columns name "{key}" twice', next_step=_FORM)
        return cls(**dict(chosen))

    @property
    def changed(self) -> dict[str, str]:
        """The names that differ from the usual ones."""
        return {
            field.name: name
            for field in fields(self)
            if (name := getattr(self, field.name)) != field.default
        }

    @property
    def has_several(self) -> bool:
        """Whether `answers` is read: unless the user named the column of one answer only."""
        return self.is_named("answers") or not self.is_named("answer")

    def is_named(self, column: str) -> bool:
        """Return whether the user gave a column another name, so that it has to be there."""
        return column in self.changed

    def require_in(self, there: Iterable[str], source: str) -> None:
        """Check that a source has the columns that it needs, and all that the user named.

        Args:
            there: The columns that it has.
            source: Its name, for messages.

        Raises:
            DataError: One is missing.
        """
        names = list(there)
        needed = {"question": self.question, "context": self.context, **self.changed}
        for key, name in needed.items():
            if name not in names:
                raise DataError(
                    f'"{source}" has no column "{name}" for the {key.replace("_", " ")}',
                    hint=_those_there(name, names),
                    next_step=f"Name the column that it has: --columns {key}=NAME,...",
                )


def _those_there(name: str, names: list[str]) -> str:
    """Suggest a column, and list all: whoever has one other name usually has several."""
    if not names:
        return "It has no columns."
    nearest = did_you_mean(name, names)
    if nearest.startswith("Known: "):
        return nearest
    listed = ", ".join(f'"{shortened(one, MOST_SHOWN)}"' for one in names[:MOST_LISTED])
    return f"{nearest} It has {listed}{', ...' if names[MOST_LISTED:] else ''}."
