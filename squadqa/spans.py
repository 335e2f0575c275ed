"""Conversion of spans: character spans are half-open, token spans inclusive."""

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int32]


def tokens_covering(
    offset_mapping: Offsets, start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the shortest token spans that cover character spans.

    Args:
        offset_mapping: (C, 2) half-open character spans of a text's tokens, in order.
        start: (K,) first characters.
        end: (K,) the characters after the last ones.

    Returns:
        (K,) first and (K,) last tokens, inclusive. A character span that touches no token (it is
        empty, or only white space) gives a first token after the last one.
    """
    first = np.searchsorted(offset_mapping[:, 1], start, side="right")
    last = np.searchsorted(offset_mapping[:, 0], end, side="left") - 1
    return first, last


def characters_of(
    offset_mapping: Offsets, first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the half-open character spans of inclusive token spans.

    Args:
        offset_mapping: (C, 2) half-open character spans of a text's tokens.
        first: (K,) first tokens.
        last: (K,) last tokens, inclusive.

    Returns:
        (K,) first characters and (K,) characters after the last ones.
    """
    return (
        offset_mapping[first, 0].astype(np.int64),
        offset_mapping[last, 1].astype(np.int64),
    )
