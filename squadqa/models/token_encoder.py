"""Word forms to vectors: pretrained word vectors and the shared character encoder.

Both families of models share it.

Letters: U distinct word forms of a batch, W characters, E width of the pretrained vectors, D output
width.
"""

import torch
from torch import Tensor, nn

from squadqa.batch import FormBatch, Sizes
from squadqa.errors import ConfigError, require_range
from squadqa.nn.char_cnn import CharCNN


class TokenEncoder(nn.Module):
    """Encodes each distinct word form of a batch once, however often it occurs.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        output_size: D; None joins vector and characters without a projection.
        tuned_words: How many of the most frequent word forms have trainable vectors.
        char_dropout: Share of the character encoder's output dropped in training.

    Raises:
        ConfigError: The data has no word vectors, or the number of tuned words is below 0 or above
            that of the data.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None = None,
        output_size: int | None = None,
        tuned_words: int = 0,
        char_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        vector_size = sizes.vector_size
        if not vector_size:
            raise ConfigError(
                "the model reads words, but the data has no word vectors",
                next_step="Name at least one source with data.inputs.vectors.",
            )
        require_range(0, tuned_words=tuned_words)
        require_range(0, 1, dropout=char_dropout)
        if tuned_words > sizes.tuned_words:
            raise ConfigError(
                f"the model cannot tune {tuned_words:,} words: data.inputs.tuned_words is "
                f"{sizes.tuned_words:,}",
                next_step="Raise it, or lower the model's tuned_words.",
            )
        self.char_cnn = char_cnn
        self.tuned_words = tuned_words
        joined = vector_size + (char_cnn.output_size if char_cnn else 0)
        # Training adds this to a frequent form's pretrained vector; row 0 is for all other forms.
        self.tuning = nn.Embedding(tuned_words + 1, vector_size, padding_idx=0)
        nn.init.zeros_(self.tuning.weight)
        self.dropout = nn.Dropout(char_dropout)
        self.projection = None if output_size is None else nn.Linear(joined, output_size)
        self.output_size = joined if output_size is None else output_size

    def forward(self, forms: FormBatch) -> Tensor:
        """Encode the distinct word forms of a batch.

        Args:
            forms: U word forms, row 0 padding.

        Returns:
            (U, D), row 0 zero.
        """
        rank = forms.frequent.masked_fill(forms.frequent > self.tuned_words, 0)  # (U,)
        encoded = forms.vectors + self.tuning(rank)  # (U, E)
        if self.char_cnn is not None:
            characters = self.dropout(self.char_cnn(forms.characters))
            encoded = torch.cat([encoded, characters], dim=1)  # (U, E + characters)
        if self.projection is not None:
            encoded = self.projection(encoded)  # (U, D)
        is_form = torch.arange(encoded.shape[0], device=encoded.device) > 0
        return encoded * is_form[:, None]
