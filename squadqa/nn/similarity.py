"""How alike the steps of two texts are, every pair of them.

Reference: Vaswani et al., 2017, Attention Is All You Need (arXiv 1706.03762), section 3.2.1, for
scaled dot products; Bahdanau, Cho and Bengio, 2015, Neural Machine Translation by Jointly Learning
to Align and Translate (arXiv 1409.0473), appendix A.1.2, for the additive form.

Letters: B batch, L steps of the sequence, M steps of the memory, D width of the sequence, E width
of the memory, H hidden width. A sequence and its memory may be the same.
"""

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn

from squadqa.nn.linear import linear

Similarity = Literal["dot", "additive"]

ELEMENTS_AT_ONCE = {True: 2**24, False: 2**18}
"""Numbers that additive scores hold at once: on a GPU 64 MiB, else 1 MiB, a core's cache."""

LARGEST = 40.0
"""Of what is exponentiated: e^2x is a finite number, as is one over it."""


def exponential(x: Tensor) -> Tensor:
    """Give e^2x, finite and above 0.

    tanh(x + y) is 1 - 2 / (1 + e^2x e^2y): with both powers at hand a pair costs a reciprocal, on a
    CPU a tenth of a tanh.
    """
    return x.clamp(-LARGEST, LARGEST).mul_(2).exp_()


def reciprocals(queries: Tensor, keys: Tensor) -> Tensor:
    """1 / (1 + e^2(query + key)) of powers that broadcast."""
    return (queries * keys).add_(1).reciprocal_()


def _blocks(queries: Tensor, keys: Tensor) -> Iterator[tuple[int, slice]]:
    """Examples, and rows of their queries whose pairs with all keys may be held at once."""
    rows = max(1, ELEMENTS_AT_ONCE[queries.is_cuda] // keys[0].numel())
    for example in range(len(queries)):
        for first in range(0, queries.shape[1], rows):
            yield example, slice(first, first + rows)


class _AdditiveScores(torch.autograd.Function):
    """v . tanh(query + key) of every pair, but for sum(v), of which softmax takes no notice.

    The features of all pairs are never held at once: the gradient makes them again.
    """

    @staticmethod
    @torch.amp.custom_fwd(device_type="cuda", cast_inputs=torch.float32)
    def forward(ctx: Any, queries: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
        """From (B, L, H), (B, M, H) and (H,) to (B, L, M)."""
        queries, keys = exponential(queries), exponential(keys)
        scores = queries.new_empty(*queries.shape[:2], keys.shape[1])
        for b, rows in _blocks(queries, keys):
            pairs = reciprocals(queries[b, rows, None], keys[b])  # (rows, M, H)
            torch.matmul(pairs, -2 * weight, out=scores[b, rows])
        ctx.save_for_backward(queries, keys, weight)
        return scores

    @staticmethod
    @torch.amp.custom_bwd(device_type="cuda")
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


class DotSimilarity(nn.Module):
    """How alike two steps are: relu(W x) . relu(W' y) / sqrt(H).

    Args:
        size: D.
        memory_size: E.
        hidden_size: H.
    """

    def __init__(self, size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        self.queries = nn.Linear(size, hidden_size, bias=False)
        self.keys = nn.Linear(memory_size, hidden_size, bias=False)
        self.scale = hidden_size**-0.5

    def forward(self, sequence: Tensor, memory: Tensor) -> Tensor:
        """Compare (B, L, D) with (B, M, E), giving (B, L, M); padding too, mask it."""
        queries = linear(sequence, self.queries.weight).relu() * self.scale  # (B, L, H)
        return queries @ linear(memory, self.keys.weight).relu().transpose(1, 2)


class AdditiveSimilarity(nn.Module):
    """How alike two steps are: v . tanh(W x + W' y), but for a constant.

    Args:
        size: D.
        memory_size: E.
        hidden_size: H.
    """

    def __init__(self, size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        self.queries = nn.Linear(size, hidden_size, bias=False)
        self.keys = nn.Linear(memory_size, hidden_size, bias=False)
        self.score = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, sequence: Tensor, memory: Tensor) -> Tensor:
        """Compare (B, L, D) with (B, M, E), giving (B, L, M); padding too, mask it."""
        scores: Tensor = _AdditiveScores.apply(
            linear(sequence, self.queries.weight),
            linear(memory, self.keys.weight),
            self.score.weight[0],
        )
        return scores
