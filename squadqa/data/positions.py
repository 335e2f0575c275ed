"""Where the tokens of texts are. Letters: B batch, L length."""

import numpy as np
from numpy.typing import NDArray


def padded_positions(
    bounds: NDArray[np.int64], texts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(B, L) token rows of texts, 0 where padded, and (B, L) their mask, True on a token."""
    start, length = bounds[texts], bounds[texts + 1] - bounds[texts]
    steps = np.arange(max(1, int(length.max(initial=1))))
    mask = steps < length[:, None]
    return np.where(mask, start[:, None] + steps, 0), mask
