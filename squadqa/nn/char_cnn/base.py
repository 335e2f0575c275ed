"""The contract of the shared character encoder.

Letters: U distinct word forms, W characters, D width.
"""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from squadqa.batch import NUM_CHARACTERS

PADDING = 0
"""Character id behind a word's end."""


class CharCNN(nn.Module, ABC):
    """Characters of distinct word forms to one vector each; padding never changes it.

    Args:
        character_size: Width of a character's embedding.
        output_size: Width of a word form's vector.
    """

    def __init__(self, *, character_size: int, output_size: int) -> None:
        super().__init__()
        self.output_size = output_size
        self.characters = nn.Embedding(NUM_CHARACTERS, character_size, padding_idx=PADDING)

    def forward(self, characters: Tensor) -> Tensor:
        """Encode word forms.

        Args:
            characters: (U, W) ids, `PADDING` behind a word's end.

        Returns:
            (U, output_size).
        """
        embedded = self.characters(characters).transpose(1, 2)  # (U, D, W)
        return self.encode(embedded, characters != PADDING)

    @abstractmethod
    def encode(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Encode embedded characters.

        Args:
            embedded: (U, D, W), zero where padded.
            mask: (U, W) bool, True on a character.

        Returns:
            (U, output_size).
        """
