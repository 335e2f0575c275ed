"""Formats of vector files: GloVe text, word2vec text and word2vec binary, read entry by entry.

Every line of a text file is checked. Lines are split from the right: unlike gensim's own reader,
this accepts the words with spaces in GloVe 840B.
"""

import contextlib
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from squadqa.data.vectors.word_rows import reading
from squadqa.errors import VectorsError

HEAD = 1 << 16  # bytes from which a file's format is detected
CHUNK = 1 << 20  # bytes read at once
LONGEST_ENTRY = 4 << 20  # bytes of a line, or of a word in a binary file; more is no vector
MAX_WIDTH = 1 << 16  # values per word; a header with more is not word2vec's
NUMERIC = b"0123456789.+-eE"
PICKLE, PROTOCOLS = b"\x80", (b"\2", b"\3", b"\4", b"\5")  # how a pickle begins


@dataclass(frozen=True)
class Layout:
    """The layout of a vector file.

    Args:
        path: The file.
        width: Values per word.
        count: Number of words by its header; None without a header.
        start: Bytes before the first word.
        binary: True for values of four bytes, False for text.
    """

    path: Path
    width: int
    count: int | None
    start: int
    binary: bool


Entry = tuple[int, bytes, bytes]
"""The byte of the unpacked file at which a word's entry begins, the word, and its values as bytes
of the file."""


@contextlib.contextmanager
def opened_at_first_word(path: Path) -> Iterator[tuple[IO[bytes], Layout]]:
    """Open a file at its first word, and detect its layout.

    Args:
        path: Text with or without the header "COUNT WIDTH", or binary (by its content, or its
            name's ending .bin), as it is or with .gz.

    Raises:
        VectorsError: The file cannot be read or contains no vectors, or an error in the block.
    """
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with reading(path):
        if not path.stat().st_size:  # also files of the system, which may wait for ever
            raise _empty(path)
    with reading(path), opened(path, "rb") as file:
        head = file.read(HEAD)
        if not head.strip():
            raise _empty(path)
        if head[:1] == PICKLE and head[1:2] in PROTOCOLS:
            raise pickled(path)
        if head.startswith(b"PK\x03\x04"):
            raise VectorsError(
                f'"{path}" is a zip archive',
                next_step="Unpack it and name the file that was in it.",
            )
        first = head.partition(b"\n")[0]
        header = first.split()
        has_header = len(header) == 2 and header[0].isdigit() and header[1].isdigit()
        binary = b"\0" in head or path.name.removesuffix(".gz").endswith(".bin")
        width = int(header[1]) if has_header else _trailing_numbers(first)
        if not 0 < width <= MAX_WIDTH or (binary and not has_header):
            raise VectorsError(
                f'"{path}" does not hold word vectors: it begins {_shown(first)}',
                hint="Expected a word and its values, or word2vec's header with the number of words"
                " and of values.",
                next_step="Name a GloVe or word2vec file.",
            )
        start = len(first) + 1 if has_header else 0
        file.seek(start)
        yield file, Layout(path, width, int(header[0]) if has_header else None, start, binary)


def pickled(path: Path) -> VectorsError:
    """Make the error for a pickle, with the line of Python that exports its vectors.

    Args:
        path: The file.
    """
    there, text = str(path), str(path.with_suffix(".txt"))
    return VectorsError(
        f'"{path}" is a pickle, such as gensim saves: opening it could run any code, so it was not '
        "opened",
        hint="Vectors are read from GloVe and word2vec files only.",
        next_step='If you made it, export it to text: python -c "from gensim.models import '
        f'KeyedVectors; KeyedVectors.load({there!r}).save_word2vec_format({text!r})"',
    )


def _empty(path: Path) -> VectorsError:
    return VectorsError(
        f'"{path}" is empty',
        hint="A vector file has a line for each word: the word, then its values.",
        next_step="Download it again, or name another source.",
    )


def entries(file: IO[bytes], layout: Layout) -> Iterator[Entry]:
    """Iterate over the entries of a file that is at its first word."""
    return _binary_entries(file, layout) if layout.binary else _text_entries(file, layout)


def _text_entries(file: IO[bytes], layout: Layout) -> Iterator[Entry]:
    """Iterate over the lines of a text file, and check each.

    Raises:
        VectorsError: A line has another width, or words are missing.
    """
    seen, place = 0, layout.start
    for raw in iter(partial(file.readline, LONGEST_ENTRY + 1), b""):
        if len(raw) > LONGEST_ENTRY:
            raise _too_long("a line", layout)
        line = raw.rstrip(b" \r\n")
        if line:
            seen += 1
            yield place, *split_line(line, layout, place)
        place += len(raw)
    if layout.count is not None and seen != layout.count:
        raise VectorsError(
            f'"{layout.path}" holds {seen:,} words, but its header says {layout.count:,}',
            hint="It may have been cut short, or joined from two files.",
            next_step="Download it again, or fix its first line.",
        )


def split_line(line: bytes, layout: Layout, place: int) -> tuple[bytes, bytes]:
    """Split a line (without its line end) into the word and its values.

    Raises:
        VectorsError: The line is not a word with as many numbers as the file's layout says.
    """
    word, _, values = line.partition(b" ")
    width = layout.width
    if values.translate(None, NUMERIC) == b" " * (width - 1):
        return word, values
    # Not one word and its values: the word may contain spaces, as a few of 840B do.
    fields = line.split(b" ")
    bad = [field for field in fields[-width:] if not _is_number(field)]
    if len(fields) <= width or (len(fields) > width + 1 and _is_number(fields[-width - 1])):
        raise VectorsError(
            f'line {_line_number(layout, place):,} of "{layout.path}" has'
            f" {_trailing_numbers(line)} values where {width} are expected: {_shown(line)}",
            hint="Every line of a vector file has as many values as its first line or header says.",
            next_step="Download the file again, or fix that line.",
        )
    if bad:
        raise _not_a_number(layout, place, bad[0])
    return b" ".join(fields[:-width]), b" ".join(fields[-width:])


def _binary_entries(file: IO[bytes], layout: Layout) -> Iterator[Entry]:
    """Iterate over the entries of a word2vec binary file.

    Raises:
        VectorsError: The file ends too early or too late.
    """
    count, size = layout.count, 4 * layout.width
    assert count is not None
    buffer, start, before = b"", 0, layout.start  # bytes of the file before the buffer
    for number in range(1, count + 1):
        while (end := buffer.find(b" ", start)) < 0 or len(buffer) <= end + size:
            if end < 0 and len(buffer) - start > LONGEST_ENTRY:
                raise _too_long("a word", layout)
            more = file.read(CHUNK)
            if not more:
                raise VectorsError(
                    f'"{layout.path}" ends within word {number:,} of {count:,}',
                    hint="It was cut short, or is not in word2vec's binary format.",
                    next_step="Download it again.",
                )
            before += start
            buffer, start = buffer[start:] + more, 0
        place, word = before + start, buffer[start:end].lstrip(b"\n")
        start = end + 1 + size
        yield place, word, buffer[end + 1 : start]
    if (buffer[start:] + file.read(1)).strip(b"\n"):
        raise VectorsError(
            f'"{layout.path}" continues after the {count:,} words of {layout.width} values in its'
            " header",
            hint="Its header is wrong, or it is not in word2vec's binary format.",
            next_step="Download it again.",
        )


def row_of(values: bytes, layout: Layout, place: int) -> NDArray[np.float32]:
    """Read the values of an entry.

    Raises:
        VectorsError: A value is not a number.
    """
    if layout.binary:
        return np.frombuffer(values, "<f4").astype(np.float32)
    fields = values.split(b" ")
    try:
        with np.errstate(over="ignore"):  # a number that is too large becomes infinite
            return np.array(fields, dtype=np.float32)
    except ValueError:
        bad = next(field for field in fields if not _is_number(field))
        raise _not_a_number(layout, place, bad) from None


def text_of(word: bytes) -> str:
    """A word as text; one that is not UTF-8 gets half surrogates, and so is never looked up."""
    return str(word, "utf-8", "surrogateescape")


def _too_long(what: str, layout: Layout) -> VectorsError:
    return VectorsError(
        f'"{layout.path}" has {what} of more than {LONGEST_ENTRY:,} bytes',
        hint="It is damaged, or no file of word vectors.",
        next_step="Download it again, or name another file.",
    )


def _line_number(layout: Layout, place: int) -> int:
    """The number, from 1, of the line that begins at a byte of the unpacked file."""
    number = 1
    with opened_at_first_word(layout.path) as (file, _):
        file.seek(0)
        while chunk := file.read(min(CHUNK, place)):
            number += chunk.count(b"\n")
            place -= len(chunk)
    return number


def _not_a_number(layout: Layout, place: int, value: bytes) -> VectorsError:
    """Make the error for a value that is not a number."""
    return VectorsError(
        f'line {_line_number(layout, place):,} of "{layout.path}" has {_shown(value)} where a'
        " number is expected",
        next_step="Download the file again, or fix that line.",
    )


def not_finite(word: str, path: Path) -> VectorsError:
    """Make the error for a word with a value that is infinite or not a number."""
    name = _shown(word.encode(errors="surrogateescape"))
    return VectorsError(
        f'the vector of {name} in "{path}" has a value that is not finite',
        next_step="Fix or remove that word, or download the file again.",
    )


def _is_number(field: bytes) -> bool:
    """Return whether a text file's field is a finite decimal number."""
    try:
        return not field.translate(None, NUMERIC) and np.isfinite(float(field))
    except ValueError:
        return False


def _trailing_numbers(line: bytes) -> int:
    """Count the values of a line: the numbers at its end, without the word itself."""
    fields = line.strip(b" \r\n").split(b" ")
    values = 0
    while values < len(fields) - 1 and _is_number(fields[-1 - values]):
        values += 1
    return values


def _shown(value: bytes) -> str:
    """Quote the beginning of some bytes of a file, safe to print on a terminal."""
    text = value[:60].decode("utf-8", "replace")
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return f'"{text}…"' if len(value) > 60 else f'"{text}"'
