"""Softmax and scores over padded sequences. Letters: B batch, L length."""

import torch
from torch import Tensor


def mask_logits(logits: Tensor, mask: Tensor) -> Tensor:
    """Set padded places' scores so low that beside a real one their probability is 0.

    Args:
        logits: (..., L) scores.
        mask: (..., L) bool, True where real; broadcasts.

    Returns:
        (..., L) scores; sums of two of them are still finite.
    """
    return logits.masked_fill(~mask, torch.finfo(logits.dtype).min / 4)


def masked_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last dimension, 0 where padded; all 0 where nothing is real.

    Args:
        logits: (..., L) scores.
        mask: (..., L) bool, True where real; broadcasts.
    """
    return torch.softmax(mask_logits(logits, mask), dim=-1) * mask
