"""Continuous features of candidates: sums over the parts of a sentence, taken from running sums.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250), table 4.

Letters: B batch, C context tokens, N candidates, V features.
"""

import torch
from torch import Tensor

from squadqa.batch import CandidateBatch

VALUES = {"matching_words": 4, "matching_bigrams": 4, "lengths": 4, "span_words": 1}
"""Feature groups with continuous features, and how many: of the words left of the candidate, inside
it, right of it, and of the whole sentence; of the rarity of the candidate's words, inside only."""


def candidate_values(batch: CandidateBatch, group: str) -> Tensor:
    """Give the continuous features of one group, whole numbers from 0.

    Args:
        batch: Questions with their candidates.
        group: A key of `VALUES`.

    Returns:
        (B, N, V) the features; meaningless where there is no candidate.
    """
    first, last = batch.candidate_spans.unbind(2)  # (B, N)
    sentences = batch.candidate_sentences[:, :, None].expand(-1, -1, 2)
    begin, end = batch.sentence_spans.gather(1, sentences).unbind(2)  # (B, N)
    if group == "lengths":
        return torch.stack([first - begin, last - first + 1, end - last, end - begin + 1], dim=2)
    weights, width = {
        "matching_words": (batch.word_matches, 1),
        "matching_bigrams": (batch.bigram_matches, 2),
        "span_words": (batch.word_weights, 1),
    }[group]
    running = torch.nn.functional.pad(weights.cumsum(1), (1, 0))  # (B, C + 1)

    def total(start: Tensor, stop: Tensor) -> Tensor:
        """Weight of the words, or of the whole bigrams, in start <= token < stop: (B, N)."""
        stop = (stop + 1 - width).maximum(start)
        return running.gather(1, stop) - running.gather(1, start)

    inside = total(first, last + 1)
    if group == "span_words":
        return inside[:, :, None]
    parts = [total(begin, first), inside, total(last + 1, end + 1), total(begin, end + 1)]
    return torch.stack(parts, dim=2)


def value_columns(group: str) -> slice:
    """Give a group's columns where the features of all groups stand side by side."""
    names = list(VALUES)
    begin = sum(VALUES[name] for name in names[: names.index(group)])
    return slice(begin, begin + VALUES[group])
