"""The questions of a split with their candidates, and how some of them become a batch."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from squadqa.batch import CandidateBatch, TreeBatch
from squadqa.data.candidates.features import (
    DEPENDENCY_HASHES,
    TAG_HASHES,
    SourceFeatures,
)
from squadqa.data.candidates.parse import silent_tokens, trimmed
from squadqa.data.candidates.statistics import Ints, Rarity, ValueStatistics
from squadqa.data.dataset import QuestionDataset, word_batch
from squadqa.data.positions import padded_positions
from squadqa.data.prepare import PreparedData
from squadqa.data.span_arrays import WordFormArrays

Targets = Literal["answer", "occurrences"]
"""The right candidates in training: the shortest one that contains the answer, or each candidate
of the paragraph with the same text as that one."""

COUNTED_TOGETHER = 1_000
"""Number of questions whose candidates are compared at a time: some MB."""


class CandidateDataset(QuestionDataset[CandidateBatch]):
    """Questions of a prepared source, batched for scorers of candidates.

    Args:
        data: A prepared source.
        features: The features extracted from it.
        words: Weights of words.
        bigrams: Weights of bigrams.
        values: Statistics of the continuous features in train.
        forms: The word forms, for scorers that read them; None leaves them out.
        rows: Questions of `data` to take, in order; None takes all.
        targets: Which candidates are right in training.
        abstains: Whether batches say which questions have no answer.
    """

    def __init__(
        self,
        data: PreparedData,
        *,
        features: SourceFeatures,
        words: Rarity,
        bigrams: Rarity,
        values: ValueStatistics,
        forms: WordFormArrays | None = None,
        rows: NDArray[np.int64] | None = None,
        targets: Targets = "answer",
        abstains: bool = False,
    ) -> None:
        super().__init__(data, rows=rows, abstains=abstains)
        self.features = features
        self.targets = targets
        self._values = values.tensors()
        self._forms = forms
        parse = features.parse
        size = int(parse.bounds[-1])
        self._word_weights = words[features.words[:size]]
        self._words = words
        starts_bigram = features.bigrams[:size] != 0
        self._bigram_weights = np.where(starts_bigram, bigrams[features.bigrams[:size]], 0)
        self._sentences = np.searchsorted(parse.sentence_bounds[:-1], parse.bounds)
        self._lemmas = None if data.annotation is None else data.annotation.lemmas
        self._silent = silent_tokens(data.tokens)
        self._answers = self._trimmed_answers()

    def collate(self, items: Sequence[int]) -> CandidateBatch:
        """Make a batch of questions.

        Args:
            items: B indices of questions in this data set.

        Returns:
            The batch, padded to its longest context and to the most sentences and candidates.
        """
        data, features, parse = self.data, self.features, self.features.parse
        index = np.asarray(items, np.int64)
        rows = self.rows[index]
        contexts = data.paragraphs[rows].astype(np.int64)
        context, context_mask = padded_positions(parse.bounds, contexts)
        question, question_mask = padded_positions(data.tokens.bounds, len(data.contexts) + rows)
        candidate, candidate_mask = padded_positions(features.candidates.bounds, contexts)
        sentence, sentence_mask = padded_positions(self._sentences, contexts)

        def asked(values: NDArray[np.uint64]) -> Ints:
            """First question token with each context token's value, -1 if there is none."""
            same = values[context][:, :, None] == values[question][:, None, :]
            same &= question_mask[:, None, :] & context_mask[:, :, None]
            return np.where(same.any(axis=2), same.argmax(axis=2), -1)

        matched = asked(features.words)
        spans = np.where(candidate_mask[:, :, None], features.candidates.spans[candidate], 0)
        begin = parse.bounds[contexts][:, None]
        limits = np.stack(
            [parse.sentence_bounds[sentence], parse.sentence_bounds[sentence + 1] - 1], axis=2
        )
        sentence_spans = np.where(sentence_mask[:, :, None], limits - begin[:, :, None], 0)
        arrays = {
            "index": index,
            "candidate_spans": spans,
            "candidate_mask": candidate_mask,
            "candidate_labels": self._labels(rows, candidate, candidate_mask, spans),
            "candidate_heads": np.where(candidate_mask, features.candidates.heads[candidate], 0),
            "candidate_sentences": np.where(
                candidate_mask, features.candidates.sentences[candidate], 0
            ),
            "candidate_constituents": features.constituents[candidate].view(np.int64),
            "candidate_tags": features.tags[candidate].view(np.int64),
            "sentence_spans": sentence_spans,
            "sentence_roots": self._roots(rows, context, context_mask, question, question_mask,
                sentence, sentence_mask, sentence_spans),
            "matched_places": matched,
            "word_matches": (matched >= 0) * self._word_weights[context],
            "bigram_matches": (asked(features.bigrams) >= 0) * self._bigram_weights[context],
            "word_weights": context_mask * self._word_weights[context],
            "question_terms": self._terms(question, question_mask),
            "question_paths": np.where(question_mask, features.question_paths[question], 0),
            "question_kinds": features.question_kinds[rows].view(np.int64),
            "question_types": features.question_types[rows],
        }  # fmt: skip
        return CandidateBatch(
            **_tensors(arrays),
            tree=self._tree(context, context_mask, begin),
            words=None
            if self._forms is None
            else word_batch(self._forms.of_texts(context, context_mask, question, question_mask)),
            **self._values,
            unanswerable=self.unanswerable(rows),
            question_weights=self._question_weights(question, question_mask),
        )

    def _question_weights(
        self, question: Ints, question_mask: NDArray[np.bool_]
    ) -> torch.Tensor | None:
        """(B, Q) weights of the words that count, each once; None if no model abstains."""
        if self._unanswerable is None:
            return None
        words = self.features.words[question]
        same = (words[:, :, None] == words[:, None, :]) & question_mask[:, None, :]
        is_first = same.argmax(axis=2) == np.arange(words.shape[1])
        counted = question_mask & is_first & ~self._silent[question]
        return torch.from_numpy(np.where(counted, self._words[words], 0).astype(np.int64))

    def _terms(self, question: Ints, question_mask: NDArray[np.bool_]) -> Ints:
        """(B, T) hashes of the words that count, without gaps; 0 after them."""
        counted = question_mask & ~self._silent[question]
        words = np.where(counted, self.features.words[question].view(np.int64), 0)
        order = np.argsort(~counted, axis=1, kind="stable")
        return np.take_along_axis(words, order, 1)[:, : max(1, int(counted.sum(1).max()))]

    def _tree(self, context: Ints, context_mask: NDArray[np.bool_], begin: Ints) -> TreeBatch:
        annotation, parse = self.data.annotation, self.features.parse
        no_hashes = np.zeros(context.shape, np.int64)
        first_sentences = parse.sentences[context[:, :1]]
        arrays = {
            "counted": ~self._silent[context],
            "words": self.features.words[context].view(np.int64),
            "labels": no_hashes if annotation is None
            else DEPENDENCY_HASHES[annotation.dependencies[context]],
            "tags": no_hashes if annotation is None else TAG_HASHES[annotation.tags[context]],
            "heads": parse.heads[context] - begin,
            "depths": parse.depths[context],
            "sentences": parse.sentences[context] - first_sentences,
        }  # fmt: skip
        arrays = {name: np.where(context_mask, a, 0).astype(a.dtype) for name, a in arrays.items()}
        return TreeBatch(mask=torch.from_numpy(context_mask), **_tensors(arrays))

    def count_without_target(self) -> int:
        """Count the questions whose answer no candidate contains."""
        bounds = self.features.candidates.bounds
        count = -self.num_unanswerable
        for start in range(0, len(self.rows), COUNTED_TOGETHER):
            rows = self.rows[start : start + COUNTED_TOGETHER]
            candidate, mask = padded_positions(bounds, self.data.paragraphs[rows].astype(np.int64))
            spans = self.features.candidates.spans[candidate]
            count += int((~self._containing(rows, mask, spans).any(axis=1)).sum())
        return count

    def _containing(
        self, rows: Ints, candidate_mask: NDArray[np.bool_], spans: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        """(B, N) True on the candidates that contain the answer."""
        first, last = self._answers[rows, :1], self._answers[rows, 1:]
        contains = (spans[:, :, 0] <= first) & (spans[:, :, 1] >= last) & candidate_mask
        return contains & (first >= 0)

    def _trimmed_answers(self) -> Ints:
        """(N, 2) first and last token of each first reference without silent ends, or -1."""
        data = self.data
        known = data.start_positions >= 0
        offsets = self.features.parse.bounds[data.paragraphs[known]]
        first = data.start_positions[known] + offsets
        last = data.end_positions[known] + offsets
        answers = np.full((len(known), 2), -1, np.int64)
        answers[known] = (
            np.stack(trimmed(self.features.parse, first, last), axis=1) - offsets[:, None]
        )
        return answers

    def _labels(
        self,
        rows: Ints,
        candidate: Ints,
        candidate_mask: NDArray[np.bool_],
        spans: NDArray[np.int32],
    ) -> NDArray[np.bool_]:
        """(B, N) True on the candidates that are right in training."""
        contains = self._containing(rows, candidate_mask, spans)
        lengths = np.where(contains, spans[:, :, 1] - spans[:, :, 0], np.iinfo(np.int32).max)
        chosen = lengths.argmin(axis=1)[:, None]
        if self.targets == "answer":
            labels = np.arange(spans.shape[1]) == chosen
        else:
            texts = self.features.texts[candidate]
            labels = texts == np.take_along_axis(texts, chosen, axis=1)
        return labels & candidate_mask & contains.any(axis=1, keepdims=True)

    def _roots(
        self,
        rows: Ints,
        context: Ints,
        context_mask: NDArray[np.bool_],
        question: Ints,
        question_mask: NDArray[np.bool_],
        sentence: Ints,
        sentence_mask: NDArray[np.bool_],
        sentence_spans: Ints,
    ) -> NDArray[np.bool_]:
        """(B, S, 3) bools: which roots of sentences and questions match."""
        if self._lemmas is None:
            return np.zeros((*sentence.shape, 3), bool)
        root = self.features.question_roots[rows][:, None]
        sentence_root = self.features.sentence_roots[sentence]
        has_root = (self._lemmas[context] == root) & context_mask
        running = np.zeros((len(rows), context.shape[1] + 1), np.int64)
        running[:, 1:] = has_root.cumsum(axis=1)
        start, stop = sentence_spans[:, :, 0], sentence_spans[:, :, 1] + 1
        held = np.take_along_axis(running, stop, 1) > np.take_along_axis(running, start, 1)
        lemmas = np.where(question_mask, self._lemmas[question], -1)
        asked = (sentence_root[:, :, None] == lemmas[:, None, :]).any(axis=2)
        return np.stack([sentence_root == root, held, asked], axis=2) & sentence_mask[:, :, None]


def _tensors(arrays: dict[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    """Make tensors: booleans stay booleans, numbers become int64."""
    return {
        name: torch.from_numpy(a if a.dtype == bool else a.astype(np.int64, copy=False))
        for name, a in arrays.items()
    }
