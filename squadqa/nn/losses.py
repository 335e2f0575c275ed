"""Negative log-likelihoods. Letters: B batch, C context tokens, N candidates."""

import torch.nn.functional as F
from torch import Tensor

from squadqa.nn.masking import mask_logits

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


def no_answer_nll(log_odds: Tensor, unanswerable: Tensor, known: Tensor) -> Tensor:
    """Negative log-likelihood of whether each question has an answer.

    Added to the loss of the right one among all answers, it makes the loss of one softmax over all
    answers and "no answer".

    Reference: Clark and Gardner, 2018, Simple and Effective Multi-Paragraph Reading Comprehension
    (arXiv 1710.10723), the no-answer option.

    Args:
        log_odds: (B,) log-odds of "no answer" against all answers together.
        unanswerable: (B,) bool, True if the question has no answer.
        known: (B,) bool, True if the question's answer is known.

    Returns:
        (B,) in nats, 0 where neither is known.
    """
    loss = F.softplus(log_odds.float().where(~unanswerable, -log_odds.float()))
    return loss.where(unanswerable | known, 0.0)


def candidate_nll(
    candidate_logits: Tensor, candidate_mask: Tensor, candidate_labels: Tensor
) -> Tensor:
    """Negative log-likelihood of choosing a labelled candidate among all of the context.

    Args:
        candidate_logits: (B, N) scores.
        candidate_mask: (B, N) bool, True on a candidate.
        candidate_labels: (B, N) bool, True on each candidate that is right.

    Returns:
        (B,) in nats, 0 where no candidate is labelled.
    """
    logits = candidate_logits.float()
    every = mask_logits(logits, candidate_mask).logsumexp(dim=1)
    right = mask_logits(logits, candidate_labels).logsumexp(dim=1)
    return (every - right).where(candidate_labels.any(dim=1), 0.0)


def candidate_bce(
    candidate_logits: Tensor, candidate_mask: Tensor, candidate_labels: Tensor
) -> Tensor:
    """Binary cross-entropy of each candidate as a sample of its own, summed over a question's.

    Args:
        candidate_logits: (B, N) scores.
        candidate_mask: (B, N) bool, True on a candidate.
        candidate_labels: (B, N) bool, True on each candidate that is right.

    Returns:
        (B,) in nats, 0 where no candidate is labelled.
    """
    losses = F.binary_cross_entropy_with_logits(
        candidate_logits.float(), candidate_labels.float(), reduction="none"
    )
    return (losses * candidate_mask).sum(dim=1).where(candidate_labels.any(dim=1), 0.0)
