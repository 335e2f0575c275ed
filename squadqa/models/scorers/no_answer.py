"""The score of "no answer" among candidate answers: by what of the question the context holds.

A question is often without an answer because the context lacks what it asks about: a rare word of
it is missing, or no sentence holds more than some of its words. Each feature of question and
context is put into one of a few buckets, which have a weight each, and another for each wh-word.
The best candidates' scores count too.

Letters: B batch, C context tokens, Q question tokens, N candidates, S sentences, V features.
"""

import torch
from torch import Tensor, nn

from squadqa.batch import CandidateBatch
from squadqa.data.candidates.features import QUESTION_TYPES
from squadqa.data.candidates.statistics import UNIT

NUM_BUCKETS = 11
"""Buckets of a feature from 0 to 1: ten of a tenth, and one for 1 alone."""

RARE = 12 * UNIT
"""A weight beyond that of any word: a word of one of 160,000 paragraphs."""

MANY_WORDS = 20
"""A number of words that few questions have."""

PAIRED = (0, 1), (1, 3), (1, 9)
"""Pairs of features that are read together."""

SHARES = 11
"""Number of features."""


class NoAnswerCandidate(nn.Module):
    """Scores "no answer" as one more candidate."""

    def __init__(self) -> None:
        super().__init__()
        self.alone = nn.Parameter(torch.zeros(SHARES, NUM_BUCKETS))
        self.asked = nn.Parameter(torch.zeros(len(QUESTION_TYPES), SHARES, NUM_BUCKETS))
        self.pairs = nn.Parameter(torch.zeros(len(PAIRED), NUM_BUCKETS, NUM_BUCKETS))
        self.levels = nn.Parameter(torch.zeros(3))

    def forward(self, candidate_logits: Tensor, batch: CandidateBatch) -> Tensor:
        """Score each question.

        Args:
            candidate_logits: (B, N) masked scores of the candidates.
            batch: The batch, with `question_weights`.

        Returns:
            (B,) scores, on the scale of the candidates'.
        """
        logits = candidate_logits.float()
        buckets = (self._shares(logits, batch) * (NUM_BUCKETS - 1)).long()
        buckets = buckets.clamp(0, NUM_BUCKETS - 1)  # (B, V)
        columns = torch.arange(SHARES, device=buckets.device)
        types = batch.question_types[:, None]  # (B, 1)
        score = (self.alone[columns, buckets] + self.asked[types, columns, buckets]).sum(dim=1)
        for table, (one, other) in zip(self.pairs, PAIRED, strict=True):
            score = score + table[buckets[:, one], buckets[:, other]]
        return score + self._levels(logits) @ self.levels

    def _shares(self, logits: Tensor, batch: CandidateBatch) -> Tensor:
        """Return the (B, V) features, from 0 to 1."""
        weights = batch.question_weights
        assert weights is not None, "data that models may abstain on has the questions' weights"
        total = weights.sum(dim=1).clamp(min=1)  # (B,)
        counts = weights > 0  # (B, Q)
        held = _held(batch, weights.shape[1])  # (B, S, Q)
        anywhere = held.any(dim=1)  # (B, Q)
        by_sentence = (held * weights[:, None, :]).sum(dim=2)  # (B, S)
        best = logits.argmax(dim=1, keepdim=True)  # (B, 1)
        chosen = batch.candidate_sentences.gather(1, best)  # (B, 1)
        missing = (weights * ~anywhere).amax(dim=1)
        rarest = weights.amax(dim=1, keepdim=True)  # (B, 1)
        top = logits.softmax(dim=1).topk(min(2, logits.shape[1]), dim=1).values  # (B, 2)
        roots = batch.sentence_roots.any(dim=1)  # (B, 3)
        in_best = by_sentence.amax(dim=1)
        return torch.stack(
            [
                (anywhere * weights).sum(dim=1) / total,
                in_best / total,
                by_sentence.gather(1, chosen).squeeze(1) / total,
                missing / RARE,
                (anywhere & counts).sum(dim=1) / counts.sum(dim=1).clamp(min=1),
                (anywhere & (weights == rarest)).any(dim=1).float(),
                counts.sum(dim=1) / MANY_WORDS,
                batch.bigram_matches.sum(dim=1) / RARE,
                roots.float().mean(dim=1),
                top[:, 0],
                top[:, 0] - top[:, -1],
            ],
            dim=1,
        ).detach()

    def _levels(self, logits: Tensor) -> Tensor:
        """Return (B, 3): the best score, that of all candidates together, and 1."""
        best, every = logits.amax(dim=1), logits.logsumexp(dim=1)
        return torch.stack([best, every, torch.ones_like(best)], dim=1).detach()


def _held(batch: CandidateBatch, length: int) -> Tensor:
    """Return (B, S, Q) bool: whether a sentence holds the word of a question token."""
    size, sentences = batch.sentence_spans.shape[:2]
    found = batch.matched_places >= 0  # (B, C)
    place = batch.tree.sentences * length + batch.matched_places.clamp(min=0)  # (B, C)
    held = torch.zeros(size, sentences * length, device=place.device)
    held = held.scatter_add(1, place, found.float())
    return held.view(size, sentences, length) > 0
