"""Maxout layers that remember which piece of a unit was the largest, not every piece.

Letters: B batch, L length, D width of the input, H units, P pieces of a unit.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from squadqa.nn.products import product

CHUNK = 2**22
"""Numbers computed at once, 16 MiB: a processor's cache may hold them. One sequence may be more."""


def _product(sequence: Tensor, weight: Tensor) -> Tensor:
    """Give (B, L, P * H) pieces of (B, L, D), without shift and without gradient."""
    return product(sequence.flatten(0, 1), weight).unflatten(0, sequence.shape[:2])


class _LargestPiece(torch.autograd.Function):
    """max over p of (W_p x + shift_p); in reverse, only the largest piece has a gradient.

    A sixteenth of the work of a dense reverse pass where there are 16 pieces, so that it is done by
    sums over chosen rows, not by products of matrices.
    """

    @staticmethod
    def forward(
        ctx: Any, sequence: Tensor, weight: Tensor, shift: Tensor, ready: Tensor | None, units: int
    ) -> Tensor:
        numbers = torch.arange(len(weight) // units, device=weight.device)[:, None]  # (P, 1)
        largest, winners = [], []
        step = max(1, CHUNK // (sequence.shape[1] * len(weight)))
        for first in range(0, len(sequence), step):
            part = slice(first, first + step)
            pieces = _product(sequence[part], weight) if ready is None else ready[part]
            pieces = (pieces + shift[part, None]).unflatten(2, (-1, units))  # (step, L, P, H)
            largest.append(pieces.amax(dim=2))
            if any(ctx.needs_input_grad):
                # In place, and in floating point: comparing to bool takes six times as long.
                won = pieces.eq_(largest[-1][:, :, None]).mul_(numbers)
                winners.append(won.amax(dim=2).to(torch.uint8))
        if winners:
            ctx.save_for_backward(sequence, weight, torch.cat(winners))
        return torch.cat(largest)  # (B, L, H)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        sequence, weight, winners = ctx.saved_tensors
        examples, _, units = gradient.shape
        every_row = torch.arange(len(weight), dtype=torch.int32, device=weight.device)
        taken = winners * units + every_row[:units]  # (B, L, H) rows of the weight
        gradient = gradient.to(weight.dtype)
        of_sequence = F.embedding_bag(
            taken.view(-1, units),
            weight,
            per_sample_weights=gradient.view(-1, units),
            mode="sum",
        )
        # The same the other way round: of each row, the steps that took it.
        rows, order = taken.flatten().sort()
        of_weight = F.embedding_bag(
            order // units,
            sequence.to(weight.dtype).flatten(0, 1),
            torch.searchsorted(rows, every_row),
            per_sample_weights=gradient.flatten().index_select(0, order),
            mode="sum",
        )
        of_shift = gradient.new_zeros(examples, len(weight)).scatter_add_(
            1, taken.view(examples, -1).long(), gradient.view(examples, -1)
        )
        return of_sequence.view_as(sequence), of_weight, of_shift, None, None


class Maxout(nn.Module):
    """Units that are each the largest of several linear pieces: max over p of (W_p x + b_p).

    Reference: Goodfellow et al., 2013, Maxout Networks (arXiv 1302.4389), section 3.

    Args:
        input_size: D.
        output_size: H.
        pool_size: P, at most 256.
    """

    def __init__(self, input_size: int, output_size: int, *, pool_size: int) -> None:
        super().__init__()
        self.output_size = output_size
        self.pieces = nn.Linear(input_size, pool_size * output_size)

    def product(self, sequence: Tensor) -> Tensor:
        """Give W x of (B, L, D), for calls that differ in their shift only: (B, L, P * H).

        It has no gradient: what `forward` gives has.
        """
        with torch.no_grad():
            return _product(sequence, self.pieces.weight)

    def forward(
        self, sequence: Tensor, *, shift: Tensor | None = None, product: Tensor | None = None
    ) -> Tensor:
        """Give the largest pieces.

        Args:
            sequence: (B, L, D).
            shift: (B, P * H) what to add to every step's pieces; None adds nothing.
            product: (B, L, P * H) from `product`; None computes it in parts, without keeping it.

        Returns:
            (B, L, H).
        """
        weight, bias = self.pieces.weight, self.pieces.bias
        shift = bias.expand(len(sequence), -1) if shift is None else shift + bias
        largest: Tensor = _LargestPiece.apply(sequence, weight, shift, product, self.output_size)
        return largest
