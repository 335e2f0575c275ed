"""Token spans of answers: exact, expanded to the covering tokens, or lost."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from squadqa.spans import Offsets, characters_of, tokens_covering


class Alignment(IntEnum):
    """How well a token span matches an answer."""

    NONE = 0  # the question has no answer
    EXACT = 1  # the tokens have exactly the answer's characters
    EXPANDED = 2  # the tokens contain the answer and a little more
    LOST = 3  # no token contains any of it
    MISPLACED = 4  # the answer is not at its answer_start
    UNPLACED = 5  # the answer is given as text, without a place


def align(
    offset_mapping: Offsets, start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Find the shortest token spans that cover answers.

    Args:
        offset_mapping: (C, 2) half-open character spans of the context's tokens.
        start: (K,) first characters of answers.
        end: (K,) the characters after their last ones.

    Returns:
        (K,) start positions, (K,) end positions (inclusive; -1 where lost), (K,) `Alignment`.
    """
    first, last = tokens_covering(offset_mapping, start, end)
    lost = (first > last) | (start >= end)
    first, last = np.where(lost, -1, first), np.where(lost, -1, last)
    if len(offset_mapping) == 0:
        return first, last, np.full(len(first), Alignment.LOST, np.uint8)
    covered_start, covered_end = characters_of(offset_mapping, first, last)
    exact = (covered_start == start) & (covered_end == end)
    kind = np.where(exact, Alignment.EXACT, Alignment.EXPANDED)
    return first, last, np.where(lost, Alignment.LOST, kind).astype(np.uint8)
