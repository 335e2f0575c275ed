"""What a teacher says about training questions: probabilities of starts and ends, kept in a file.

Letters: N questions, T context tokens of all questions together, B batch, C context tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from squadqa.data.positions import padded_positions
from squadqa.errors import DataError

STARTS, ENDS, BOUNDS = "starts.npy", "ends.npy", "bounds.npy"
"""Names of the files."""


@dataclass(frozen=True)
class SoftTargets:
    """A teacher's probabilities for N questions.

    Half precision is enough: a probability has three digits, and what is below 6e-8 becomes 0.

    Args:
        starts: (T,) probability of each context token as the first of its question's answer.
        ends: (T,) probability of each as the last.
        bounds: (N + 1,) places between the questions.
    """

    starts: NDArray[np.float16]
    ends: NDArray[np.float16]
    bounds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def batch(self, items: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the (B, C) probabilities of starts and ends of some questions, 0 where padded.

        Args:
            items: The questions' places among the N.
        """
        places, mask = padded_positions(self.bounds, np.asarray(items, np.int64))
        starts, ends = (
            np.where(mask, flat[places], np.float16(0)).astype(np.float32)
            for flat in (self.starts, self.ends)
        )
        return starts, ends

    def write(self, folder: Path) -> None:
        """Write the files into an existing folder."""
        for name, values in ((STARTS, self.starts), (ENDS, self.ends), (BOUNDS, self.bounds)):
            np.save(folder / name, values, allow_pickle=False)

    @classmethod
    def open(cls, folder: Path) -> "SoftTargets":
        """Open what `write` wrote; probabilities are read from the disk when they are needed.

        Raises:
            DataError: A file cannot be read.
        """
        try:
            starts, ends = (
                np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in (STARTS, ENDS)
            )
            return cls(starts, ends, np.load(folder / BOUNDS, allow_pickle=False))
        except (OSError, ValueError) as error:
            raise DataError(
                f'cannot read what the teacher said from "{folder}": {error}',
                next_step="Remove the folder: it is made again.",
            ) from error
