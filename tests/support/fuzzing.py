"""Mutations of valid files, and a loop that tries them: only a `SquadQAError` may come out."""

import copy
import os
import resource
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from squadqa.errors import SquadQAError

MANY = int(os.environ.get("SQUADQA_FUZZ_INPUTS", "200"))
"""Inputs of each kind that the slow tests try; docs/trust.md has how 10,000 went."""

MOST_SECONDS = 10.0
"""Seconds of computing that one input may take."""

MOST_MEMORY = 4 << 30
"""Bytes that a process may take more than before."""

LONGEST_MESSAGE = 3100
"""Characters of an error's message: three lines."""

PARSERS = ("json.", "yaml.", "gzip.", "zlib.", "codecs.", "pickle.", "torch.serialization.__init__")
"""Where errors begin about what is no JSON, YAML, packed file or archive at all."""

TOKENS = (
    *(b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r\n", b"\x1b[2J", b'"', b"\\u", b"{"),
    *(b"}", b"[", b"]", b":", b",", b"-", b" ", b"\n", b"null", b"NaN", b"-Infinity", b"1e999"),
    *(b"999999999999999999999", b"0", b"\\ud800", b"&a", b"*a", b"!!python/name:os.system", b"|"),
    *(b"!!int ''", b"!!timestamp x", b"2001-99-99", b"\t", b"? ", b"<<: ", b"- ", b"PK\x03\x04"),
    *(b"\x1f\x8b", b"[" * 3000, b"9" * 5000, b"(" * 500, b"1000000000 300\n", b"\x80\x02", b"."),
)
"""What breaks parsers: put in between, or in place of something."""

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, -0.0, 1e308),
    *(float("nan"), float("inf"), "", " ", "x", "\ud800", "\x1b[2J\x07", "\x00", "é🥐", "a" * 3000),
    *("((" * 300, "../../etc", "/dev/null", [], {}, [[]], [None], {"": None}, ["x"] * 50, "1e999"),
    *({"class_path": "os.system", "init_args": {"command": "false"}}, {"x": {"x": {}}}, "nan"),
)
"""What stands in for a value of a file."""


def mutated(random: Random, content: bytes) -> bytes:
    """Change some bytes: others, fewer, more, moved, cut short."""
    made = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        place = random.randrange(len(made) + 1)
        length = min(len(made) - place, int(2 ** random.uniform(0, 8)))
        match random.randrange(7):
            case 0 if length:
                made[place] ^= 1 << random.randrange(8)
            case 1:
                made[place : place + length] = random.randbytes(length)
            case 2:
                del made[place : place + length]
            case 3:
                made[place:place] = random.choice(TOKENS)
            case 4:
                token = random.choice(TOKENS)
                made[place : place + len(token)] = token
            case 5:
                start = random.randrange(len(made) + 1)
                made[place:place] = made[start : start + length]
            case _ if random.random() < 0.3:
                del made[place:]
    return bytes(made)


def changed(random: Random, value: Any, *, values: tuple[Any, ...] = VALUES) -> Any:
    """Change a copy of a parsed file at some places: other values, missing, doubled, renamed."""
    made = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 2, 3))):
        holders = [one for one in _parts(made) if one]
        if not holders:
            return random.choice(values)
        holder = random.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = random.choice(keys)
        match random.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[random.choice(("", "x", "\ud800", *map(str, keys)))] = holder.pop(key)
            case 2:
                holder[key] = copy.deepcopy(random.choice([one for one in _parts(made)]))
                if random.random() < 0.1:
                    holder[key] = [holder[key]] * 20
            case 3 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case _:
                holder[key] = copy.deepcopy(random.choice(values))
    return made


def _parts(value: Any) -> Iterator[Any]:
    """All lists and objects in a value, itself among them."""
    if isinstance(value, (dict, list)):
        yield value
        for one in value.values() if isinstance(value, dict) else value:
            yield from _parts(one)


def fuzz(attempt: Callable[[Random], Any], count: int, *, kept: Path) -> tuple[int, int]:
    """Try many inputs: each is accepted, or refused by a `SquadQAError` with a short message.

    All inputs are tried, also after one that fails: the message lists what was found. A tenth of
    them has to get past the parsers of libraries, as otherwise only these would be tried. How many
    were refused where is printed.

    Args:
        attempt: Makes one input by the random numbers given, and reads it.
        count: How many.
        kept: The file that `attempt` writes, to name where one fails.

    Returns:
        How many were accepted, and how many refused.
    """
    accepted, refused = 0, Counter[str]()
    faults: dict[str, str] = {}
    slowest = (0.0, 0)  # seconds, and the input's number
    began_all = time.monotonic()
    with limited_memory():
        for number in range(count):
            began = time.process_time()  # a busy machine is no fault; pytest ends what waits
            try:
                with limited_time():
                    attempt(Random(number))
                accepted += 1
            except SquadQAError as error:
                refused[_root(error)] += 1
                if not 0 < len(str(error)) <= LONGEST_MESSAGE:
                    faults.setdefault(f"message of {_root(error)}", f"input {number}: {error}")
                if lacked_memory(error):
                    faults.setdefault(f"memory at {_root(error)}", f"input {number}: {error}")
            except (KeyboardInterrupt, pytest.fail.Exception):
                raise
            except BaseException as error:  # SystemExit too, and Rust's panics
                told = f"input {number}: {type(error).__name__}: {error}"
                faults.setdefault(f"{type(error).__name__} at {_root(error)}", told)
            took = time.process_time() - began
            slowest = max(slowest, (took, number))
            if took >= MOST_SECONDS:
                faults.setdefault("time", f"input {number} took {took:.1f} s")
    shallow = sum(many for place, many in refused.items() if place.startswith(PARSERS))
    print(
        f"{count:,} inputs, {accepted:,} accepted, {refused.total():,} refused, "
        f"{shallow:,} of these by a parser, {time.monotonic() - began_all:.0f} s, "
        f"the slowest {slowest[0]:.2f} s (input {slowest[1]})"
    )
    for place, many in refused.most_common(20):
        print(f"{many:8,} {place}")
    if faults:
        pytest.fail(f"{kept}: " + "; ".join(f"{at}: {one}"[:500] for at, one in faults.items()))
    assert count - shallow >= count / 10, f"{shallow:,} of {count:,} were refused by a parser"
    return accepted, refused.total()


def _root(error: BaseException) -> str:
    """Return where an error began: the place of its first cause, outside of the tests."""
    *_, error = causes(error)
    place = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        name = frame.f_globals.get("__name__", "")
        if not name.startswith("tests."):
            place = f"{name}.{frame.f_code.co_name}"
    kind = type(error).__name__
    return f"codecs.decode ({kind})" if isinstance(error, UnicodeError) else f"{place} ({kind})"


def lacked_memory(error: BaseException) -> bool:
    """Return whether an error was caused by too little memory, which is then no way to refuse."""
    return any(
        isinstance(each, MemoryError) or "can't allocate memory" in str(each)
        for each in causes(error)
    )


def causes(error: BaseException) -> list[BaseException]:
    """List an error and its causes, which must not form a ring."""
    found = [error]
    while (cause := found[-1].__cause__ or found[-1].__context__) is not None:
        assert all(cause is not each for each in found), f"among its own causes: {cause}"
        found.append(cause)
    return found


class TookTooLong(BaseException):  # noqa: N818  # no `except Exception` may take it for its own
    """An input takes more than `MOST_SECONDS`."""


@contextmanager
def limited_time() -> Iterator[None]:
    """Interrupt what computes for more than `MOST_SECONDS`, by `TookTooLong`."""

    def interrupt(number: int, frame: Any) -> None:
        raise TookTooLong(f"more than {MOST_SECONDS:g} s")

    before = signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS, 1.0)  # again, if a destructor swallows it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def limited_memory() -> Iterator[None]:
    """Let this process take `MOST_MEMORY` more than it has, and no more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def few_and_many(few: int, *, seconds: int, many: int = MANY) -> Any:
    """Parametrize a test by `count`: a few inputs each time, `MANY` among the slow tests.

    Args:
        few: Inputs each time.
        seconds: Seconds that 10,000 may take.
        many: Inputs among the slow tests.
    """
    slow = pytest.param(many, marks=pytest.mark.slow(seconds=seconds))
    return pytest.mark.parametrize("count", [few, slow])
