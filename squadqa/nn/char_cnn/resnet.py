"""Blocks that add to what they read: y = x + f(x).

Reference: He et al., 2016, Deep Residual Learning for Image Recognition (arXiv 1512.03385), section
3: two convolutions of width 3 in a block, batch normalisation after each convolution and before
its activation, a projection where the width changes, an average at the end.

Departs from the paper: two blocks are enough for a word, and a stage's length is halved by pooling,
not by the stride of its first convolution.

Letters: U distinct word forms, R characters of all of them (R' once halved), D width of a row.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn.base import CharCNN
from squadqa.nn.char_cnn.convolution import Convolution, Embedded
from squadqa.nn.char_cnn.words import Words


class ResNetCharCNN(CharCNN):
    """A convolution of width 3, stages of residual blocks, and an average over the word.

    Args:
        stages: Filters of each stage; the last one's are the width of a word form's vector.
        stage_blocks: Blocks in a stage; before each stage a word's length is halved.
        batch_norm: Normalise after each convolution.
        **options: Of `CharCNN`.

    Raises:
        ConfigError: There is no stage, no block in it, or a stage without filters.
    """

    def __init__(
        self,
        *,
        stages: Sequence[int] = (40, 100),
        stage_blocks: int = 1,
        batch_norm: bool = True,
        **options: Any,
    ) -> None:
        if not stages or stage_blocks < 1:
            raise ConfigError(
                f"the character encoder cannot have {len(stages)} stages of {stage_blocks} blocks",
                next_step="Give one of each or more, such as stages: [40, 100].",
            )
        super().__init__(output_size=stages[-1], batch_norm=batch_norm, **options)
        self.stem = self.convolution(self.characters.embedding_dim, stages[0], 3)
        self.stage_blocks = stage_blocks
        sizes = [filters for filters in stages for _ in range(stage_blocks)]
        self.blocks = nn.ModuleList(
            ResidualBlock(before, filters, convolution=self.convolution, activation=self.activation)
            for before, filters in zip([stages[0], *sizes], sizes, strict=False)
        )

    def encode(self, characters: Embedded, words: Words) -> Tensor:
        """Encode the R characters of U words to (U, output_size)."""
        rows = self.stem(characters, words)  # (R, D)
        for number, block in enumerate(self.blocks):
            if number % self.stage_blocks == 0:
                rows, words = words.halved(rows)  # (R', D)
            rows = block(rows, words)
        return self.dropout(words.mean(rows))


class ResidualBlock(nn.Module):
    """Two convolutions of width 3, with the input added to their output.

    Args:
        size: D of its input.
        filters: D' of its output.
        convolution: Makes a convolution.
        activation: What follows the sum.
    """

    def __init__(
        self,
        size: int,
        filters: int,
        *,
        convolution: partial[Convolution],
        activation: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.first = convolution(size, filters, 3)
        self.second = convolution(filters, filters, 3, activation=None)
        self.shortcut = None
        if size != filters:
            self.shortcut = convolution(size, filters, 1, activation=None)
        self.activation = activation

    def forward(self, rows: Tensor, words: Words) -> Tensor:
        """Convolve (R, D) rows, giving (R, D')."""
        added = self.second(self.first(rows, words), words)  # (R, D')
        kept = rows if self.shortcut is None else self.shortcut(rows, words)
        return self.activation(kept + added)
