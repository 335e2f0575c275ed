"""The batches that data hands to models: frozen records of tensors.

Letters: B batch, P distinct contexts of the batch, C context tokens, Q question tokens, U distinct
word forms of the batch, W characters of a word, E width of the word vectors.
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
            device: The target device.
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
        characters: (U, W) int64 character ids, 0 after the word's end.
        vectors: (U, E) pretrained vector; zeros if no source has the form.
        frequent: (U,) int64 rank of the form among the most frequent ones of train, from 1; 0 for
            all other forms.
    """

    characters: Tensor
    vectors: Tensor
    frequent: Tensor

    def select(self, rows: Tensor) -> FormBatch:
        """Select some of the forms: (U') rows, the first of which is padding."""
        return FormBatch(self.characters[rows], self.vectors[rows], self.frequent[rows])


@dataclass(frozen=True)
class SpanBatch(TensorRecord):
    """Questions with their contexts, for readers that point at a start and an end.

    Args:
        index: (B,) int64 the question's index in its data set.
        forms: The batch's distinct word forms.
        context_ids: (B, C) int64 rows of `forms`, 0 where padded.
        question_ids: (B, Q) int64 rows of `forms`, 0 where padded.
        context_mask: (B, C) bool, True on a token.
        question_mask: (B, Q) bool, True on a token.
        context_matches: (B, C, 3) float: 1.0 if the question contains the same form, lower-cased
            form, lemma.
        context_term_frequency: (B, C) float share of the context's tokens that have this
            lower-cased form.
        context_tags: (B, C) int64 part of speech, 0 if unknown.
        context_entities: (B, C) int64 entity type, 0 if none.
        start_positions: (B,) int64 first token of the answer, -1 if unknown.
        end_positions: (B,) int64 last token of the answer, inclusive, -1 if unknown.
        paragraphs: (B,) int64 each question's place among the batch's P distinct contexts; None:
            every context is read by itself, even if another one is the same.
        paragraph_rows: (P,) int64 a row with each distinct context; None as `paragraphs`.
        unanswerable: (B,) bool, True if the question has no answer, which is not the same as an
            answer that is unknown; None: models are to answer every question.
        taught_starts: (B, C) float a teacher's probabilities of the answer's first token, 0 where
            padded; None without a teacher.
        taught_ends: (B, C) float the same of the last token.
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
    paragraphs: Tensor | None = None
    paragraph_rows: Tensor | None = None
    unanswerable: Tensor | None = None
    taught_starts: Tensor | None = None
    taught_ends: Tensor | None = None

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class Sizes:
    """The sizes of the data that a model is built from.

    Args:
        vector_size: E, the width of the word vectors; 0 without vectors.
        tuned_words: How many of train's most frequent word forms are known; a model may train their
            vectors.
        num_buckets: Buckets of a continuous feature of candidates; 0 without such features.
        abstains: Whether some questions have no answer, so that a model has to say so of them.
    """

    vector_size: int = 0
    tuned_words: int = 0
    num_buckets: int = 0
    abstains: bool = False


@dataclass(frozen=True)
class TreeBatch(TensorRecord):
    """The contexts' tokens in their dependency trees.

    Args:
        mask: (B, C) bool, True on a token.
        counted: (B, C) bool, True on a token that is neither an article nor punctuation.
        words: (B, C) int64 hash of each token's word.
        labels: (B, C) int64 hash of its dependency label.
        tags: (B, C) int64 hash of its part of speech.
        heads: (B, C) int64 its head; the head of a root is the root itself.
        depths: (B, C) int64 arcs to its root.
        sentences: (B, C) int64 its sentence.
    """

    mask: Tensor
    counted: Tensor
    words: Tensor
    labels: Tensor
    tags: Tensor
    heads: Tensor
    depths: Tensor
    sentences: Tensor


@dataclass(frozen=True)
class WordBatch(TensorRecord):
    """Contexts and questions as word forms.

    Args:
        forms: The batch's distinct word forms.
        context_ids: (B, C) int64 rows of `forms`, 0 where padded.
        question_ids: (B, Q) int64 rows of `forms`, 0 where padded.
    """

    forms: FormBatch
    context_ids: Tensor
    question_ids: Tensor


@dataclass(frozen=True)
class CandidateBatch(TensorRecord):
    """Questions with their contexts' candidate answers, for scorers that rank them.

    It holds tokens, sentences and the candidates' boundaries; scorers sum the feature groups of
    each candidate from these. Weights are whole numbers (a weight of 1.0 is stored as `UNIT` of
    `squadqa.data.candidates.statistics`), so that their sums are exact.

    More letters: N candidates, S sentences, V continuous features, L labels of a span,
    K kinds of a question.

    Args:
        index: (B,) int64 the question's place in its data set.
        tree: The contexts' words and dependency trees.
        words: The same words as forms, for scorers that read vectors and characters; or None.
        candidate_spans: (B, N, 2) int64 first and last token, inclusive.
        candidate_mask: (B, N) bool, True on a candidate.
        candidate_labels: (B, N) bool, True on the right candidates; all False if they are unknown.
        candidate_heads: (B, N) int64 token that heads each candidate in the dependency tree.
        candidate_sentences: (B, N) int64 sentence of each candidate.
        candidate_constituents: (B, N, L) int64 hashes of the span's constituent labels.
        candidate_tags: (B, N) int64 hash of the span's sequence of parts of speech.
        sentence_spans: (B, S, 2) int64 first and last token, inclusive.
        sentence_roots: (B, S, 3) bool: the roots of sentence and question are equal, the sentence
            contains the question's root, the question contains the sentence's root.
        matched_places: (B, C) int64 first question token with the same word as each token, -1 if
            none.
        word_matches: (B, C) int64 weight of each token whose word occurs in the question, else 0.
        bigram_matches: (B, C) int64 weight of each token that starts a bigram of the question, else
            0.
        word_weights: (B, C) int64 weight of each token.
        question_terms: (B, T) int64 hashes of the question's words without articles and
            punctuation; 0 where padded.
        question_paths: (B, Q) int64 hash of the path from the wh-word to each token.
        question_kinds: (B, K) int64 hashes of the question's wh-word, and of longer parts of its
            wh-phrase.
        question_types: (B,) int64 number of the wh-word, 0 if there is none.
        bucket_edges: (V, buckets - 1) int64 edges of the continuous features' buckets, measured on
            train.
        value_means: (V,) float means of the continuous features in train.
        value_deviations: (V,) float their standard deviations in train.
        unanswerable: (B,) bool, True if the question has no answer; None: scorers are to answer
            every question.
        question_weights: (B, Q) int64 weight of each question token, 0 if an earlier one has the
            same word, and for articles and punctuation; None as `unanswerable`.
    """

    index: Tensor
    tree: TreeBatch
    words: WordBatch | None
    candidate_spans: Tensor
    candidate_mask: Tensor
    candidate_labels: Tensor
    candidate_heads: Tensor
    candidate_sentences: Tensor
    candidate_constituents: Tensor
    candidate_tags: Tensor
    sentence_spans: Tensor
    sentence_roots: Tensor
    matched_places: Tensor
    word_matches: Tensor
    bigram_matches: Tensor
    word_weights: Tensor
    question_terms: Tensor
    question_paths: Tensor
    question_kinds: Tensor
    question_types: Tensor
    bucket_edges: Tensor
    value_means: Tensor
    value_deviations: Tensor
    unanswerable: Tensor | None = None
    question_weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.index)
