"""Parallel convolutions of several widths with a maximum over the word.

Reference: Kim, 2014, Convolutional Neural Networks for Sentence Classification; over characters as
in Seo et al., 2017 (BiDAF), section 2.1: 100 filters of width 5.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn.base import CharCNN


class KernelBankCharCNN(CharCNN):
    """A bank of kernels, each followed by ReLU and a maximum over the word's characters.

    Args:
        filters: Filters by kernel width in characters, widths odd.
        character_size: Width of a character's embedding.

    Raises:
        ConfigError: A width is even, or there are no filters of a width.
    """

    def __init__(
        self, *, filters: Mapping[int, int] | None = None, character_size: int = 16
    ) -> None:
        filters = {5: 100} if filters is None else dict(filters)
        for width, count in filters.items():
            if width < 1 or width % 2 == 0 or count < 1:
                raise ConfigError(
                    f"the character encoder cannot have {count} filters of width {width}",
                    next_step="Give odd widths, such as filters: {3: 50, 5: 50}.",
                )
        super().__init__(character_size=character_size, output_size=sum(filters.values()))
        self.convolutions = nn.ModuleList(
            self._convolution(character_size, count, width) for width, count in filters.items()
        )

    @staticmethod
    def _convolution(character_size: int, count: int, width: int) -> nn.Conv1d:
        convolution = nn.Conv1d(character_size, count, width, padding=width // 2)
        nn.init.kaiming_uniform_(convolution.weight, nonlinearity="relu")
        assert convolution.bias is not None
        nn.init.zeros_(convolution.bias)
        return convolution

    def encode(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Encode (U, D, W) to (U, output_size)."""
        pooled = [
            (convolution(embedded).relu() * mask[:, None, :]).amax(dim=2)  # (U, filters)
            for convolution in self.convolutions
        ]
        return torch.cat(pooled, dim=1)
