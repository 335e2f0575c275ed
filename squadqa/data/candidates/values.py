"""Continuous features of candidates: sums over the parts of a sentence, from running sums.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250), table 4.

Not in the paper: `position`, `nearby_words` and `sentence_rank`.

Letters: B batch, C context tokens, N candidates, S sentences, V features.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from squadqa.batch import CandidateBatch
from squadqa.data.candidates.statistics import UNIT

VALUES = {
    "matching_words": 4,
    "matching_bigrams": 4,
    "lengths": 4,
    "span_words": 1,
    "position": 2,
    "nearby_words": 8,
    "sentence_rank": 4,
}
"""The feature groups with continuous features, and how many each has.

matching_words, matching_bigrams, lengths: of the words left of the candidate, inside it, right of
it, and of the whole sentence. span_words: rarity of the candidate's words. position: place of the
candidate in the paragraph, and the sentence's number. nearby_words: words of the question within
each of `WINDOWS` on both sides, and the distance of the nearest ones. sentence_rank: how well the
sentence, the one before it and the one after it match the question, as shares of the best
sentence's match; and how many sentences match better."""

WINDOWS = (2, 5, 10)
"""Numbers of tokens on each side of a candidate, inside its sentence or not."""


FAR = 50
"""Largest distance in tokens; also that of a word which does not occur."""


def candidate_values(batch: CandidateBatch, group: str) -> Tensor:
    """Return the continuous features of one group, whole numbers from 0.

    Args:
        batch: Questions with their candidates.
        group: A key of `VALUES`.

    Returns:
        (B, N, V) the features; meaningless on padding.
    """
    return _GROUPS[group](batch)


def value_columns(group: str) -> slice:
    """Return a group's columns in the concatenated features of all groups."""
    names = list(VALUES)
    begin = sum(VALUES[name] for name in names[: names.index(group)])
    return slice(begin, begin + VALUES[group])


def _matching_words(batch: CandidateBatch) -> Tensor:
    return _parts(batch, batch.word_matches, width=1)


def _matching_bigrams(batch: CandidateBatch) -> Tensor:
    return _parts(batch, batch.bigram_matches, width=2)


def _span_words(batch: CandidateBatch) -> Tensor:
    first, last = batch.candidate_spans.unbind(2)
    return _total(batch.word_weights, first, last + 1)[:, :, None]


def _lengths(batch: CandidateBatch) -> Tensor:
    first, last = batch.candidate_spans.unbind(2)
    begin, end = _sentences_of(batch)
    return torch.stack([first - begin, last - first + 1, end - last, end - begin + 1], dim=2)


def _position(batch: CandidateBatch) -> Tensor:
    length = batch.tree.mask.sum(dim=1, keepdim=True).clamp(min=1)  # (B, 1)
    place = batch.candidate_spans[:, :, 0] * UNIT // length
    return torch.stack([place, batch.candidate_sentences], dim=2)


def _nearby_words(batch: CandidateBatch) -> Tensor:
    first, last = batch.candidate_spans.unbind(2)  # (B, N)
    length = batch.word_matches.shape[1]
    values = []
    for window in WINDOWS:
        values.append(_total(batch.word_matches, (first - window).clamp(min=0), first))
        values.append(_total(batch.word_matches, last + 1, (last + 1 + window).clamp(max=length)))
    places = torch.arange(length, device=first.device)
    matched = (batch.word_matches > 0) & batch.tree.counted  # (B, C)
    # The last matched token before each place, and the first one after it.
    before = pad(torch.where(matched, places, -FAR).cummax(dim=1).values, (1, 0), value=-FAR)
    none = length + FAR
    after = torch.where(matched, places, none).flip(1).cummin(dim=1).values.flip(1)
    after = pad(after, (0, 1), value=none)
    values.append((first - before.gather(1, first)).clamp(max=FAR))
    values.append((after.gather(1, last + 1) - last).clamp(max=FAR))
    return torch.stack(values, dim=2)


def _sentence_rank(batch: CandidateBatch) -> Tensor:
    begin, end = batch.sentence_spans.unbind(2)  # (B, S)
    real = torch.arange(begin.shape[1], device=begin.device) <= batch.tree.sentences.amax(
        dim=1, keepdim=True
    )
    match = _total(batch.word_matches, begin, end + 1) * real  # (B, S)
    share = match * UNIT // match.amax(dim=1, keepdim=True).clamp(min=1)
    before, after = pad(share, (1, 0))[:, :-1], pad(share, (0, 1))[:, 1:]
    better = (match[:, None, :] > match[:, :, None]).sum(dim=2)
    sentences = torch.stack([share, before, after, better], dim=2)  # (B, S, V)
    places = batch.candidate_sentences[:, :, None].expand(-1, -1, sentences.shape[2])
    return sentences.gather(1, places)


_GROUPS = {
    "matching_words": _matching_words,
    "matching_bigrams": _matching_bigrams,
    "lengths": _lengths,
    "span_words": _span_words,
    "position": _position,
    "nearby_words": _nearby_words,
    "sentence_rank": _sentence_rank,
}


def _sentences_of(batch: CandidateBatch) -> tuple[Tensor, Tensor]:
    """(B, N) first and last token of each candidate's sentence."""
    sentences = batch.candidate_sentences[:, :, None].expand(-1, -1, 2)
    begin, end = batch.sentence_spans.gather(1, sentences).unbind(2)
    return begin, end


def _parts(batch: CandidateBatch, weights: Tensor, *, width: int) -> Tensor:
    """(B, N, 4) weight left of the candidate, inside it, right of it, and in the whole sentence."""
    first, last = batch.candidate_spans.unbind(2)
    begin, end = _sentences_of(batch)
    bounds = [(begin, first), (first, last + 1), (last + 1, end + 1), (begin, end + 1)]
    return torch.stack([_total(weights, *bound, width=width) for bound in bounds], dim=2)


def _total(weights: Tensor, start: Tensor, stop: Tensor, *, width: int = 1) -> Tensor:
    """Total weight of the items of `width` tokens that are entirely in start <= token < stop."""
    running = pad(weights.cumsum(1), (1, 0))  # (B, C + 1)
    stop = (stop + 1 - width).maximum(start)
    return running.gather(1, stop) - running.gather(1, start)
