"""The score of "no answer" beside the scores of spans.

Reference: Clark and Gardner, 2018, Simple and Effective Multi-Paragraph Reading Comprehension
(arXiv 1710.10723), the no-answer option: a perceptron of 80 units over the context as the start's
and the end's probabilities weight it.

Departs from the paper: instead of a third pooling with weights of its own, the perceptron reads the
highest score of a start and of an end, which no pooling shows.

Letters: B batch, C context tokens, L length, K answers, D width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HIDDEN_SIZE = 80
"""Units of the hidden layer, as in the paper."""

LOWEST = -1e4
"""What stands for the highest score of a context without tokens."""


class NoAnswerHead(nn.Module):
    """Scores "no answer" by what a reader's pointers read and how they scored it.

    Args:
        context_size: D.
        hidden_size: Units of the hidden layer.
    """

    def __init__(self, context_size: int, *, hidden_size: int = HIDDEN_SIZE) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * context_size + 2, hidden_size)
        self.output = nn.Linear(hidden_size, 1)

    def forward(self, context: Tensor, start_logits: Tensor, end_logits: Tensor) -> Tensor:
        """Score each question.

        Args:
            context: (B, C, D) encodings that the pointers read.
            start_logits: (B, C) masked scores.
            end_logits: (B, C) masked scores.

        Returns:
            (B,) scores, on the scale of a start's score plus an end's.
        """
        parts = []
        for logits in (start_logits, end_logits):
            weights = logits.softmax(dim=1).to(context.dtype)  # (B, C), 0 where masked
            parts.append((weights[:, None, :] @ context).squeeze(1))  # (B, D)
            highest = logits.amax(dim=1, keepdim=True).clamp(min=LOWEST)  # (B, 1)
            parts.append(highest.to(context.dtype))
        hidden = self.hidden(torch.cat(parts, dim=1)).relu()  # (B, H)
        return self.output(hidden).squeeze(1)


def log_odds_of(no_answer: Tensor | None, *scores: Tensor) -> Tensor:
    """Compute the log-odds of "no answer" against all answers, where all share one softmax.

    Args:
        no_answer: (B,) scores of "no answer"; None stands for 0.
        *scores: (B, L) masked scores. An answer's score is the sum of one of each.

    Returns:
        (B,) log-odds.
    """
    answers = torch.stack([each.float().logsumexp(dim=1) for each in scores]).sum(dim=0)  # (B,)
    return -answers if no_answer is None else no_answer.float() - answers


def with_no_answer(log_probabilities: Tensor, log_odds: Tensor | None) -> Tensor:
    """Let answers share their softmax with "no answer".

    Args:
        log_probabilities: (B, K) of answers, if there is one.
        log_odds: (B,) log-odds of "no answer"; None if it is not possible.

    Returns:
        (B, K) log-probabilities.
    """
    if log_odds is None:
        return log_probabilities
    return log_probabilities + F.logsigmoid(-log_odds)[:, None]
