"""The most probable answer spans under a length limit. Letters: B batch, C context tokens."""

import torch
import torch.nn.functional as F
from torch import Tensor

IMPOSSIBLE = torch.finfo(torch.float32).min / 8
"""Scores below this are padding's, not a span's."""


def best_spans(
    start_logits: Tensor, end_logits: Tensor, *, max_span_length: int, n_best: int = 1
) -> tuple[Tensor, Tensor]:
    """Find the spans with the highest P(start) * P(end).

    Args:
        start_logits: (B, C) masked scores.
        end_logits: (B, C) masked scores.
        max_span_length: Longest span, in tokens: end - start + 1 is at most this.
        n_best: Spans to find for each question.

    Returns:
        `best_spans` (B, n_best, 2), inclusive, the best first, and `span_scores` (B, n_best), their
        log-probability under the two distributions. Where a context has fewer spans, the last are
        impossible ones inside the padded context, with a very low score.
    """
    start = torch.log_softmax(start_logits.float(), dim=-1)  # (B, C)
    end = torch.log_softmax(end_logits.float(), dim=-1)  # (B, C)
    length = min(max_span_length, start.shape[1])
    beyond = torch.finfo(end.dtype).min / 2
    ends = F.pad(end, (0, length - 1), value=beyond).unfold(1, length, 1)  # (B, C, length)
    scores = (start[:, :, None] + ends).flatten(1)  # (B, C * length)
    kept = min(n_best, scores.shape[1])
    span_scores, places = scores.topk(kept, dim=1)
    starts = places // length
    last = (starts + places % length).clamp(max=start.shape[1] - 1)
    spans = torch.stack([starts, last], dim=2)  # (B, kept, 2)
    if kept < n_best:
        spans = F.pad(spans, (0, 0, 0, n_best - kept))
        span_scores = F.pad(span_scores, (0, n_best - kept), value=2 * beyond)
    return spans, span_scores
