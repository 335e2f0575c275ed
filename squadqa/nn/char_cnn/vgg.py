"""Stages of stacked convolutions of width 3, with pooling between them.

Reference: Simonyan and Zisserman, 2015, Very Deep Convolutional Networks for Large-Scale Image
Recognition, section 2: two convolutions of width 3 see what one of width 5 sees, with an activation
more. (For images they have fewer weights, 18 F^2 against 25; over characters, 6 F^2 against 5.)

Departs from the paper: two stages, and each filter's maximum over the word in place of the last
pooling and of the fully connected layers.

Letters: U distinct word forms, R characters of all of them (R' once halved), D width of a row.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn.base import CharCNN
from squadqa.nn.char_cnn.convolution import Embedded
from squadqa.nn.char_cnn.words import Words


class VGGCharCNN(CharCNN):
    """Stages of convolutions of width 3; a word's length is halved between them.

    Args:
        stages: Filters of each stage; the last one's are the width of a word form's vector.
        stage_layers: Convolutions in a stage.
        **options: Of `CharCNN`.

    Raises:
        ConfigError: There is no stage, no layer in it, or a stage without filters.
    """

    def __init__(
        self, *, stages: Sequence[int] = (32, 100), stage_layers: int = 2, **options: Any
    ) -> None:
        if not stages or stage_layers < 1:
            raise ConfigError(
                f"the character encoder cannot have {len(stages)} stages of {stage_layers} layers",
                next_step="Give one of each or more, such as stages: [32, 100].",
            )
        super().__init__(output_size=stages[-1], **options)
        self.stage_layers = stage_layers
        sizes = [filters for filters in stages for _ in range(stage_layers)]
        before = [self.characters.embedding_dim, *sizes[:-1]]
        self.layers = nn.ModuleList(map(self.convolution, before, sizes, [3] * len(sizes)))

    def encode(self, characters: Embedded, words: Words) -> Tensor:
        """Encode the R characters of U words to (U, output_size)."""
        first, *others = self.layers
        rows = first(characters, words)  # (R, D)
        for number, layer in enumerate(others, start=1):
            if number % self.stage_layers == 0:
                rows, words = words.halved(rows)  # (R', D)
            rows = layer(rows, words)
        return self.dropout(words.maximum(rows))
