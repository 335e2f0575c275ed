"""What every source of word vectors gives: rows, and how to find a word's."""

import contextlib
import pickle
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from squadqa.errors import VectorsError


class Rows(Protocol):
    """Rows that are given by their numbers; an array, or something that reads them when asked."""

    @property
    def shape(self) -> tuple[Any, ...]:
        """Number of rows, and values of each."""

    def __getitem__(self, numbers: NDArray[np.int64], /) -> NDArray[Any]:
        """Give the (K, E) rows of K numbers."""


@dataclass(frozen=True)
class WordRows:
    """Rows of some words.

    Args:
        find: Gives the row number of a word, by this very spelling; None where the word is unknown.
        vectors: (N, E) rows; they may lie on disk, and be many more than the words.
    """

    find: Callable[[str], int | None]
    vectors: Rows


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say of which file the system or a library complains.

    Raises:
        VectorsError: What the block raised, unless it was one already.
    """
    try:
        yield
    except VectorsError:
        raise
    except (OSError, EOFError, ValueError, zlib.error, pickle.UnpicklingError) as error:
        raise VectorsError(
            f'cannot read "{path}": {error}',
            hint="It is damaged or cut short, or you may not read it.",
            next_step="Fetch or install it again, or name another source.",
        ) from error
