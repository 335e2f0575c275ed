"""What readers read of some questions, as arrays: numpy alone, so that no torch is needed for it.

The keys are the fields of `squadqa.batch.SpanBatch` and of its `FormBatch`, where their meaning
stands. Letters: B batch, C context tokens, Q question tokens, U distinct word forms of the batch.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squadqa.data.lexicon import character_ids
from squadqa.data.positions import padded_positions
from squadqa.data.prepared import PreparedData
from squadqa.errors import DataError

Arrays = dict[str, NDArray[Any]]

FORM_FIELDS = ("characters", "vectors", "frequent")
"""The keys that belong to `FormBatch`."""


class WordFormArrays:
    """The word forms of a source, and how those of some texts become arrays.

    Args:
        data: A prepared source, with vectors.
        frequent: The most frequent word forms of train, most frequent first; a model may tune their
            vectors.
        max_characters: Number of characters of a word form to keep.

    Raises:
        DataError: The source has no vectors.
    """

    def __init__(
        self, data: PreparedData, *, frequent: Sequence[str] = (), max_characters: int = 16
    ) -> None:
        if data.vectors is None:
            raise DataError(
                f'"{data.source}" was prepared without word vectors',
                next_step="Name at least one source of vectors.",
            )
        self._token_forms = data.tokens.forms
        self._vectors = data.vectors
        self._characters = character_ids(data.tokens.lexicon, max_characters=max_characters)
        rank = {form: number for number, form in enumerate(frequent, start=1)}
        self._frequent = np.array([rank.get(form, 0) for form in data.tokens.lexicon], np.int64)

    def of_texts(
        self,
        context: NDArray[np.int64],
        context_mask: NDArray[np.bool_],
        question: NDArray[np.int64],
        question_mask: NDArray[np.bool_],
    ) -> Arrays:
        """Collect the distinct forms of contexts and questions.

        Args:
            context: (B, C) tokens, numbered over the whole source.
            context_mask: (B, C) True on a token.
            question: (B, Q) tokens, numbered over the whole source.
            question_mask: (B, Q) True on a token.

        Returns:
            `FORM_FIELDS`, and the rows of the forms: `context_ids` and `question_ids`.
        """
        used = np.concatenate(
            [self._token_forms[context][context_mask], self._token_forms[question][question_mask]]
        )
        distinct, inverse = np.unique(used, return_inverse=True)
        context_ids = np.zeros(context.shape, np.int64)
        question_ids = np.zeros(question.shape, np.int64)
        split = int(context_mask.sum())
        context_ids[context_mask] = inverse[:split] + 1
        question_ids[question_mask] = inverse[split:] + 1
        return {**self._of(distinct), "context_ids": context_ids, "question_ids": question_ids}

    def _of(self, distinct: NDArray[np.int32]) -> Arrays:
        characters = self._characters[distinct]
        width = max(1, int((characters != 0).sum(axis=1).max(initial=1)))
        padded = np.zeros((len(distinct) + 1, width), np.int64)
        padded[1:] = characters[:, :width]
        vectors = np.zeros((len(distinct) + 1, self._vectors.shape[1]), np.float32)
        vectors[1:] = self._vectors[distinct]
        frequent = np.zeros(len(distinct) + 1, np.int64)
        frequent[1:] = self._frequent[distinct]
        return {"characters": padded, "vectors": vectors, "frequent": frequent}


class SpanArrays:
    """Questions of a prepared source as arrays, without a Python loop over tokens.

    Args:
        data: A prepared source, with vectors.
        frequent: The most frequent word forms of train, most frequent first; a model may tune their
            vectors.
        max_characters: Number of characters of a word form to keep.

    Raises:
        DataError: The source has no vectors.
    """

    def __init__(
        self, data: PreparedData, *, frequent: Sequence[str] = (), max_characters: int = 16
    ) -> None:
        self.data = data
        self._forms = WordFormArrays(data, frequent=frequent, max_characters=max_characters)
        self._lower = data.lower[data.tokens.forms]
        self._term_frequency = _term_frequency(self._lower, data.tokens.bounds)

    def of_questions(self, rows: NDArray[np.int64]) -> Arrays:
        """Make the arrays of some questions, padded to their longest context and question.

        Args:
            rows: (B,) questions of the source.

        Returns:
            What models read of texts, by the names of `SpanBatch` and `FormBatch`.
        """
        data, tokens = self.data, self.data.tokens
        contexts = data.paragraphs[rows].astype(np.int64)
        context, context_mask = padded_positions(tokens.bounds, contexts)
        question, question_mask = padded_positions(tokens.bounds, len(data.contexts) + rows)

        def matches(values: NDArray[np.int32]) -> NDArray[np.bool_]:
            asked = np.where(question_mask, values[question], -1)
            return (values[context][:, :, None] == asked[:, None, :]).any(axis=2) & context_mask

        same = [matches(tokens.forms), matches(self._lower)]
        annotation = data.annotation
        if annotation is None:
            same.append(np.zeros_like(context_mask))
            tags = entities = np.zeros(context.shape, np.int64)
        else:
            same.append(matches(annotation.lemmas))
            tags = np.where(context_mask, annotation.tags[context], 0).astype(np.int64)
            entities = np.where(context_mask, annotation.entities[context], 0).astype(np.int64)
        term_frequency = np.where(context_mask, self._term_frequency[context], np.float32(0))
        return {
            **self._forms.of_texts(context, context_mask, question, question_mask),
            "context_mask": context_mask,
            "question_mask": question_mask,
            "context_matches": np.stack(same, axis=2).astype(np.float32),
            "context_term_frequency": term_frequency.astype(np.float32),
            "context_tags": tags,
            "context_entities": entities,
        }


def _term_frequency(lower: NDArray[np.int32], bounds: NDArray[np.int64]) -> NDArray[np.float32]:
    """(T,) share of the text's tokens that have the same lower-cased form as each token."""
    lengths = np.diff(bounds)
    text = np.repeat(np.arange(len(lengths)), lengths)
    key = text * (int(lower.max(initial=0)) + 1) + lower
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    return (counts[inverse.reshape(-1)] / lengths[text]).astype(np.float32)
