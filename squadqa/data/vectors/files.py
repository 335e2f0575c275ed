"""Vector files: read for some words, or kept open for any.

To read some words a file is streamed, so that memory holds only those. If a file is kept open, its
rows stay on disk, and memory holds only the place of each. If a word occurs twice, its first vector
counts.
"""

import mmap
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from squadqa.data.vectors.formats import (
    Layout,
    entries,
    not_finite,
    opened_at_first_word,
    row_of,
    split_line,
    text_of,
)
from squadqa.data.vectors.word_rows import WordRows

KEPT_ROWS = 1 << 14  # rows of an open file that stay in memory: 20 MB if each has 300 values


def read_vector_file(path: Path, words: Collection[str]) -> WordRows:
    """Read the rows of some words.

    Args:
        path: Text with or without the header "COUNT WIDTH", or binary (by its content, or its
            name's ending .bin), as it is or with .gz.
        words: The words to read, in exactly this spelling.

    Raises:
        VectorsError: The file cannot be read, is cut short, or has a line of another width or with
            a value that is not a number.
    """
    return _read(path, {word.encode() for word in words})


def open_vector_file(path: Path) -> WordRows:
    """Open a file for any words.

    Args:
        path: As for `read_vector_file`. A file with .gz is read into memory as float32.

    Raises:
        VectorsError: As for `read_vector_file`; a value that is not a number is found when it is
            read.
    """
    if path.suffix == ".gz":
        return _read(path, None)
    places: dict[str, int] = {}
    with opened_at_first_word(path) as (file, layout):
        for place, word, _ in entries(file, layout):
            places.setdefault(text_of(word), place)
        return WordRows(places.get, _RowsOnDisk(file, layout, len(places)))


def _read(path: Path, wanted: Collection[bytes] | None) -> WordRows:
    """Read the wanted words into memory, or all words for None."""
    numbers: dict[str, int] = {}
    values = bytearray()
    with opened_at_first_word(path) as (file, layout):
        for place, key, its_values in entries(file, layout):
            if wanted is None or key in wanted:
                word = text_of(key)
                if word not in numbers:
                    numbers[word] = len(numbers)
                    values += row_of(its_values, layout, place).tobytes()
    vectors = np.frombuffer(values, np.float32).reshape(-1, layout.width)
    for number in np.flatnonzero(~np.isfinite(vectors).all(axis=1))[:1]:
        raise not_finite(list(numbers)[number], path)
    return WordRows(numbers.get, vectors)


class _RowsOnDisk:
    """Rows of an uncompressed file, by the places of their entries; each is read on demand.

    Args:
        file: The file.
        layout: Its layout.
        count: Number of its distinct words.
    """

    def __init__(self, file: IO[bytes], layout: Layout, count: int) -> None:
        self.shape = (count, layout.width)
        self._layout = layout
        self._content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._row = lru_cache(KEPT_ROWS)(self._read_row)

    def __getitem__(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        rows = np.empty((len(places), self.shape[1]), np.float32)
        for number, place in enumerate(places.tolist()):
            rows[number] = self._row(place)
        return rows

    def _read_row(self, place: int) -> NDArray[np.float32]:
        content, layout = self._content, self._layout
        if layout.binary:
            start = content.find(b" ", place) + 1
            word = content[place : start - 1].lstrip(b"\n")
            values = content[start : start + 4 * layout.width]
        else:
            end = content.find(b"\n", place)
            line = content[place : end if end >= 0 else len(content)].rstrip(b" \r\n")
            word, values = split_line(line, layout, place)
        row = row_of(values, layout, place)
        if not np.isfinite(row).all():
            raise not_finite(text_of(word), layout.path)
        return row
