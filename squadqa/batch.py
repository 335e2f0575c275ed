"""What data hands to models: frozen records of tensors.

Letters: B batch, C context tokens, Q question tokens, U distinct word forms of the batch,
W characters of a word, E width of the word vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch

    Tensor = torch.Tensor

NUM_CHARACTERS = 1024 + 256
"""Size of the character alphabet: see `squadqa.data.lexicon.character_ids`."""

NUM_TAGS = 50
"""Size of the part-of-speech inventory: see `squadqa.data.annotation.TAGS`."""

NUM_ENTITIES = 19
"""Size of the entity inventory: see `squadqa.data.annotation.ENTITIES`."""

_Record = TypeVar("_Record", bound="TensorRecord")


@dataclass(frozen=True)
class TensorRecord:
    """A frozen record whose fields are tensors, other records, or None."""

    def to(self: _Record, device: torch.device | str, *, non_blocking: bool = False) -> _Record:
        """Copy every tensor to a device.

        Args:
            device: Where to.
            non_blocking: Do not wait for copies from pinned memory.
        """
        values = {}
        for field in fields(self):
            value = getattr(self, field.name)
            values[field.name] = (
                value if value is None else value.to(device, non_blocking=non_blocking)
            )
        return type(self)(**values)

    def pin_memory(self: _Record) -> _Record:
        """Copy every tensor to page-locked memory (called by DataLoader)."""
        values = {}
        for field in fields(self):
            value = getattr(self, field.name)
            values[field.name] = None if value is None else value.pin_memory()
        return type(self)(**values)


@dataclass(frozen=True)
class FormBatch(TensorRecord):
    """The distinct word forms of a batch; row 0 is padding and all zero.

    Args:
        characters: (U, W) int64 character ids, 0 behind the word's end.
        vectors: (U, E) pretrained vector, zeros where no source knows the form.
        frequent: (U,) int64 rank of the form among the most frequent of train, from 1; 0 if it is
            none of them.
    """

    characters: Tensor
    vectors: Tensor
    frequent: Tensor


@dataclass(frozen=True)
class SpanBatch(TensorRecord):
    """Questions with their contexts, for readers that point at a start and an end.

    Args:
        index: (B,) int64 the question's place in its data set.
        forms: The batch's distinct word forms.
        context_ids: (B, C) int64 rows of `forms`, 0 where padded.
        question_ids: (B, Q) int64 rows of `forms`, 0 where padded.
        context_mask: (B, C) bool, True on a token.
        question_mask: (B, Q) bool, True on a token.
        context_matches: (B, C, 3) float: the question holds the same form, lower-cased form, lemma.
        context_term_frequency: (B, C) float share of the context's tokens that have this
            lower-cased form.
        context_tags: (B, C) int64 part of speech, 0 if unknown.
        context_entities: (B, C) int64 entity type, 0 if none.
        start_positions: (B,) int64 first token of the answer, -1 if unknown.
        end_positions: (B,) int64 last token of the answer, inclusive, -1 if unknown.
    """

    index: Tensor
    forms: FormBatch
    context_ids: Tensor
    question_ids: Tensor
    context_mask: Tensor
    question_mask: Tensor
    context_matches: Tensor
    context_term_frequency: Tensor
    context_tags: Tensor
    context_entities: Tensor
    start_positions: Tensor
    end_positions: Tensor

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class CandidateBatch(TensorRecord):
    """Questions with their contexts' candidate answers, for scorers that rank them.

    It carries tokens, sentences and the candidates' boundaries; what a feature group says of each
    candidate is summed from them where it is scored. Weights are whole numbers (`UNIT` of
    `squadqa.data.feature_statistics` to 1.0), so that sums of them are exact.

    Letters beyond the above: N candidates, S sentences, V continuous features, L labels of a span,
    K kinds of a question.

    Args:
        index: (B,) int64 the question's place in its data set.
        candidate_spans: (B, N, 2) int64 first and last token, inclusive.
        candidate_mask: (B, N) bool, True on a candidate.
        candidate_labels: (B, N) bool, True on what is to be chosen; nowhere if it is unknown.
        candidate_sentences: (B, N) int64 sentence of each candidate.
        candidate_constituents: (B, N, L) int64 hashes of the span's constituent labels.
        candidate_tags: (B, N) int64 hash of the span's sequence of parts of speech.
        sentence_spans: (B, S, 2) int64 first and last token, inclusive.
        sentence_roots: (B, S, 3) bool: the roots of sentence and question are equal, the sentence
            holds the question's root, the question holds the sentence's root.
        word_matches: (B, C) int64 weight of each token whose word stands in the question, else 0.
        bigram_matches: (B, C) int64 weight of each token that starts a bigram of the question.
        word_weights: (B, C) int64 weight of each token.
        question_kinds: (B, K) int64 hashes of the question's wh-word, and of more of its wh-phrase.
        bucket_edges: (V, buckets - 1) int64 where train cuts the continuous features.
    """

    index: Tensor
    candidate_spans: Tensor
    candidate_mask: Tensor
    candidate_labels: Tensor
    candidate_sentences: Tensor
    candidate_constituents: Tensor
    candidate_tags: Tensor
    sentence_spans: Tensor
    sentence_roots: Tensor
    word_matches: Tensor
    bigram_matches: Tensor
    word_weights: Tensor
    question_kinds: Tensor
    bucket_edges: Tensor

    def __len__(self) -> int:
        return len(self.index)
