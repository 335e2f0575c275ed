"""The contract of the shared character encoder, and what its architectures have in common.

Letters: U distinct word forms, W characters of the longest, R characters of all of them, D width.
"""

from abc import ABC, abstractmethod
from functools import partial

from torch import Tensor, nn

from squadqa.batch import NUM_CHARACTERS
from squadqa.errors import ConfigError
from squadqa.nn.char_cnn.convolution import (
    ACTIVATIONS,
    Activation,
    Convolution,
    Embedded,
    Initialization,
    Method,
)
from squadqa.nn.char_cnn.words import Words

PADDING = 0
"""Character id after a word's end."""


class CharCNN(nn.Module, ABC):
    """Characters of distinct word forms to one vector each; padding never changes it.

    Args:
        output_size: Width of a word form's vector.
        character_size: Width of a character's embedding.
        activation: What follows each convolution.
        batch_norm: Normalise after each convolution, over the characters of a batch's distinct
            word forms.
        dropout: Share of the last layer's input, or else of the output, dropped in training.
        initialization: How to draw the first weights.
        convolution: How to compute convolutions; the result is the same.

    Raises:
        ConfigError: A width or a share is out of its range.
    """

    def __init__(
        self,
        *,
        output_size: int,
        character_size: int = 16,
        activation: Activation = "relu",
        batch_norm: bool = False,
        dropout: float = 0.0,
        initialization: Initialization = "he",
        convolution: Method = "lookup",
    ) -> None:
        if output_size < 1 or character_size < 1:
            raise ConfigError(
                f"the character encoder cannot have vectors of width {output_size} of characters "
                f"of width {character_size}",
                next_step="Give one filter or more, and a character_size of 1 or more.",
            )
        if not 0 <= dropout < 1:
            raise ConfigError(
                f"the character encoder cannot have a dropout of {dropout}",
                next_step="Give a share: 0 or more, and less than 1.",
            )
        super().__init__()
        self.output_size = output_size
        self.characters = nn.Embedding(NUM_CHARACTERS, character_size, padding_idx=PADDING)
        self.dropout = nn.Dropout(dropout)
        self.activation = ACTIVATIONS[activation]
        self.initialization: Initialization = initialization
        self.convolution = partial(
            Convolution,
            activation=activation,
            batch_norm=batch_norm,
            initialization=initialization,
            method=convolution,
        )

    def forward(self, characters: Tensor) -> Tensor:
        """Encode word forms.

        Args:
            characters: (U, W) ids, `PADDING` after a word's end.

        Returns:
            (U, output_size), 0 where a word has no characters.
        """
        is_character = characters != PADDING
        embedded = Embedded(characters[is_character], self.characters.weight)
        words = Words(is_character.sum(dim=1), count=embedded.ids.shape[0])
        return self.encode(embedded, words) * (words.lengths > 0)[:, None]

    @abstractmethod
    def encode(self, characters: Embedded, words: Words) -> Tensor:
        """Encode the R characters of U words to (U, output_size)."""
