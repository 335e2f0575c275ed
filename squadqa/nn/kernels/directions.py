"""Sequences in the order in which two directions read them, each reversed in its own length.

All of it is taking rows by a permutation. Letters: B batch, L length, R rows, D width.
"""

from typing import Any

import torch
from torch import Tensor

from squadqa.nn.kernels import available


def permute_rows_plain(rows: Tensor, permutation: Tensor) -> Tensor:
    """Put (R, D) rows into the order of a permutation (R,): y_i = x_p(i)."""
    return rows.index_select(0, permutation)


class PermuteRows(torch.autograd.Function):
    """The same; the gradient takes rows by the inverse, where autograd would add them up."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, permutation: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(inverse)
        return rows.index_select(0, permutation)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (inverse,) = ctx.saved_tensors
        return gradients[0].index_select(0, inverse), None, None


def permute_rows(rows: Tensor, permutation: Tensor, inverse: Tensor) -> Tensor:
    """Put rows into the order of a permutation.

    Args:
        rows: (R, D).
        permutation: (R,) int64, which row comes in each place.
        inverse: (R,) int64, which place each row comes to.

    Returns:
        (R, D).
    """
    if available.is_exporting():
        return permute_rows_plain(rows, permutation)
    permuted: Tensor = PermuteRows.apply(rows, permutation, inverse)
    return permuted


def _turned_steps(mask: Tensor) -> Tensor:
    """Make the (B, L) steps in backward order of each sequence; padding stays where it is."""
    steps = torch.arange(mask.shape[1], device=mask.device)  # (L,)
    return torch.where(mask, mask.sum(dim=1, keepdim=True) - 1 - steps, steps)


def reversal(mask: Tensor) -> Tensor:
    """Make the permutation that reverses each sequence and leaves its padding at the end.

    Args:
        mask: (B, L) bool, True on a token.

    Returns:
        (B * L,) row numbers of the flattened batch; applied twice it changes nothing.
    """
    first = torch.arange(mask.shape[0], device=mask.device)[:, None] * mask.shape[1]  # (B, 1)
    return (first + _turned_steps(mask)).flatten()


def reverse(sequence: Tensor, permutation: Tensor) -> Tensor:
    """Reverse each sequence of a batch in its own length.

    Args:
        sequence: (B, L, D).
        permutation: (B * L,) from `reversal`.

    Returns:
        (B, L, D).
    """
    return permute_rows(sequence.flatten(0, 1), permutation, permutation).view_as(sequence)


class Directions:
    """Sequences as steps of both directions, the backward one's reversed in their own lengths.

    Args:
        mask: (B, L) bool, True on a token.
    """

    def __init__(self, mask: Tensor) -> None:
        batch, length = mask.shape
        steps = torch.arange(length, device=mask.device)  # (L,)
        both = torch.stack([steps.expand(batch, length), _turned_steps(mask)])  # (2, B, L)
        first = torch.arange(batch, device=mask.device)[:, None] * length  # (B, 1)
        side = torch.arange(2, device=mask.device)[:, None, None]  # (2, 1, 1)
        self.shape = (2, length, batch)
        self.order = ((first + both) * 2 + side).transpose(1, 2).flatten()  # (2 * L * B,)
        self.inverse = self.order.argsort()

    def to_steps(self, sequence: Tensor) -> Tensor:
        """Take (B, L, 2D), what the two directions read side by side, as (2, L, B, D)."""
        rows = sequence.reshape(self.order.shape[0], -1)
        return permute_rows(rows, self.order, self.inverse).view(*self.shape, -1)

    def to_sequence(self, steps: Tensor) -> Tensor:
        """Take (2, L, B, D) as (B, L, 2D), the directions side by side."""
        _, length, batch = self.shape
        rows = permute_rows(steps.flatten(0, 2), self.inverse, self.order)
        return rows.view(batch, length, -1)
