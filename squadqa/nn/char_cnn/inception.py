"""Blocks of parallel paths, each seeing another width, and an average over the word.

Reference: Szegedy et al., 2015, Going Deeper with Convolutions (arXiv 1409.4842), section 4:
convolutions of width 1 reduce what wider ones read, and an average stands in place of the fully
connected end. Szegedy et al., 2016, Rethinking the Inception Architecture for Computer Vision
(arXiv 1512.00567), section 3.1: a wide convolution factorised into ones of width 3.

Departs from the papers: a convolution of width 3 and two blocks are enough for a word. Factorising
is off: in one dimension it saves no weights (6 F^2 against 5 F^2 of width 5).

Letters: U distinct word forms, R characters of all of them (R' once halved), D width of a row.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn.base import CharCNN
from squadqa.nn.char_cnn.convolution import Convolution, Embedded
from squadqa.nn.char_cnn.words import Words


class InceptionCharCNN(CharCNN):
    """A convolution of width 3, blocks of parallel paths, and an average over the word.

    Args:
        stem_filters: Filters of the first convolution.
        blocks: Blocks; before each a word's length is halved.
        path_filters: Filters of a block's paths by kernel width in characters, widths odd.
        pooled_filters: Filters of a block's path that follows a maximum over 3 neighbours.
        reduced_size: What a convolution of width 1 reduces the rows of wider ones to.
        factorized: Replace a wider convolution by ones of width 3 that together see as far.
        batch_norm: Normalise after each convolution.
        **options: Of `CharCNN`.

    Raises:
        ConfigError: There is no block, a width is even, or there are no filters of a width.
    """

    def __init__(
        self,
        *,
        stem_filters: int = 32,
        blocks: int = 2,
        path_filters: Mapping[int, int] | None = None,
        pooled_filters: int = 20,
        reduced_size: int = 24,
        factorized: bool = False,
        batch_norm: bool = True,
        **options: Any,
    ) -> None:
        if blocks < 1:
            raise ConfigError(
                f"the character encoder cannot have {blocks} blocks", next_step="Give 1 or more."
            )
        filters = {1: 24, 3: 40, 5: 16} if path_filters is None else path_filters
        size = sum(filters.values()) + pooled_filters
        super().__init__(output_size=size, batch_norm=batch_norm, **options)
        self.stem = self.convolution(self.characters.embedding_dim, stem_filters, 3)
        self.blocks = nn.ModuleList(
            InceptionBlock(
                size if number else stem_filters,
                filters=filters,
                pooled_filters=pooled_filters,
                reduced_size=reduced_size,
                factorized=factorized,
                convolution=self.convolution,
            )
            for number in range(blocks)
        )

    def encode(self, characters: Embedded, words: Words) -> Tensor:
        """Encode the R characters of U words to (U, output_size)."""
        rows = self.stem(characters, words)  # (R, D)
        for block in self.blocks:
            rows, words = words.halved(rows)  # (R', D)
            rows = block(rows, words)
        return self.dropout(words.mean(rows))


class InceptionBlock(nn.Module):
    """Convolutions of several widths, and a pooled path, side by side.

    Args:
        size: D of its input.
        filters: Filters by kernel width.
        pooled_filters: Filters of the pooled path.
        reduced_size: Width of what convolutions wider than 1 read.
        factorized: Replace a wider convolution by ones of width 3.
        convolution: Makes a convolution.
    """

    def __init__(
        self,
        size: int,
        *,
        filters: Mapping[int, int],
        pooled_filters: int,
        reduced_size: int,
        factorized: bool,
        convolution: partial[Convolution],
    ) -> None:
        super().__init__()
        self.paths = nn.ModuleList()
        for width, count in filters.items():
            wide = [3] * (width // 2) if factorized and width > 3 and width % 2 else [width]
            widths = [1] if width == 1 else [1, *wide]
            sizes = [size] + [reduced_size] * (len(widths) - 1) + [count]
            self.paths.append(Stack(map(convolution, sizes, sizes[1:], widths)))
        self.pooled = convolution(size, pooled_filters, 1)

    def forward(self, rows: Tensor, words: Words) -> Tensor:
        """Convolve (R, D) rows, giving (R, D')."""
        paths = [path(rows, words) for path in self.paths]
        return torch.cat([self.pooled(words.neighbours(rows), words), *paths], dim=1)


class Stack(nn.ModuleList):
    """Convolutions, each read by the next."""

    def forward(self, rows: Tensor, words: Words) -> Tensor:
        """Convolve (R, D) rows, giving (R, D')."""
        for convolution in self:
            rows = convolution(rows, words)
        return rows
