"""The rows of a source of word vectors, and how to find the row of a word."""

import contextlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from squadqa.errors import VectorsError


class Rows(Protocol):
    """Rows by number: an array, or an object that reads rows on demand."""

    @property
    def shape(self) -> tuple[Any, ...]:
        """Number of rows, and of values per row."""

    def __getitem__(self, numbers: NDArray[np.int64], /) -> NDArray[Any]:
        """Return the (K, E) rows of K numbers."""


@dataclass(frozen=True)
class WordRows:
    """Rows of some words.

    Args:
        find: Returns the row number of a word in exactly this spelling; None if the word is
            unknown.
        vectors: (N, E) rows; they may be on disk, and there may be many more rows than words.
    """

    find: Callable[[str], int | None]
    vectors: Rows


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name the file in errors of the system or of a library.

    Raises:
        VectorsError: Any error in the block; a `VectorsError` stays as it is.
    """
    try:
        yield
    except VectorsError:
        raise
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise VectorsError(
            f'cannot read "{path}": {error}',
            hint="It is damaged or cut short, or you may not read it.",
            next_step="Download or install it again, or name another source.",
        ) from error
