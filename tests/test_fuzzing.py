"""The loop of the fuzzing tests: it sees each kind of fault, and inputs that try nothing."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from squadqa.errors import DataError
from squadqa.training.held_memory import KEPT_BYTES
from tests.support import fuzzing
from tests.support.fuzzing import changed, fuzz, mutated


def refuse(random: Random) -> None:
    raise DataError("no")


def decode_nothing(random: Random) -> None:
    try:
        json.loads("")
    except ValueError as error:
        raise DataError("no JSON") from error


def too_much() -> int:
    """Bytes beyond the limit, also where an earlier test's training has kept freed memory."""
    return fuzzing.MOST_MEMORY + 2 * KEPT_BYTES


def swallow_memory(random: Random) -> None:
    try:
        bytearray(too_much())
    except Exception as error:
        raise DataError("something is wrong") from error


def compute_forever(random: Random) -> None:
    try:
        while True:
            pass
    except Exception as error:
        raise DataError("too slow") from error


def compute_long(random: Random) -> None:
    """Compute in one call that no signal interrupts."""
    sum(range(10_000_000))


def say_too_much(random: Random) -> None:
    error = DataError("no")
    error.args = ("x" * 10_000,)
    raise error


@pytest.mark.parametrize(
    ("attempt", "found"),
    [
        (lambda random: {}["x"], "KeyError"),
        (lambda random: sys.exit(2), "SystemExit"),
        (lambda random: bytearray(too_much()), "MemoryError"),
        (swallow_memory, "memory at"),
        (compute_forever, "TookTooLong"),
        (compute_long, "TookTooLong"),
        (say_too_much, "message of"),
        (lambda random: Path("/no/such/file").read_text(), "FileNotFoundError"),
    ],
)
def test_a_planted_fault_is_found_among_others(
    attempt: Callable[[Random], Any], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzzing, "MOST_SECONDS", 0.05)
    monkeypatch.setattr(fuzzing, "MOST_MEMORY", 1 << 28)

    def one_of_them(random: Random) -> None:
        if random.random() < 0.2:  # the second input is the first of these
            attempt(random)

    with pytest.raises(pytest.fail.Exception, match=rf"somewhere: .*{found}.*input 1\b"):
        fuzz(one_of_them, 8, kept=Path("somewhere"))


def test_accepted_and_refused_inputs_are_counted() -> None:
    assert fuzz(lambda random: None, 20, kept=Path("x")) == (20, 0)
    assert fuzz(refuse, 20, kept=Path("x")) == (0, 20)


def test_inputs_that_only_try_a_parser_are_too_few() -> None:
    with pytest.raises(AssertionError, match="20 of 20 were refused by a parser"):
        fuzz(decode_nothing, 20, kept=Path("x"))


def test_changes_depend_on_the_number_only_and_leave_the_original() -> None:
    text, value = b'{"a": [1, 2]}' * 20, {"a": [1, {"b": "c"}], "d": None}
    before = json.dumps(value)
    for number in range(50):
        assert mutated(Random(number), text) == mutated(Random(number), text)
        assert repr(changed(Random(number), value)) == repr(changed(Random(number), value))
    assert json.dumps(value) == before
    assert len({mutated(Random(number), text) for number in range(50)}) > 45
    assert len({repr(changed(Random(number), value)) for number in range(50)}) > 35
