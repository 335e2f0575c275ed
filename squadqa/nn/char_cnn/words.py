"""Words as runs of rows: what convolutions over characters work on.

There is a row for each character of each word, one word after the other. None is padding, so
padding costs nothing, reaches no kernel and no pooling, and counts in no statistics.

Letters: U words, R rows, K width of a window, D width of a row.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from squadqa.nn.kernels import available
from squadqa.nn.kernels.group_maximum import group_maximum


class Words:
    """Where words stand in (R, D) rows.

    Args:
        lengths: (U,) int64 rows of each word, 0 or more.
        count: R, their sum, if it is known; otherwise a GPU's result has to be waited for.
    """

    def __init__(self, lengths: Tensor, *, count: int | None = None) -> None:
        self.lengths = lengths
        ends = lengths.cumsum(0)  # (U,)
        # (R,) the word of each row
        if available.is_exporting():
            rows = torch.arange(ends[-1], device=ends.device)  # type: ignore[call-overload]
            self.words = (rows[:, None] >= ends).sum(dim=1)
        else:
            self.words = torch.repeat_interleave(lengths, output_size=count)
        self._starts = (ends - lengths)[self.words]  # (R,) first row of each row's word
        self._ends = ends[self.words]  # (R,) row after the last of each row's word
        self._windows: dict[int, Tensor] = {}

    def windows(self, width: int) -> Tensor:
        """Find the rows around each row: (R, K) row numbers, R where there is none in its word.

        Args:
            width: K, odd.
        """
        if width not in self._windows:
            num_rows = self.words.shape[0]
            rows = torch.arange(num_rows, device=self.words.device)[:, None]  # (R, 1)
            around = rows + torch.arange(width, device=rows.device) - width // 2  # (R, K)
            is_inside = (around >= self._starts[:, None]) & (around < self._ends[:, None])
            self._windows[width] = torch.where(is_inside, around, num_rows)
        return self._windows[width]

    def halved(self, rows: Tensor) -> tuple[Tensor, "Words"]:
        """Take the maximum of each two rows, and of a word's last one where it is left over.

        Args:
            rows: (R, D).

        Returns:
            (R', D), and where the words stand in it. A word that had rows still has one or more.
        """
        halves = Words((self.lengths + 1) // 2)
        before = halves.lengths.cumsum(0) - halves.lengths  # (U,)
        places = torch.arange(rows.shape[0], device=rows.device) - self._starts  # (R,) in the word
        pairs = before[self.words] + places // 2  # (R,)
        return group_maximum(rows, pairs, halves.words.shape[0]), halves

    def neighbours(self, rows: Tensor) -> Tensor:
        """Take the maximum of each of (R, D) rows and those beside it in its word."""
        outside = rows.new_full((1, rows.shape[1]), -torch.inf)
        return F.embedding(self.windows(3), torch.cat([rows, outside])).amax(dim=1)

    def maximum(self, rows: Tensor) -> Tensor:
        """Take the maximum of each word's (R, D) rows: (U, D), 0 where a word has none."""
        return group_maximum(rows, self.words, self.lengths.shape[0])

    def mean(self, rows: Tensor) -> Tensor:
        """Average each word's (R, D) rows: (U, D), 0 where a word has none."""
        total = rows.new_zeros(self.lengths.shape[0], rows.shape[1])
        if available.is_exporting():
            total = total.scatter_add(0, self.words[:, None].expand_as(rows), rows)
        else:
            total = total.index_add(0, self.words, rows)
        return total / self.lengths.clamp(min=1)[:, None]
