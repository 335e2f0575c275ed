"""Dropout over sequences and over word forms. Letters: B batch, L length, U word forms, D width."""

import torch.nn.functional as F
from torch import Tensor, nn

from squadqa.errors import ConfigError


class SequenceDropout(nn.Module):
    """Dropout whose mask is drawn for each step, or once for a whole sequence.

    Reference: Gal and Ghahramani, 2016, A Theoretically Grounded Application of Dropout in RNNs
    (the variational form).

    Args:
        probability: Share of features dropped in training, 0 or more, under 1.
        variational: Drop the same features at every step of a sequence.

    Raises:
        ConfigError: The share is out of its range.
    """

    def __init__(self, probability: float, *, variational: bool = False) -> None:
        super().__init__()
        _require_share(probability)
        self.probability = probability
        self.variational = variational

    def forward(self, sequence: Tensor) -> Tensor:
        """Drop features of (B, L, D), scaling the rest."""
        if not self.training or self.probability == 0:
            return sequence
        if not self.variational:
            return F.dropout(sequence, self.probability)
        kept = 1 - self.probability
        mask = sequence.new_empty(sequence.shape[0], 1, sequence.shape[2]).bernoulli_(kept)
        return sequence * mask.div_(kept)


class TypeDropout(nn.Module):
    """Dropout of whole word forms, wherever they occur.

    Reference: Gal and Ghahramani, 2016, A Theoretically Grounded Application of Dropout in RNNs
    (arXiv 1512.05287), section 4.2.

    Args:
        probability: Share of forms dropped in training, 0 or more, under 1.

    Raises:
        ConfigError: The share is out of its range.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        _require_share(probability)
        self.probability = probability

    def forward(self, forms: Tensor) -> Tensor:
        """Drop rows of (U, D), scaling the rest."""
        if not self.training or self.probability == 0:
            return forms
        kept = 1 - self.probability
        return forms * forms.new_empty(len(forms), 1).bernoulli_(kept).div_(kept)


def _require_share(probability: float) -> None:
    if not 0 <= probability < 1:
        raise ConfigError(
            f"a share that dropout drops cannot be {probability}", hint="It is 0 or more, under 1."
        )
