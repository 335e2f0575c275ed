"""Printing for commands: tables, emphasis, JSON, and lines of progress on standard error."""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from squadqa.cli.streams import BOLD, PLAIN, REDRAW

SECONDS_BETWEEN_LINES = 10.0
"""Seconds from one line of progress to the next, where a line cannot be redrawn in place."""


def is_styled(stream: TextIO) -> bool:
    """Tell whether a stream shows emphasis: a terminal, and NO_COLOR is not set."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def bold(text: str, *, stream: TextIO | None = None) -> str:
    """Emphasise a text where its stream shows it.

    Args:
        text: The text.
        stream: Where it will be written; None for standard output.
    """
    return f"{BOLD}{text}{PLAIN}" if is_styled(stream or sys.stdout) else text


def marked(text: str) -> str:
    """Mark a part of a printed text: emphasised, or in brackets where emphasis would not show.

    Args:
        text: The part.
    """
    return bold(text) if is_styled(sys.stdout) else f"[{text}]"


def one_line(text: str) -> str:
    """Put a text on one line: single spaces in place of all white space.

    Args:
        text: The text.
    """
    return " ".join(text.split())


def table(rows: Sequence[Sequence[str]]) -> str:
    """Align rows of cells: the first column to the left, the others to the right.

    Args:
        rows: The rows, each with the same number of cells.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Lay out names and values, one pair on each line, with the values aligned.

    Args:
        pairs: Names and values.
    """
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"{name:{width}}  {value}" for name, value in pairs)


def counted(counts: Mapping[str, int]) -> str:
    """Write counts in one line: each number, then what was counted.

    Args:
        counts: The numbers by what was counted.
    """
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def minutes_text(minutes: float | None) -> str:
    """Show minutes of training.

    Args:
        minutes: How many; None where nothing was trained.
    """
    return "-" if minutes is None else f"{minutes:,.1f}"


def print_json(value: Any) -> None:
    """Print one JSON value, alone on its line."""
    print(json.dumps(value, allow_nan=False))


class ProgressLines:
    """Prints progress to standard error; a `squadqa.data.prepare.Progress`.

    On a terminal one line is redrawn in place. Elsewhere a line is printed at the start of a task,
    at its end, and every `SECONDS_BETWEEN_LINES` in between.
    """

    def __init__(self) -> None:
        self._task = ""
        self._printed_at = 0.0

    def __call__(self, task: str, done: int, total: int) -> None:
        """Print the progress of a task, if a line is due.

        Args:
            task: What is being done.
            done: How much of it is done.
            total: How much there is to do.
        """
        now = time.monotonic()
        in_place = sys.stderr.isatty()
        is_due = now - self._printed_at >= (0.1 if in_place else SECONDS_BETWEEN_LINES)
        if task == self._task and done < total and not is_due:
            return
        self._task, self._printed_at = ("" if done >= total else task), now
        line = f"{task}: {done:,} of {total:,} ({100 * done // max(total, 1)} %)"
        if in_place:
            sys.stderr.write(f"{REDRAW}{line}" + ("\n" if done >= total else ""))
        else:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
