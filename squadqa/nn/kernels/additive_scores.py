"""Additive attention scores of all pairs of two texts' steps, but for a constant.

    score(x, y) = v . tanh(x + y) - sum(v)

The constant sum(v) is left out as softmax takes no notice of it: what remains is -2v . r with
r = 1 / (1 + e^2x e^2y), so that a pair costs a reciprocal, on a CPU a tenth of a tanh.

Reference: Bahdanau, Cho and Bengio, 2015, Neural Machine Translation by Jointly Learning to Align
and Translate (arXiv 1409.0473), appendix A.1.2.

Letters: B batch, L steps of the queries, M steps of the keys, H width.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from squadqa.nn.kernels import available
from squadqa.nn.kernels.precision import computes_in_float32

ELEMENTS_AT_ONCE = {True: 2**24, False: 2**18}
"""Numbers that the scores hold at once: on a GPU 64 MiB, else 1 MiB, a core's cache."""

LARGEST = 40.0
"""Bound of a query and of a key: e^2x is a finite number, and so is one over it."""


def additive_scores_plain(queries: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
    """Hold the features of all pairs, (B, L, M, H), at once; shapes as in `additive_scores`."""
    return ((queries[:, :, None] + keys[:, None]).tanh() - 1) @ weight


def exponential(x: Tensor) -> Tensor:
    """Compute e^2x, finite and above 0."""
    return x.clamp(-LARGEST, LARGEST).mul_(2).exp_()


def reciprocals(queries: Tensor, keys: Tensor) -> Tensor:
    """Compute 1 / (1 + e^2(query + key)) from the `exponential` of both, which broadcast."""
    return (queries * keys).add_(1).reciprocal_()


def _blocks(queries: Tensor, keys: Tensor) -> Iterator[tuple[int, slice]]:
    """Walk through examples, and rows of their queries whose pairs may be held at once."""
    rows = max(1, ELEMENTS_AT_ONCE[queries.is_cuda] // keys[0].numel())
    for example in range(len(queries)):
        for first in range(0, queries.shape[1], rows):
            yield example, slice(first, first + rows)


@computes_in_float32
class AdditiveScores(torch.autograd.Function):
    """The same in blocks; the gradient computes the pairs again instead of keeping them."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
        queries, keys = exponential(queries), exponential(keys)
        scores = queries.new_empty(*queries.shape[:2], keys.shape[1])
        for b, rows in _blocks(queries, keys):
            pairs = reciprocals(queries[b, rows, None], keys[b])  # (rows, M, H)
            torch.matmul(pairs, -2 * weight, out=scores[b, rows])
        ctx.save_for_backward(queries, keys, weight)
        return scores

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        queries, keys, weight = ctx.saved_tensors
        of_queries, of_keys = torch.zeros_like(queries), torch.zeros_like(keys)
        of_weight = torch.zeros_like(weight)
        for b, rows in _blocks(queries, keys):
            gradient = gradients[0][b, rows]  # (rows, M)
            pairs = reciprocals(queries[b, rows, None], keys[b])  # (rows, M, H)
            of_weight.sub_(gradient.flatten() @ pairs.flatten(0, 1), alpha=2)
            slopes = torch.addcmul(pairs, pairs, pairs, value=-1).mul_(gradient[:, :, None])
            of_queries[b, rows] = slopes.sum(dim=1)
            of_keys[b] += slopes.sum(dim=0)
        return of_queries.mul_(4 * weight), of_keys.mul_(4 * weight), of_weight


def additive_scores(queries: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
    """Score every query with every key.

    Args:
        queries: (B, L, H).
        keys: (B, M, H).
        weight: (H,) v.

    Returns:
        (B, L, M) v . tanh(query + key) - sum(v).
    """
    if not available.supports_fast_form(queries):
        return additive_scores_plain(queries, keys, weight)
    scores: Tensor = AdditiveScores.apply(queries, keys, weight)
    return scores
