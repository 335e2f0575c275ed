"""Parallel convolutions of several widths with a maximum over the word.

Reference: Kim, 2014, Convolutional Neural Networks for Sentence Classification; over characters as
in Seo et al., 2017 (BiDAF), section 2.1: 100 filters of width 5.

Departs from the papers: padding is neither convolved nor pooled, and kernels reach over a word's
ends, so that a word may be shorter than a kernel. Kim's bound on the norms of weights is left out.

Letters: U distinct word forms, R characters of all of them, D width of a character's embedding.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from squadqa.nn.char_cnn.base import CharCNN
from squadqa.nn.char_cnn.convolution import Embedded
from squadqa.nn.char_cnn.words import Words


class KernelBankCharCNN(CharCNN):
    """A bank of kernels, and a maximum over the word's characters.

    Args:
        filters: Filters by kernel width in characters, widths odd.
        **options: Of `CharCNN`.

    Raises:
        ConfigError: A width is even, or there are no filters of a width.
    """

    def __init__(self, *, filters: Mapping[int, int] | None = None, **options: Any) -> None:
        filters = {5: 100} if filters is None else filters
        super().__init__(output_size=sum(filters.values()), **options)
        self.convolutions = nn.ModuleList(
            self.convolution(self.characters.embedding_dim, count, width)
            for width, count in filters.items()
        )

    def encode(self, characters: Embedded, words: Words) -> Tensor:
        """Encode the R characters of U words to (U, output_size)."""
        maxima = [words.maximum(layer(characters, words)) for layer in self.convolutions]
        return self.dropout(torch.cat(maxima, dim=1))
