import pickle
import time
from collections import OrderedDict

import numpy as np
import pytest

from squadqa.errors import (
    ConfigError,
    DataError,
    SquadQAError,
    UntrustedError,
    did_you_mean,
    shortened,
    shown,
)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "None"),
        ("a\nb", r"'a\nb'"),
        ({"a": [1, 2.5, (True,)]}, "{'a': [1, 2.5, (True,)]}"),
        (np.zeros((30, 20)), "an array of shape (30, 20)"),
        ([np.zeros(3)], "[an array of shape (3,)]"),
        (1 << 5000, "a whole number of 5,001 bits"),
        ({1 << 5000: 1}, "{a whole number of 5,001 bits: 1}"),
    ],
)
def test_a_value_is_shown(value: object, said: str) -> None:
    assert shown(value) == said


def test_a_value_is_shown_without_writing_all_of_it() -> None:
    """A tensor of a million values took 10 s, an OrderedDict of them as long."""

    class Slow:
        shape = (10, 10)

        def __repr__(self) -> str:
            raise AssertionError

    for value in (Slow(), [Slow()], {"a": {"b": Slow()}}, OrderedDict(a=Slow())):
        assert "an array of shape (10, 10)" in shown(value)
    for value in ("x" * 10**6, ["x"] * 10**6, {number: "x" for number in range(10**5)}):
        assert len(shown(value)) <= 60
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert len(shown(deep)) <= 60


def test_message_has_a_line_for_each_part() -> None:
    error = SquadQAError("what", hint="hint", next_step="next")
    assert str(error) == "what\nhint\nnext"
    assert str(SquadQAError("what", next_step="next")) == "what\nnext"


def test_a_kind_is_caught_as_the_general_error_and_as_a_value_error() -> None:
    for kind in (SquadQAError, ValueError):
        with pytest.raises(kind):
            raise DataError("x")


def test_error_can_be_pickled_with_all_parts() -> None:
    error = ConfigError("what", hint="hint", next_step="next")
    copied = pickle.loads(pickle.dumps(error))
    assert isinstance(copied, ConfigError)
    assert str(copied) == str(error)
    assert (copied.what, copied.hint, copied.next_step) == ("what", "hint", "next")


@pytest.mark.parametrize(
    ("word", "choices", "said"),
    [
        ("ft", ["test", "fit"], 'Did you mean "fit"?'),
        ("zzz", ["test", "fit"], 'Known: "fit", "test".'),
        ("zzz", [], ""),
    ],
)
def test_did_you_mean(word: str, choices: list[str], said: str) -> None:
    assert did_you_mean(word, choices) == said


def test_a_suggestion_is_short_and_quick_however_long_the_names() -> None:
    began = time.process_time()
    names = [f"{'x' * 50_000}{number}" for number in range(200)]
    said = did_you_mean("x" * 60_000, names)
    assert len(said) < 100 * 45
    assert said.endswith(", and 160 more.")
    many = [f"run-{number}" for number in range(100_000)]
    assert did_you_mean("run-99999x", many).startswith("Did you mean")
    assert time.process_time() - began < 5


def test_a_line_of_a_message_is_cut_in_its_middle() -> None:
    error = DataError("begin " + "x" * 10**6 + " end", hint="y" * 1000, next_step="z" * 1001)
    assert [len(part) for part in (error.what, error.hint, error.next_step)] == [1000] * 3
    assert error.what.startswith("begin xxx")
    assert error.what.endswith("xxx end")
    assert " … " in error.what
    assert "…" not in error.hint


@pytest.mark.parametrize("most", [10, 99, 1000])
def test_a_shortened_text_is_as_long_as_it_may_be(most: int) -> None:
    assert len(shortened("x" * 2000, most)) == most
    assert shortened("x" * most, most) == "x" * most


def test_a_name_to_trust_is_said_twice_but_not_at_any_length() -> None:
    error = UntrustedError('"run" names "mine.Reader"', name="mine.Reader", hint="It runs code.")
    assert error.next_step == "If you trust it, add --trust mine.Reader."
    assert str(error).endswith('add --trust mine.Reader, or trust=["mine.Reader"] in Python.')
    long = UntrustedError(f'"run" names "{"a" * 9000}"', name="a" * 9000)
    assert len(str(long)) < 2000
    assert long.name == "a" * 9000
