"""Pages that a tool makes: tables in markdown, the place between two markers, and rewriting."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from squadqa.errors import DataError, SquadQAError
from squadqa.files import write_atomic


def markdown_table(head: Sequence[str], alignment: str, rows: Iterable[Sequence[str]]) -> str:
    """Write a table as GitHub markdown.

    Args:
        head: The columns' names.
        alignment: "l" or "r" for each column.
        rows: The rows' cells.
    """
    rules = ["---:" if side == "r" else "---" for side in alignment]
    lines = [head, rules, *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def replace_between(text: str, begin: str, end: str, content: str, *, lacks: str) -> str:
    """Put content between a page's two markers, on lines of its own.

    Args:
        text: The page's text.
        begin: The marker before the content.
        end: The marker after it.
        content: The content.
        lacks: What to say where it has no place.

    Raises:
        DataError: The text has not each marker once, in order.
    """
    parts = re.split(f"({begin}|{end})", text)
    if parts[1::2] != [begin, end]:
        raise DataError(
            lacks, next_step=f'Put "{begin}" and "{end}" on lines of their own, once each.'
        )
    return f"{parts[0]}{begin}\n{content}\n{end}{parts[4]}"


def rewrite(pages: Mapping[Path, str]) -> list[Path]:
    """Write those files that are out of date.

    Args:
        pages: The text that each file should have.

    Returns:
        The files that were written.

    Raises:
        OutputError: A file cannot be written.
    """
    stale = [
        path
        for path, text in pages.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        with write_atomic(path) as file:
            file.write(pages[path])
    return stale


def run(update: Callable[[Path], Iterable[Path]], root: Path) -> int:
    """Bring a repository's pages up to date, and say which were not.

    Args:
        update: Rewrites them, and returns those that were out of date.
        root: The repository's folder.

    Returns:
        The exit code: 0, or 2 if a page cannot be made or written.
    """
    try:
        for path in update(root):
            print(f"rewritten: {path.relative_to(root)}")
    except SquadQAError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0
