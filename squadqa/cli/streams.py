"""The standard streams: where text meets the terminal, or a pipe, a file, or nothing at all.

A text may be anyone's: a question, an id, a file's name in an error. So no control character of it
reaches a terminal, a character that the terminal's encoding lacks is written as its number, and a
stream that is closed or full is no reason for a traceback.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from squadqa.errors import OutputError

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
"""What turns emphasis on a terminal on and off."""

REDRAW = "\r\x1b[K"
"""What begins a line that is written over the last one."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_EMPHASIS = re.compile("(\x1b\\[1m|\x1b\\[0m)")
_START_OF_LINE = re.compile(f"(?:{re.escape(REDRAW)}|\r)?")
# Control characters but for tabs and line ends; and those that turn the direction of writing, which
# make a text look like another.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Write the control characters of a text as their numbers, as Python does in its strings.

    Args:
        text: The text. Tabs and line ends stay, and colours are left out.
    """
    text = _COLOURS.sub("", text.replace("\r\n", "\n"))
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class SafeStream:
    """A text stream that writes texts as `visible` makes them; all else is the stream's own.

    On a terminal, squadqa's own emphasis stays, and so does a carriage return at the start of what
    is written: progress is redrawn in place.

    Args:
        stream: The stream.
        name: What to call it in an error; empty to lose what cannot be written, without an error.
    """

    def __init__(self, stream: TextIO, *, name: str) -> None:
        self._stream = stream
        self._name = name

    def write(self, text: str) -> int:
        """Write a text, and return its length.

        Raises:
            BrokenPipeError: The program that reads the stream has ended.
            OutputError: The stream cannot be written.
        """
        with self._failing():
            self._stream.write(self._safe(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write texts one after another."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what waits to be written.

        Raises:
            BrokenPipeError: The program that reads the stream has ended.
            OutputError: The stream cannot be written.
        """
        with self._failing():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _safe(self, text: str) -> str:
        if not self._stream.isatty():
            return visible(text)
        start = _START_OF_LINE.match(text)
        lead = start[0] if start else ""
        end = "\r" if lead and len(text) > len(lead) and text.endswith("\r") else ""
        parts = _EMPHASIS.split(text[len(lead) : len(text) - len(end)])
        return lead + "".join(p if p in (BOLD, PLAIN) else visible(p) for p in parts) + end

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # What still waits is written when the program ends, which must not fail a second time.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            if not self._name:
                return
            if isinstance(error, BrokenPipeError):
                raise
            raise OutputError(
                f"cannot write {self._name}: {error.strerror or error}",
                next_step="Free space there, or send the output elsewhere.",
            ) from error


@contextmanager
def safe_streams() -> Iterator[None]:
    """Make the standard streams safe in the block; one that is closed becomes an empty one."""
    _open_missing_descriptors()
    saved = sys.stdin, sys.stdout, sys.stderr
    opened = [open(os.devnull, mode) for mode in ("r", "w", "w")]  # noqa: SIM115  # closed below
    # `or` would ask a stream for its truth.
    stdin, stdout, stderr = (
        instead if stream is None else stream for stream, instead in zip(saved, opened, strict=True)
    )
    encoded: list[Any] = [stream for stream in (stdout, stderr) if hasattr(stream, "reconfigure")]
    errors = [str(stream.errors) for stream in encoded]
    for stream in encoded:
        stream.reconfigure(errors="backslashreplace")
    sys.stdin = stdin
    sys.stdout = cast(TextIO, SafeStream(stdout, name="standard output"))
    sys.stderr = cast(TextIO, SafeStream(stderr, name=""))
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        sys.stdin, sys.stdout, sys.stderr = saved
        for stream, own in zip(encoded, errors, strict=True):
            stream.reconfigure(errors=own)
        for stream in opened:
            stream.close()


def _open_missing_descriptors() -> None:
    """Open the three descriptors that are closed: else a data file gets the number of one."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
