"""The most probable answer spans under a length limit, and the expected F1 of spans.

Letters: B batch, C context tokens, K spans.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

IMPOSSIBLE = torch.finfo(torch.float32).min / 8
"""Scores below this are padding's, not a span's."""


CONSIDERED = 50
"""Number of most probable candidates whose expected F1 is compared."""


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


def expected_f1(spans: Tensor, probabilities: Tensor, counted: Tensor) -> Tensor:
    """Compute the expected F1 of spans, if one of them is right.

    Two spans' F1 is that of the places that they share, without those that the score ignores.

    Args:
        spans: (B, K, 2) first and last token, inclusive.
        probabilities: (B, K) probability of each to be right.
        counted: (B, C) bool, True on a token that is neither an article nor punctuation.

    Returns:
        (B, K) sums of the F1 against each span, times that span's probability.
    """
    before = F.pad(counted.to(probabilities.dtype).cumsum(dim=1), (1, 0))  # (B, C + 1)
    first, stop = spans[:, :, 0], spans[:, :, 1] + 1  # (B, K)
    length = before.gather(1, stop) - before.gather(1, first)  # (B, K)
    begin = first[:, :, None].maximum(first[:, None, :])  # (B, K, K)
    end = stop[:, :, None].minimum(stop[:, None, :]).maximum(begin)  # where both overlap
    shared = _at(before, end) - _at(before, begin)  # (B, K, K)
    f1 = 2 * shared / (length[:, :, None] + length[:, None, :]).clamp(min=1)
    return (f1 @ probabilities[:, :, None]).squeeze(2)


def _at(values: Tensor, places: Tensor) -> Tensor:
    """Return the (B, K, K) values of (B, L) at places."""
    return values.gather(1, places.flatten(1)).view(places.shape)
