"""Errors that a user can cause, worded so that the user can fix them."""

import difflib
import math
import reprlib
from collections.abc import Iterable
from typing import Any

LONGEST_LINE = 1000
"""Characters of a line of a message; a longer one is cut in its middle."""

LONGEST_NAME = 100
"""Characters of a name that a hint suggests or lists."""

MOST_COMPARED, MOST_LISTED = 2000, 40
"""The most names that a hint compares with what the user wrote, and the most that it lists."""


HUGE = 1000
"""Bits of a whole number that is not written out."""


class SquadQAError(ValueError):
    """A mistake in input, options or environment: what is wrong, a hint, the next step.

    Args:
        what: What is wrong, where, and the offending value. One line; as the others, it is cut
            after `LONGEST_LINE` characters.
        hint: What was probably meant, or why it is wrong. One line, may be empty.
        next_step: What to do about it. One line, may be empty.
    """

    def __init__(self, what: str, *, hint: str = "", next_step: str = "") -> None:
        self.what = shortened(what, LONGEST_LINE)
        self.hint = shortened(hint, LONGEST_LINE)
        self.next_step = shortened(next_step, LONGEST_LINE)
        lines = (self.what, self.hint, self.next_step)
        super().__init__("\n".join(line for line in lines if line))


class DataError(SquadQAError):
    """A data file that cannot be read, has another shape, or contradicts itself."""


class VectorsError(SquadQAError):
    """Word vectors that cannot be found or read."""


class CheckpointError(SquadQAError):
    """A run folder or checkpoint that cannot be used."""


class UntrustedError(CheckpointError):
    """A run folder that names what needs the user's word: `--trust NAME`, or `trust` in Python.

    Args:
        what: What names it, and where.
        name: The name to trust.
        hint: Why it needs the user's word.
    """

    def __init__(self, what: str, *, name: str, hint: str = "") -> None:
        self.name = name
        self._said = shortened(name, LONGEST_LINE // 3)  # the message has it several times
        super().__init__(what, hint=hint, next_step=f"If you trust it, add --trust {self._said}.")

    def __str__(self) -> str:  # for Python; the command line prints the parts
        return f'{super().__str__().removesuffix(".")}, or trust=["{self._said}"] in Python.'


class ConfigError(SquadQAError):
    """A configuration that names something that does not exist, or that cannot work."""


class OutputError(SquadQAError):
    """A file or folder that cannot be written."""


def shortened(text: str, most: int) -> str:
    """Leave out the middle of a text that is too long.

    Args:
        text: The text.
        most: The most characters to keep.
    """
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end - 3]} … {text[len(text) - end :]}"


class _Beginnings(reprlib.Repr):
    """Writes the beginning of a value like `repr`, in a time that does not depend on its size."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 2 * LONGEST_NAME

    def repr1(self, value: Any, level: int) -> str:
        if isinstance(value, dict):  # subclasses too, such as state dicts
            return self.repr_dict(value, level)
        if (shape := getattr(value, "shape", None)) is not None:
            return f"an array of shape {tuple(shape)}"
        if isinstance(value, int) and value.bit_length() > HUGE:  # Python would refuse to write it
            return f"a whole number of {value.bit_length():,} bits"
        return super().repr1(value, level)


_BEGINNINGS = _Beginnings()


def shown(value: Any, most: int = 60) -> str:
    """Return a value from outside as Python writes it, for a message; of an array its shape.

    Args:
        value: The value, which may be of any size.
        most: The most characters to keep.
    """
    return shortened(_BEGINNINGS.repr(value), most)


def require_range(low: float, high: float = math.inf, /, **values: float | None) -> None:
    """Check that options are in their range.

    Args:
        low: The smallest value.
        high: The largest value; infinite without one, and then no value may be infinite.
        **values: The options by name; None is not checked.

    Raises:
        ConfigError: One is out of its range, or not a number.
    """
    for name, value in values.items():
        if value is not None and not (low <= value <= high and math.isfinite(value)):
            limits = f"{low:g} or more" if high == math.inf else f"from {low:g} to {high:g}"
            raise ConfigError(f"{name} cannot be {value}", hint=f"It is {limits}.")


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Suggest the known name that is closest to what the user wrote.

    Args:
        word: What the user wrote.
        choices: The known names.

    Returns:
        A question such as `Did you mean "fit"?`, or the list of all names if none is close; of many
        names the first ones. Names of more than `LONGEST_NAME` characters are not compared.
    """
    known = sorted(set(choices))
    if len(word) <= LONGEST_NAME:
        like = [name for name in known if len(name) <= LONGEST_NAME]
        like = sorted(like, key=lambda name: abs(len(name) - len(word)))[:MOST_COMPARED]
        near = difflib.get_close_matches(word, like, n=1, cutoff=0.6)
        if near:
            return f'Did you mean "{near[0]}"?'
    if not known:
        return ""
    listed = ", ".join(f'"{shortened(name, LONGEST_NAME)}"' for name in known[:MOST_LISTED])
    more = len(known) - MOST_LISTED
    return f"Known: {listed}, and {more:,} more." if more > 0 else f"Known: {listed}."
