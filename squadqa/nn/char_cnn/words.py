"""Words as runs of rows: what convolutions over characters work on.

There is a row for each character of each word, one word behind the other. None is padding, so
padding costs nothing, reaches no kernel and no pooling, and counts in no statistics.

Letters: U words, R rows, K width of a window, D width of a row.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


class Words:
    """Where words stand in (R, D) rows.

    Args:
        lengths: (U,) int64 rows of each word, 0 or more.
    """

    def __init__(self, lengths: Tensor) -> None:
        self.lengths = lengths
        self.words = torch.repeat_interleave(lengths)  # (R,) the word of each row
        ends = lengths.cumsum(0)  # (U,)
        self._starts = (ends - lengths)[self.words]  # (R,) first row of each row's word
        self._ends = ends[self.words]  # (R,) row behind the last of each row's word
        self._windows: dict[int, Tensor] = {}

    def windows(self, width: int) -> Tensor:
        """Give the rows around each row: (R, K) row numbers, R where there is none in its word.

        Args:
            width: K, odd.
        """
        if width not in self._windows:
            rows = torch.arange(len(self.words), device=self.words.device)[:, None]  # (R, 1)
            around = rows + torch.arange(width, device=rows.device) - width // 2  # (R, K)
            is_inside = (around >= self._starts[:, None]) & (around < self._ends[:, None])
            self._windows[width] = around.masked_fill(~is_inside, len(rows))
        return self._windows[width]

    def halved(self, rows: Tensor) -> tuple[Tensor, "Words"]:
        """Take the maximum of each two rows, and of a word's last one where it is left over.

        Args:
            rows: (R, D).

        Returns:
            (R', D), and where the words stand in it; none that had a row is without.
        """
        halves = Words((self.lengths + 1) // 2)
        before = halves.lengths.cumsum(0) - halves.lengths  # (U,)
        places = torch.arange(len(rows), device=rows.device) - self._starts  # (R,) in the word
        pairs = before[self.words] + places // 2  # (R,)
        return maximum(rows, pairs, len(halves.words)), halves

    def neighbours(self, rows: Tensor) -> Tensor:
        """Take the maximum of each of (R, D) rows and those beside it in its word."""
        outside = rows.new_full((1, rows.shape[1]), -torch.inf)
        return F.embedding(self.windows(3), torch.cat([rows, outside])).amax(dim=1)

    def maximum(self, rows: Tensor) -> Tensor:
        """Take the maximum of each word's (R, D) rows: (U, D), 0 where a word has none."""
        return maximum(rows, self.words, len(self.lengths))

    def mean(self, rows: Tensor) -> Tensor:
        """Average each word's (R, D) rows: (U, D), 0 where a word has none."""
        total = rows.new_zeros(len(self.lengths), rows.shape[1]).index_add(0, self.words, rows)
        return total / self.lengths.clamp(min=1)[:, None]


class Maximum(torch.autograd.Function):
    """The maximum of each group of rows; rows that share it share its gradient.

    The same as `scatter_reduce`, whose own backward pass takes three times as long on a CPU.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, groups: Tensor, count: int) -> Tensor:
        """Reduce (R, D) rows of the (R,) groups 0 to G - 1, the count, to (G, D)."""
        index = groups[:, None].expand_as(rows)
        largest = rows.new_zeros(count, rows.shape[1])
        largest.scatter_reduce_(0, index, rows, "amax", include_self=False)
        ctx.save_for_backward(rows, groups, largest)
        return largest

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """Give the gradient of the rows from the (G, D) one of their maxima."""
        rows, groups, largest = ctx.saved_tensors
        is_largest = (rows == largest.index_select(0, groups)).to(rows.dtype)
        index = groups[:, None].expand_as(rows)
        sharing = torch.zeros_like(largest).scatter_add_(0, index, is_largest).clamp_(min=1)
        return is_largest * (gradients[0] / sharing).index_select(0, groups), None, None


def maximum(rows: Tensor, groups: Tensor, count: int) -> Tensor:
    """Take the maximum of each group of rows, 0 where a group has none.

    Args:
        rows: (R, D).
        groups: (R,) int64, 0 to `count` - 1.
        count: G.

    Returns:
        (G, D).
    """
    largest: Tensor = Maximum.apply(rows, groups, count)
    return largest
