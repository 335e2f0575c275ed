"""Paths between the tokens of a dependency tree, as hashes. 64-bit arithmetic wraps around."""

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_UP, _DOWN, _OVER = (value - 2**64 for value in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9,
                                                 0x94D049BB133111EB))  # fmt: skip
"""Odd multipliers, as signed numbers: from the golden ratio, and the factors of splitmix64."""

TOO_LONG = 1
"""Hash of every path that has more arcs than the limit."""


Hashes = TypeVar("Hashes", Tensor, NDArray[np.int64])


def arc_hashes(labels: Hashes, tags: Hashes) -> Hashes:
    """Hash tokens' arcs to their heads: the dependency label with the token's part of speech.

    Args:
        labels: int64 hashes of labels.
        tags: int64 hashes of parts of speech, of the same shape.
    """
    return labels * 3 + tags


def path_hashes(
    arcs: Tensor,
    tags: Tensor,
    heads: Tensor,
    depths: Tensor,
    *,
    start: Tensor,
    end: Tensor,
    max_arcs: int,
) -> Tensor:
    """Hash the paths from tokens up to the common ancestor, and down to other tokens.

    Equal hashes stand for equal sequences of arcs up, equal sequences of arcs down, and the same
    part of speech of the common ancestor.

    Args:
        arcs: (T,) int64 hash of each token's arc to its head (`arc_hashes`).
        tags: (T,) int64 hash of each token's part of speech.
        heads: (T,) int64 each token's head; the head of a root is the root itself.
        depths: (T,) int64 arcs from each token to its root.
        start: (K,) int64 tokens that paths start from.
        end: (K,) int64 tokens that they end at.
        max_arcs: Longest path to distinguish, in arcs on its longer side.

    Returns:
        (K,) int64 hashes; `TOO_LONG` for longer paths, 0 if the two tokens are in different trees.
    """
    hashes = torch.full_like(start, TOO_LONG)
    up, down = torch.zeros_like(start), torch.zeros_like(start)
    places = torch.arange(len(start), device=start.device)
    for step in range(max_arcs + 1):
        met = start == end
        meeting = (up * _UP) ^ (down * _DOWN + tags[start]) * _OVER
        meeting ^= meeting >> 29
        hashes[places[met]] = (meeting * _DOWN | 2)[met]
        depth, other = depths[start], depths[end]
        apart = ~met & (depth == 0) & (other == 0)
        hashes[places[apart]] = 0
        going = (~met & ~apart).nonzero()[:, 0]
        if step == max_arcs or not len(going):
            break
        places, start, end = places[going], start[going], end[going]
        depth, other, up, down = depth[going], other[going], up[going], down[going]
        left, right = depth >= other, other >= depth  # the deeper token climbs, or both
        up = torch.where(left, (up + arcs[start]) * _OVER, up)
        down = torch.where(right, (down + arcs[end]) * _OVER, down)
        start = torch.where(left, heads[start], start)
        end = torch.where(right, heads[end], end)
    return hashes
