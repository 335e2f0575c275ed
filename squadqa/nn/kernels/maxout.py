"""Units that are each the largest of several linear pieces: max over p of (W_p x + b_p).

The pieces may be computed in bfloat16, as mixed precision does it; the parameters and what is
returned stay as they are.

Reference: Goodfellow et al., 2013, Maxout Networks (arXiv 1302.4389), section 3.

Letters: B batch, L length, D width of the input, H units, P pieces of a unit.
"""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from squadqa.nn.kernels import available
from squadqa.nn.kernels.products import product

CACHED = 2**20
"""Numbers that a CPU works on at once: 2 MiB in bfloat16, most of a core's own cache."""

SORTED = 2**11
"""Steps whose units a CPU sorts at once, likewise."""


def maxout_plain(
    sequence: Tensor, weight: Tensor, shift: Tensor, *, units: int, precision: torch.dtype
) -> Tensor:
    """Hold all (B, L, P * H) pieces at once; shapes as in `maxout`."""
    pieces = F.linear(sequence.to(precision), weight.to(precision))  # (B, L, P * H)
    pieces = (pieces + shift.to(precision)[:, None]).unflatten(2, (-1, units))  # (B, L, P, H)
    return pieces.max(dim=2).values.to(shift.dtype)


def maxout_product(sequence: Tensor, weight: Tensor, *, precision: torch.dtype) -> Tensor:
    """Compute the products for calls of `maxout` that differ in their shift alone.

    Args:
        sequence: (B, L, D).
        weight: (P * H, D).
        precision: To compute in.

    Returns:
        (B, L, P * H), without a gradient.
    """
    with torch.no_grad():
        return _product(sequence, weight.to(precision))


def _product(sequence: Tensor, weight: Tensor) -> Tensor:
    """Compute the (B, L, P * H) pieces of (B, L, D) in the weight's precision."""
    sequence = sequence.to(weight.dtype)
    return product(sequence.flatten(0, 1), weight).unflatten(0, sequence.shape[:2])


def _largest(pieces: Tensor, units: int) -> tuple[Tensor, Tensor]:
    """Find the (b, l, H) largest of (b, l, P * H) pieces, and which of the P each one is.

    An image of P rows, its H features last as they lie in memory, is pooled: that goes through the
    pieces once.
    """
    image = pieces.view(pieces.shape[0] * pieces.shape[1], -1, 1, units).permute(0, 3, 1, 2)
    largest, winners = F.max_pool2d(image, (image.shape[2], 1), return_indices=True)
    shape = (*pieces.shape[:2], units)
    return largest.view(shape), winners.view(shape)


def _parts(batch: int, length: int, most: int) -> Iterator[tuple[slice, slice]]:
    """Cut (B, L) steps into parts of at most so many: of a sequence, or of whole sequences."""
    cuts = max(1, -(-length // most))
    part_length = max(1, -(-length // cuts))
    sequences = max(1, most // part_length) if cuts == 1 else 1
    for row in range(0, batch, sequences):
        for step in range(0, length, part_length):
            yield slice(row, row + sequences), slice(step, step + part_length)


class LargestPieces(torch.autograd.Function):
    """The same, remembering of each unit which piece was the largest, instead of every piece.

    In reverse, only the largest piece has a gradient. That is a sixteenth of the work of a dense
    reverse pass where there are 16 pieces, so it is done by sums over chosen rows, not by products
    of matrices. On a CPU both passes go through the steps in parts that stay in its cache: pieces
    that go to memory and back take longer than their product.
    """

    @staticmethod
    def forward(
        ctx: Any,
        sequence: Tensor,
        weight: Tensor,
        shift: Tensor,
        ready: Tensor | None,
        rows: Tensor | None,
        units: int,
        precision: torch.dtype,
    ) -> Tensor:
        batch, length, _ = sequence.shape
        factor = weight.to(precision) if ready is None else weight  # else it multiplies nothing
        largest = shift.new_empty(batch, length, units)
        shift = shift.to(precision)
        winners = torch.empty_like(largest, dtype=torch.uint8)
        most = max(1, batch * length if weight.is_cuda else CACHED // len(weight))
        for part in _parts(batch, length, most):
            if ready is None or rows is None:
                pieces = _product(sequence[part], factor)
            else:
                pieces = ready[:, part[1]].index_select(0, rows[part[0]])
            largest[part], winners[part] = _largest(pieces.add_(shift[part[0], None]), units)
        ctx.precision = precision
        ctx.save_for_backward(sequence, weight, winners)
        return largest  # (B, L, H)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        sequence, weight, winners = ctx.saved_tensors
        batch, length, units = gradient.shape
        short = len(weight) <= torch.iinfo(torch.int16).max  # sorted faster
        row_type = torch.int16 if short else torch.int32
        every_row = torch.arange(len(weight), dtype=row_type, device=weight.device)
        # (B * L, H) rows of the weight: more than a winner's byte holds
        taken = winners.view(-1, units).int() * units + every_row[:units]
        gradient = gradient.to(weight.dtype).reshape(-1, units)
        of_shift = gradient.new_zeros(batch, len(weight)).scatter_add_(
            1, taken.view(batch, -1).long(), gradient.view(batch, -1)
        )
        gradient = gradient.to(ctx.precision)
        steps = sequence.to(ctx.precision).flatten(0, 1)  # (B * L, D)
        of_sequence = F.embedding_bag(
            taken, weight.to(ctx.precision), per_sample_weights=gradient, mode="sum"
        )
        # The same the other way round: of each row, the steps that took it.
        of_weight = torch.zeros_like(weight)
        most = max(1, batch * length if weight.is_cuda else SORTED)
        for part in zip(steps.split(most), taken.split(most), gradient.split(most), strict=True):
            rows, order = part[1].flatten().to(row_type).sort()
            of_weight += F.embedding_bag(
                order // units,
                part[0],
                torch.searchsorted(rows, every_row),
                per_sample_weights=part[2].flatten().index_select(0, order),
                mode="sum",
            )
        of_sequence = of_sequence.to(sequence.dtype).view_as(sequence)
        return of_sequence, of_weight, of_shift, None, None, None, None


def maxout(
    sequence: Tensor,
    weight: Tensor,
    shift: Tensor,
    *,
    units: int,
    precision: torch.dtype,
    product: Tensor | None = None,
    rows: Tensor | None = None,
) -> Tensor:
    """Compute the largest pieces.

    Args:
        sequence: (B, L, D).
        weight: (P * H, D); piece p of unit h is row p * H + h. P is at most 256.
        shift: (B, P * H) what is added to the pieces of every step of a sequence.
        units: H.
        precision: To compute the pieces in.
        product: (B', L, P * H) from `maxout_product`, which spares the fast form the same work;
            None computes it in parts, without keeping it.
        rows: (B,) which of the B' sequences of `product` each one is; None if they are the same.

    Returns:
        (B, L, H) in the precision of `shift`.
    """
    if not available.supports_fast_form(sequence):
        return maxout_plain(sequence, weight, shift, units=units, precision=precision)
    if product is not None and rows is None:
        rows = torch.arange(len(sequence), device=sequence.device)
    largest: Tensor = LargestPieces.apply(sequence, weight, shift, product, rows, units, precision)
    return largest
