"""A multilayer perceptron over candidate answers: feature groups, word vectors and characters.

Lectures name it as the second kind of scorer; there is no paper on it. A candidate's score is that
of a perceptron plus that of a logistic regression over all features. The logistic regression joins
only for the last pass: its crossed features memorise everything they have seen once, and in a
second pass the perceptron would learn nothing next to them. If a time limit or early stopping ends
training before its last pass, the model is only a perceptron. With several processes the strategy
must be `ddp_find_unused_parameters_true`.

Reference: Cheng et al., 2016, Wide & Deep Learning for Recommender Systems (arXiv 1606.07792), for
the sum of the two.

The perceptron's vector of a candidate is a sum of
- its continuous features, standardised, and its labels and tags as embeddings;
- averages over the words of the span, over `window` tokens on both sides of it and over its
  sentence, and single words: the span's head, its first and last word, and the words next to it. A
  word is its vector and characters, with the question's words that are most similar;
- the question, and the product of question and span.
All of these are projected before they are pooled over tokens. So each of the some 400 candidates of
a paragraph costs only looking up sums and the two layers after them.

Letters: B batch, C context tokens, Q question tokens, N candidates, S sentences, U distinct word
forms, V continuous features, H hidden, D width.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squadqa.batch import CandidateBatch, Sizes
from squadqa.data.candidates.values import VALUES, candidate_values, value_columns
from squadqa.errors import ConfigError, require_range
from squadqa.models.base import CandidateLoss, CandidateScorer, Choose
from squadqa.models.scorers.feature_groups import GROUPS, at, check_groups, feature_group
from squadqa.models.scorers.logistic import LogisticScorer
from squadqa.models.scorers.no_answer import NoAnswerCandidate
from squadqa.models.token_encoder import TokenEncoder
from squadqa.nn.attention import AlignedQuestion, AttentionPooling
from squadqa.nn.char_cnn import CharCNN
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.masking import mask_logits

SPREAD = ("inside", "left", "right", "sentence")
"""Places of the words whose average describes a candidate: in it, around it, in its sentence."""

SINGLE = ("head", "first", "last", "before", "after")
"""The single words that describe a candidate; the last two are next to it."""

NUM_MARKS = 3
"""Marks of a token: similarity to the question, being a question word, being one that counts."""

EMBEDDED = ("root_match", "constituent_label", "tag_sequence")
"""Groups that the perceptron reads as embeddings."""

LINEAR_ONLY = ("lexicalized", "dependency_paths")
"""Groups that only the logistic regression reads."""

EMBEDDED_BITS = 18
"""Rows of their tables, as a power of two."""


class MLPScorer(CandidateScorer):
    """Scores candidates by a perceptron over their features and words.

    Args:
        sizes: The sizes of the data.
        char_cnn: Character encoder; None leaves characters out.
        groups: Feature groups to use, of `GROUPS`.
        table_bits: Each group of crossed features has a table of 2 ** table_bits weights.
        group_size: D of the embeddings of labels and tags.
        embedding_size: Width that a word's vector and characters are projected to.
        hidden_size: H, the width of the two hidden layers.
        window: Tokens on each side of a candidate that describe it.
        linear_rate: Learning rate of the logistic regression; the perceptron has the optimiser's.
        dropout: Share of word embeddings and of hidden units dropped in training.
        loss: "softmax" over the paragraph's candidates, or "binary": each candidate is a separate
            sample, right or wrong.
        choose: "probable" takes the most probable candidate, "expected_f1" the one of the highest
            expected F1.

    Raises:
        ConfigError: A group does not exist, the perceptron reads none of the named groups, or the
            data has no word vectors.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        char_cnn: CharCNN | None = None,
        groups: Sequence[str] = GROUPS,
        table_bits: int = 20,
        group_size: int = 8,
        embedding_size: int = 128,
        hidden_size: int = 128,
        window: int = 5,
        linear_rate: float = 0.2,
        dropout: float = 0.2,
        loss: CandidateLoss = "softmax",
        choose: Choose = "probable",
    ) -> None:
        super().__init__(loss=loss, choose=choose)
        check_groups(groups)
        require_range(1, group_size=group_size, embedding_size=embedding_size)
        require_range(1, hidden_size=hidden_size)
        require_range(0, window=window, linear_rate=linear_rate)
        require_range(0, 1, dropout=dropout)
        if all(name in LINEAR_ONLY for name in groups):
            raise ConfigError(
                f"the MLP scorer reads nothing of {', '.join(groups)} but their scores",
                next_step="Name at least one other feature group.",
            )
        self.window = window
        self.linear_rate = linear_rate
        self.linear_joined = True
        self.value_groups = [name for name in groups if name in VALUES]
        # "No answer" is scored once, by the perceptron's side.
        of_answers = replace(sizes, abstains=False)
        self.linear = LogisticScorer(of_answers, groups=groups, table_bits=table_bits)
        self.groups = nn.ModuleDict(
            {
                name: feature_group(
                    name,
                    num_buckets=sizes.num_buckets,
                    table_bits=EMBEDDED_BITS,
                    width=group_size,
                )
                for name in groups
                if name in EMBEDDED
            }
        )
        self.words = TokenEncoder(sizes, char_cnn=char_cnn, output_size=embedding_size)
        self.dropout = nn.Dropout(dropout)
        # One mask for all candidates of a question: drawing one for each would take as long as a
        # layer.
        self.hidden_dropout = SequenceDropout(dropout, variational=True)
        self.aligned_question = AlignedQuestion(embedding_size)
        self.question_pooling = AttentionPooling(embedding_size)
        described = (len(SPREAD) + len(SINGLE)) * hidden_size
        self.said = nn.Linear(embedding_size, described)
        self.asked = nn.Linear(embedding_size, described, bias=False)
        self.marks = nn.Linear(NUM_MARKS, described, bias=False)
        self.question = nn.Linear(embedding_size, hidden_size)
        self.gate = nn.Linear(embedding_size, hidden_size)
        features = sum(VALUES[name] for name in self.value_groups) + group_size * len(self.groups)
        self.features = nn.Linear(features, hidden_size)
        self.hidden = nn.Linear(hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, 1)
        self.no_answer = NoAnswerCandidate() if sizes.abstains else None

    def forward(self, batch: CandidateBatch) -> Tensor:
        """Return the (B, N) `candidate_logits`; padded candidates are masked."""
        logits = self.perceptron(batch)
        if self.linear_joined:
            logits = logits + self.linear.scores(batch)
        return mask_logits(logits, batch.candidate_mask)

    def group_scores(self, batch: CandidateBatch) -> dict[str, Tensor]:
        """Return the (B, N) parts of the score: the perceptron's, and each feature group's."""
        return {"perceptron": self.perceptron(batch), **self.linear.group_scores(batch)}

    def perceptron(self, batch: CandidateBatch) -> Tensor:
        """Return the perceptron's (B, N) scores; meaningless on padding."""
        tokens, question = self._read(batch)  # (B, C, 9H), (B, D)
        inside, *around = self._described(batch, tokens)  # (B, N, H) each
        described = inside * self.gate(question)[:, None, :]
        for part in (inside, *around, self.features(self._features(batch))):
            described = described + part
        hidden = (described + self.question(question)[:, None, :]).relu()  # (B, N, H)
        hidden = self.hidden(self.hidden_dropout(hidden)).relu()  # (B, N, H)
        logits = self.output(self.hidden_dropout(hidden)).squeeze(2)  # (B, N)
        return logits

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the perceptron's parameters, and the logistic regression's with their own rate."""
        linear = list(self.linear.parameters())
        known = set(map(id, linear))
        perceptron = [p for p in self.parameters() if id(p) not in known]
        return [{"params": perceptron}, {"params": linear, "lr": self.linear_rate}]

    def start_epoch(self, epoch: int, *, epochs: int) -> None:
        """Let the logistic regression join for the last pass."""
        self.linear_joined = epoch == epochs - 1

    def _read(self, batch: CandidateBatch) -> tuple[Tensor, Tensor]:
        """The projections of context tokens for each place, (B, C, 9H), and the question, (B, D).

        Each distinct form and each question token is projected once; the average over the
        question's tokens is taken after the projection.
        """
        assert batch.words is not None
        words = self.dropout(self.words(batch.words.forms))  # (U, D)
        context = F.embedding(batch.words.context_ids, words)  # (B, C, D)
        question = F.embedding(batch.words.question_ids, words)  # (B, Q, D)
        question_mask = batch.words.question_ids > 0
        asked = torch.cat([question, self.asked(question)], dim=2)  # (B, Q, D + 9H)
        aligned = self.aligned_question(context, question, question_mask, values=asked)
        likeness = (context * aligned[:, :, : context.shape[2]]).sum(dim=2)  # (B, C)
        matched = batch.matched_places >= 0
        marks = [likeness, matched, matched & batch.tree.counted]
        marked = self.marks(torch.stack([mark.to(words.dtype) for mark in marks], dim=2))
        said = F.embedding(batch.words.context_ids, self.said(words))  # (B, C, 9H)
        tokens = said + aligned[:, :, context.shape[2] :] + marked
        return tokens, self.question_pooling(question, question_mask)

    def _described(self, batch: CandidateBatch, tokens: Tensor) -> list[Tensor]:
        """The descriptions of candidates by the words in each place: (B, N, H) each."""
        first, last = batch.candidate_spans.unbind(2)  # (B, N)
        length = batch.tree.mask.sum(dim=1, keepdim=True)  # (B, 1)
        begin, end = batch.sentence_spans.unbind(2)  # (B, S)
        bounds = {
            "inside": (first, last + 1),
            "left": ((first - self.window).clamp(min=0), first),
            "right": (last + 1, (last + 1 + self.window).minimum(length)),
            "sentence": (begin, end + 1),
        }
        # Place 0 is before the context, and stands for any word that does not exist.
        places = {
            "head": batch.candidate_heads + 1,
            "first": first + 1,
            "last": last + 1,
            "before": first,
            "after": torch.where(last + 1 < length, last + 2, 0),
        }
        parts = tokens.chunk(len(SPREAD) + len(SINGLE), dim=2)  # (B, C, H) each
        spread = [mean_of(part, *bounds[name]) for name, part in zip(SPREAD, parts, strict=False)]
        spread[-1] = at(spread[-1], batch.candidate_sentences)
        single = [
            at(F.pad(part, (0, 0, 1, 0)), places[name])
            for name, part in zip(SINGLE, parts[len(SPREAD) :], strict=True)
        ]
        return spread + single

    def _features(self, batch: CandidateBatch) -> Tensor:
        """Continuous features, standardised, and embedded groups: (B, N, F)."""
        parts = [group(batch) for group in self.groups.values()]
        for name in self.value_groups:
            columns = value_columns(name)
            values = candidate_values(batch, name) - batch.value_means[columns]
            parts.append((values / batch.value_deviations[columns]).clamp(-5.0, 5.0))
        return torch.cat(parts, dim=2)


def mean_of(values: Tensor, start: Tensor, stop: Tensor) -> Tensor:
    """Average (B, C, H) values over start <= token < stop, each (B, L): (B, L, H), 0 if none."""
    running = F.pad(values.cumsum(1), (0, 0, 1, 0))
    total = at(running, stop) - at(running, start)
    return total / (stop - start).clamp(min=1)[:, :, None]
