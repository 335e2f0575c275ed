"""Fields of parsed data, each checked for its kind, with its place in every message."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from squadqa.data.squad.places import NOWHERE
from squadqa.errors import DataError, did_you_mean

LARGEST = 2**31 - 1
"""Largest number that is kept, far beyond the length of any text."""

LONGEST_ID = 64
"""The most bits of a whole number that is an identifier."""

_KINDS = {
    str: "a string",
    int: "a whole number",
    list: "a list",
    dict: "an object",
    bool: "true or false",
}


@dataclass(frozen=True)
class Shape:
    """What a file of a format looks like, for messages.

    Args:
        name: The format's name, after "is not".
        expected: The form of its values, as one sentence.
    """

    name: str
    expected: str


NESTED = Shape(
    "SQuAD v1.1",
    'Expected {"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers": '
    '[{"text", "answer_start"}]}]}]}]}.',
)
FLAT = Shape(
    "SQuAD v1.1",
    'Expected rows of {"id", "title", "context", "question", "answers": {"text": [...], '
    '"answer_start": [...]}}; --columns question=NAME,... maps other names.',
)
MRQA = Shape(
    "MRQA",
    'Expected lines of {"context", "qas": [{"qid", "question", "answers": [...], '
    '"detected_answers": [{"text", "char_spans": [[first, last], ...]}]}]}.',
)


class Field:
    """A value with its place, which reads the fields of an object.

    Args:
        value: The value, of any kind.
        where: Its place in the file; empty for the file as a whole.
        source: The file's name.
        shape: What is expected.
    """

    def __init__(self, value: Any, where: str, source: str, *, shape: Shape = NESTED) -> None:
        self.value = value
        self.where = where
        self.source = source
        self.shape = shape

    def error(self, problem: str, *, hint: str = "") -> DataError:
        """Make the error for a value of another form.

        Args:
            problem: What is wrong with it; the place stands before.
            hint: What was probably meant.
        """
        return DataError(
            f'"{self.source}" is not {self.shape.name}: {self.where or "the file"} {problem}',
            hint=hint,
            next_step=self.shape.expected,
        )

    def get(self, key: str, kind: type[Any], default: Any = None) -> Any:
        """Read a field; null counts as missing.

        Args:
            key: Its name.
            kind: The kind of its value.
            default: What is taken where it is missing; None refuses that.

        Raises:
            DataError: It is missing, or of another kind.
        """
        value = self.raw(key)
        if value is None:
            value = default
        if value is None:
            raise self.error(f'misses "{key}"', hint=self._nearest(key))
        return self.checked(value, key, kind)

    def optional(self, key: str, kind: type[Any]) -> Any:
        """Read a field that may be missing or null: then it is None."""
        value = self.raw(key)
        return None if value is None else self.checked(value, key, kind)

    def id(self, key: str) -> str:
        """Read an identifier: a string, or a whole number, which becomes one."""
        value = self.raw(key)
        if type(value) is int and value.bit_length() <= LONGEST_ID:
            return str(value)
        return str(self.get(key, str))

    def start(self, key: str) -> int | None:
        """Read the first character of an answer; None if it is missing, null or `NOWHERE`."""
        value = self.optional(key, int)
        return None if value == NOWHERE else value

    def values(self, key: str, kind: type[Any]) -> list[Any]:
        """Read a list of values of one kind; a missing list is empty."""
        return [
            self.checked(value, f"{key}[{index}]", kind)
            for index, value in enumerate(self.get(key, list, []))
        ]

    def items(self, key: str, default: Any = None) -> Iterator["Field"]:
        """Iterate over a list of objects."""
        prefix = f"{self.where}." if self.where else ""
        for index, value in enumerate(self.get(key, list, default)):
            yield Field(value, f"{prefix}{key}[{index}]", self.source, shape=self.shape)

    def checked(self, value: Any, key: str, kind: type[Any]) -> Any:
        """Return a value of this field's if it is of a kind.

        Args:
            value: The value.
            key: Its name.
            kind: The kind.

        Raises:
            DataError: It is of another kind, out of range, or no text.
        """
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(f'has "{key}": {ascii(value):.60}, not {_KINDS[kind]}')
        if kind is int and abs(value) > LARGEST:
            raise self.error(f'has "{key}": {value!r:.60}, which is out of range')
        if kind is str:
            try:
                value.encode()
            except UnicodeEncodeError as error:
                found = ascii(value[error.start : error.start + 20])
                raise self.error(f'has "{key}" with half a surrogate pair at {found}') from error
        return value

    def raw(self, key: str) -> Any:
        """Return the value of a field, of any kind; None if it is missing.

        Raises:
            DataError: This is no object.
        """
        if not isinstance(self.value, dict):
            raise self.error(f"is {ascii(self.value):.60}, not an object")
        return self.value.get(key)

    def _nearest(self, key: str) -> str:
        """Suggest the field that was probably meant."""
        names = [name for name in self.value if isinstance(name, str) and name.isprintable()]
        hint = did_you_mean(key, names)
        return hint if hint.startswith("Did") else ""
