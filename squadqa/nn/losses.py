"""Negative log-likelihoods, and cross-entropies with a teacher's probabilities.

Letters: B batch, C context tokens, N candidates.
"""

import torch
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


def taught_cross_entropy(logits: Tensor, taught: Tensor, *, temperature: float) -> Tensor:
    """Cross-entropy of a model's distribution with a teacher's, both softened by a temperature.

    Reference: Hinton, Vinyals and Dean, 2015, Distilling the Knowledge in a Neural Network (arXiv
    1503.02531), section 2. The square of the temperature keeps the gradients' size.

    Args:
        logits: (B, C) masked scores.
        taught: (B, C) the teacher's probabilities, 0 where padded.
        temperature: Above 0; larger ones make unlikely tokens count for more.

    Returns:
        (B,) in nats, 0 where the teacher says nothing.
    """
    softened = taught.float().pow(1 / temperature)  # (B, C)
    softened = softened / softened.sum(dim=1, keepdim=True).clamp_min(torch.finfo().tiny)
    log_probabilities = F.log_softmax(logits.float() / temperature, dim=1)
    # Padding has no probability, and a log-probability of nearly minus infinity.
    products = (softened * log_probabilities).masked_fill(softened == 0, 0.0)
    return -products.sum(dim=1) * temperature**2


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
