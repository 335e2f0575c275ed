"""Few layers, kernels of mixed and large widths first, and a fully connected end.

Reference: Krizhevsky, Sutskever and Hinton, 2012, ImageNet Classification with Deep Convolutional
Neural Networks: convolution, ReLU and maximum pooling in blocks, dropout before fully connected
layers (section 4.2).

Departs from the paper: a word is 1 to 16 characters long, so there are two blocks, the second one
pooled over the whole word, and one fully connected layer. Pooling windows do not overlap. Local
response normalisation is left out; batch normalisation is there by option.

Letters: U distinct word forms, R characters of all of them (R' once halved), D width of a row.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from squadqa.nn.char_cnn.base import CharCNN
from squadqa.nn.char_cnn.convolution import Embedded, initialize
from squadqa.nn.char_cnn.words import Words


class AlexNetCharCNN(CharCNN):
    """Two blocks of convolution and pooling, dropout, and a fully connected layer.

    Args:
        first_filters: The first layer's filters by kernel width in characters, widths odd.
        second_filters: The second layer's filters, of width 3.
        output_size: Width of a word form's vector.
        dropout: Share of what the fully connected layer reads that is dropped in training.
        **options: Of `CharCNN`.

    Raises:
        ConfigError: A width is even, or there are no filters of a width.
    """

    def __init__(
        self,
        *,
        first_filters: Mapping[int, int] | None = None,
        second_filters: int = 72,
        output_size: int = 100,
        dropout: float = 0.2,
        **options: Any,
    ) -> None:
        super().__init__(output_size=output_size, dropout=dropout, **options)
        filters = {3: 24, 5: 24, 7: 24} if first_filters is None else first_filters
        self.first = nn.ModuleList(
            self.convolution(self.characters.embedding_dim, count, width)
            for width, count in filters.items()
        )
        self.second = self.convolution(sum(filters.values()), second_filters, 3)
        self.connected = nn.Linear(second_filters, output_size)
        initialize(self.connected.weight, self.initialization)

    def encode(self, characters: Embedded, words: Words) -> Tensor:
        """Encode the R characters of U words to (U, output_size)."""
        rows = torch.cat([layer(characters, words) for layer in self.first], dim=1)  # (R, D)
        rows, words = words.halved(rows)  # (R', D)
        word = words.maximum(self.second(rows, words))  # (U, D')
        return self.activation(self.connected(self.dropout(word)))
