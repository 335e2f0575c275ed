"""Atomic writing: a reader finds the old file or the whole new one, never half of it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from squadqa.errors import OutputError


def output_error(path: Path, error: OSError) -> OutputError:
    """Make the error for a file or folder that cannot be written.

    Args:
        path: What was to be written.
        error: The system's error.
    """
    return OutputError(
        f'cannot write "{path}": {error.strerror or error}',
        next_step="Free space there, or name a folder that you may write to.",
    )


@contextmanager
def write_atomic(path: str | Path, *, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file next to `path`, and rename it to `path` if the block succeeds.

    Args:
        path: The file to write; missing parent folders are made.
        mode: "w" for text in UTF-8 or "wb" for bytes.

    Raises:
        OutputError: The folder cannot be written, or the disk is full.
    """
    path = Path(path)
    encoding = None if "b" in mode else "utf-8"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise output_error(path, error) from error
    try:
        with open(handle, mode, encoding=encoding) as file:
            os.fchmod(file.fileno(), 0o644)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise output_error(path, error) from error
        raise
