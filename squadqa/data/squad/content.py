"""The content of sources: bytes of files and pipes, packed or not, and data sets by name."""

import gzip
import hashlib
import io
import stat
import sys
import zlib
from typing import Any

from squadqa.data.optional import imported
from squadqa.data.squad.source import (
    STANDARD_INPUT,
    Source,
    find_source,
    require_file,
    unreadable,
)
from squadqa.errors import DataError

MOST_UNPACKED = 1 << 30  # bytes that a packed file may become: 30 times SQuAD

GZIP_MAGIC = b"\x1f\x8b"
"""The first bytes of a packed file, whatever its name."""


def content_digest(source: Source) -> str:
    """Return a checksum of a source's content, which is cheap enough for every start.

    The questions of a plain text count too.

    Raises:
        DataError: The file cannot be read, or the data set cannot be loaded.
    """
    if source.path is None:
        return str(load_dataset(source)._fingerprint)
    try:
        with _open(source) as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise unreadable(source.path, error) from error
    if source.reading.questions is not None:
        digest += content_digest(find_source(source.reading.questions))
    return digest


def _unpacked(raw: bytes, label: str) -> bytes:
    with gzip.open(io.BytesIO(raw)) as unpacked:
        raw = unpacked.read(MOST_UNPACKED + 1)
    if len(raw) > MOST_UNPACKED:
        raise DataError(
            f'"{label}" unpacks to more than {MOST_UNPACKED >> 20:,} MiB',
            hint="A small file that becomes so large is often made to fill the memory.",
            next_step="If you trust it, unpack it and name the unpacked file.",
        )
    return raw


_PIPES: dict[tuple[int, int], bytes] = {}
"""The content of each pipe that was read, by its device and number: it gives it only once."""

_standard_input: tuple[Any, bytes] = (None, b"")
"""The stream that was read as standard input, and its content."""


def _open(source: Source) -> io.BufferedReader | io.BytesIO:
    """Open a file; standard input and other pipes are read at the first time and then kept."""
    if source.name == STANDARD_INPUT:
        return io.BytesIO(_content_of_standard_input())
    path = source.path
    assert path is not None
    state = path.stat()
    if not stat.S_ISFIFO(state.st_mode):
        return path.open("rb")
    place = (state.st_dev, state.st_ino)
    if place not in _PIPES:
        _PIPES[place] = path.read_bytes()
    return io.BytesIO(_PIPES[place])


def _content_of_standard_input() -> bytes:
    global _standard_input
    if _standard_input[0] is not sys.stdin:
        stream = getattr(sys.stdin, "buffer", None)
        if stream is None or stream.isatty():
            raise DataError(
                "questions are to be read from standard input, and nothing is sent to it",
                next_step="Send a file to it (squadqa ... --data - < FILE), or name a file.",
            )
        _standard_input = sys.stdin, stream.read()
    return _standard_input[1]


def read_text(source: Source) -> str:
    """Read a file or standard input, packed (gzip) or not, as UTF-8.

    Args:
        source: A source with a path.

    Raises:
        DataError: It cannot be read, or is not UTF-8 text.
    """
    path, label = source.path, source.label
    assert path is not None
    if source.name != STANDARD_INPUT:
        require_file(path)
    try:
        with _open(source) as file:
            raw = file.read()
        if raw.startswith(GZIP_MAGIC) or path.suffix == ".gz":
            raw = _unpacked(raw, label)
        return raw.decode("utf-8-sig")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f'"{label}" is a broken or truncated .gz file: {error}', next_step="Fetch it again."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f'"{label}" is not UTF-8 text (byte {error.start})', next_step="Save it as UTF-8."
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error


def load_dataset(source: Source) -> Any:
    """Load a source that is not a file, through `datasets`.

    Raises:
        DataError: The data set does not exist, or cannot be fetched.
        ConfigError: `datasets` is not installed.
    """
    datasets = imported("datasets", f'the data set "{source.name}"')
    try:
        return datasets.load_dataset(source.name, split=source.split)
    except Exception as error:  # datasets raises many kinds of errors
        raise DataError(
            f'cannot load the data set "{source.name}", split "{source.split}": '
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}",
            next_step="Check the name and the network, or put SQuAD's files into a folder and set "
            "SQUADQA_DATA_DIR to it.",
        ) from error
