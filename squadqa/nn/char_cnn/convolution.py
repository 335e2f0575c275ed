"""Convolutions over the characters of words, computed in one of three ways.

- "im2col", as the lecture teaches it: the receptive fields are copied into columns, and one matrix
  product with the kernel does the rest. The backward pass is derived by hand: see
  `squadqa.nn.kernels.im2col`.
- "lookup": the same, but for a first layer, whose rows come from a small table of characters: what
  each character adds in each place of the kernel is computed once, and then looked up.
- "library": torch's own convolution, for comparison.

On one CPU thread, 100 filters of width 5 take 13 ms a training batch by look-up, 17 by im2col and
20 by the library; of architectures with more layers, im2col takes half to three quarters of the
library's time.

Reference: Chellapilla, Puri and Simard, 2006, High Performance Convolutional Neural Networks for
Document Processing (im2col). Glorot and Bengio, 2010 (Xavier initialisation); He et al., 2015,
Delving Deep into Rectifiers (He, or MSRA, initialisation); Ioffe and Szegedy, 2015, Batch
Normalization.

Letters: U words, R rows (characters of all words), K width of the kernel, D width of a row,
F filters, V characters of the alphabet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn.words import Words
from squadqa.nn.kernels.available import is_exporting
from squadqa.nn.kernels.im2col import convolve_windows

Method = Literal["lookup", "im2col", "library"]
"""Names of the ways to compute a convolution."""

Activation = Literal["relu", "leaky_relu", "elu", "gelu", "tanh"]
"""Names of activations."""

Initialization = Literal["xavier", "he"]
"""Names of the ways to draw first weights."""

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
}


def initialize(weight: Tensor, how: Initialization) -> None:
    """Draw the first weights of a linear layer or a convolution, in place.

    Args:
        weight: (F, D) or (F, D, K).
        how: "xavier" keeps the variance of values and gradients alike, "he" that of values
            after a ReLU.
    """
    if how == "xavier":
        nn.init.xavier_uniform_(weight)
    else:
        nn.init.kaiming_uniform_(weight, nonlinearity="relu")


@dataclass(frozen=True)
class Embedded:
    """Rows that are rows of a table.

    Args:
        ids: (R,) int64.
        table: (V, D).
    """

    ids: Tensor
    table: Tensor

    def rows(self) -> Tensor:
        """Look up the (R, D) rows."""
        return F.embedding(self.ids, self.table)


def im2col(rows: Tensor, weight: Tensor, bias: Tensor | None, words: Words) -> Tensor:
    """Convolve rows by one matrix product; with a kernel of width 1 they are its columns."""
    if weight.shape[2] == 1:
        return F.linear(rows, weight[:, :, 0], bias)
    return convolve_windows(rows, weight, bias, words.windows(weight.shape[2]))


def lookup(embedded: Embedded, weight: Tensor, bias: Tensor | None, words: Words) -> Tensor:
    """Convolve rows of a table as a sum of K look-ups, one for each place of the kernel."""
    filters, _, width = weight.shape
    if len(embedded.ids) < len(embedded.table):  # a few words: only their characters are needed
        used, ids = embedded.ids.unique(return_inverse=True)
        embedded = Embedded(ids, embedded.table.index_select(0, used))
    known = len(embedded.table)
    added = embedded.table @ weight.permute(2, 1, 0)  # (K, V, F)
    added = F.pad(added, (0, 0, 0, 1)).flatten(0, 1)  # (K(V + 1), F), nothing outside of a word
    ids = F.pad(embedded.ids, (0, 1), value=known)[words.windows(width)]  # (R, K)
    places = torch.arange(width, device=ids.device) * (known + 1)
    convolved = F.embedding_bag(ids + places, added, mode="sum")  # (R, F)
    return convolved if bias is None else convolved + bias


def library(rows: Tensor, weight: Tensor, bias: Tensor | None, words: Words) -> Tensor:
    """Convolve with torch's own function, over one text with room between its words."""
    reach = weight.shape[2] // 2
    places = torch.arange(len(rows), device=rows.device) + (words.words + 1) * reach  # (R,)
    length = len(rows) + (len(words.lengths) + 1) * reach + 1  # no text is empty
    text = rows.new_zeros(length, rows.shape[1]).index_copy(0, places, rows)
    convolved = F.conv1d(text.T[None], weight, bias, padding=reach)[0].T
    return convolved.index_select(0, places)


class RowNorm(nn.BatchNorm1d):
    """Batch normalisation over rows; a single row, without variance, by the running statistics."""

    def forward(self, rows: Tensor) -> Tensor:
        """Normalise (R, D) rows."""
        if self.training and len(rows) < 2:
            return F.batch_norm(
                rows, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(rows)


class Convolution(nn.Module):
    """A convolution, then batch normalisation, then an activation.

    Args:
        size: D of its input.
        filters: F.
        width: K, in characters, odd.
        method: How to compute it.
        initialization: How to draw its first weights.
        batch_norm: Whether to normalise.
        activation: What follows; None leaves it to the caller.

    Raises:
        ConfigError: The width is even, or there is nothing to read or no filter.
    """

    def __init__(
        self,
        size: int,
        filters: int,
        width: int,
        *,
        method: Method = "lookup",
        initialization: Initialization = "he",
        batch_norm: bool = False,
        activation: Activation | None = None,
    ) -> None:
        if min(size, filters, width) < 1 or width % 2 == 0:
            raise ConfigError(
                f"the character encoder cannot have {filters} filters of width {width} that read "
                f"{size} values a character",
                next_step="Give one filter or more, of an odd width.",
            )
        super().__init__()
        self.method = method
        self.weight = nn.Parameter(torch.empty(filters, size, width))
        initialize(self.weight, initialization)
        self.bias = None if batch_norm else nn.Parameter(torch.zeros(filters))  # it would cancel
        self.norm = RowNorm(filters) if batch_norm else None
        self.activation = ACTIVATIONS[activation] if activation else None

    def forward(self, rows: Tensor | Embedded, words: Words) -> Tensor:
        """Convolve (R, D) rows, giving (R, F)."""
        convolved = self._convolve(rows, words)
        if self.norm is not None:
            convolved = self.norm(convolved)
        return convolved if self.activation is None else self.activation(convolved)

    def _convolve(self, rows: Tensor | Embedded, words: Words) -> Tensor:
        if isinstance(rows, Embedded):
            if self.method == "lookup" and not is_exporting():
                return lookup(rows, self.weight, self.bias, words)
            rows = rows.rows()
        convolve = library if self.method == "library" else im2col
        return convolve(rows, self.weight, self.bias, words)
