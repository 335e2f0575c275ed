"""Negative log-likelihoods. Letters: B batch, C context tokens."""

import torch.nn.functional as F
from torch import Tensor

UNKNOWN = -1
"""Position of an answer that is not known; its question has no loss."""


def span_nll(
    start_logits: Tensor, end_logits: Tensor, start_positions: Tensor, end_positions: Tensor
) -> Tensor:
    """Negative log-likelihood of each question's answer: -log p(start) - log p(end).

    Args:
        start_logits: (B, C) masked scores.
        end_logits: (B, C) masked scores.
        start_positions: (B,) first token, `UNKNOWN` if there is no answer.
        end_positions: (B,) last token, inclusive.

    Returns:
        (B,) in nats, 0 where the answer is unknown.
    """
    start = F.cross_entropy(
        start_logits.float(), start_positions, ignore_index=UNKNOWN, reduction="none"
    )
    end = F.cross_entropy(end_logits.float(), end_positions, ignore_index=UNKNOWN, reduction="none")
    return start + end
