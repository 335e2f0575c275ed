"""The questions of a split, and how some of them become a batch."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from squadqa.batch import FormBatch, SpanBatch, WordBatch
from squadqa.data.lexicon import character_ids
from squadqa.data.positions import padded_positions
from squadqa.data.prepare import PreparedData
from squadqa.data.soft_targets import SoftTargets
from squadqa.errors import DataError

Batch = TypeVar("Batch")


class QuestionDataset(torch.utils.data.Dataset[int], Generic[Batch]):
    """Questions of a prepared source, batched for models.

    An item is the question's index in this data set; `collate` does the work for a whole batch at
    once, without a Python loop over tokens.

    Args:
        data: A prepared source.
        rows: Questions of `data` to take, in order; None takes all.
        abstains: Whether batches say which questions have no answer.
    """

    shares_contexts: bool = True
    """Whether batches say which questions share a context, so that a reader may encode it once for
    all of them. With dropout that is another training: these questions then drop the same features.
    """

    def __init__(
        self,
        data: PreparedData,
        *,
        rows: NDArray[np.int64] | None = None,
        abstains: bool = False,
    ) -> None:
        self.data = data
        self.rows = np.arange(len(data.ids)) if rows is None else rows
        self._unanswerable = data.unanswerable if abstains else None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> int:
        return index

    @property
    def context_lengths(self) -> NDArray[np.int64]:
        """(N,) context tokens of each question."""
        lengths = np.diff(self.data.tokens.bounds)
        return lengths[self.paragraphs]

    @property
    def paragraphs(self) -> NDArray[np.int32]:
        """(N,) paragraph of each question."""
        return self.data.paragraphs[self.rows]

    @abstractmethod
    def collate(self, items: Sequence[int]) -> Batch:
        """Make a batch of questions by their indices in this data set, padded to the largest."""

    @abstractmethod
    def count_without_target(self) -> int:
        """Count the questions that training cannot learn from, because no span answers them."""

    @property
    def abstains(self) -> bool:
        """Whether batches say which questions have no answer."""
        return self._unanswerable is not None

    @property
    def num_unanswerable(self) -> int:
        """How many questions have no answer, if batches say which ones; otherwise 0."""
        return 0 if self._unanswerable is None else int(self._unanswerable[self.rows].sum())

    def unanswerable(self, rows: NDArray[np.int64]) -> torch.Tensor | None:
        """Return which questions of `data` have no answer, for a batch; None if it is not to say.

        Args:
            rows: (B,) the questions.
        """
        return None if self._unanswerable is None else torch.from_numpy(self._unanswerable[rows])

    def id_of(self, item: int) -> str:
        """Return the identifier of a question."""
        return str(self.data.ids[int(self.rows[item])])

    def question_of(self, item: int) -> str:
        """Return the text of a question."""
        return str(self.data.questions[int(self.rows[item])])

    def references_of(self, item: int) -> list[str]:
        """Return the reference answers of a question."""
        return list(self.data.answer_texts[int(self.rows[item])].as_py())

    def characters_of(self, item: int, first: int, last: int) -> tuple[int, int]:
        """Return the half-open character span of context tokens.

        Args:
            item: The question's index in this data set.
            first: First token of the span.
            last: Last token of it, inclusive.
        """
        tokens = self.data.tokens
        begin = int(tokens.bounds[self.data.paragraphs[self.rows[item]]])
        return (
            int(tokens.offset_mapping[begin + first, 0]),
            int(tokens.offset_mapping[begin + last, 1]),
        )

    def text_of(self, item: int, first: int, last: int) -> str:
        """Return the context's text from a first to a last token, inclusive.

        Args:
            item: The question's index in this data set.
            first: First token of the span.
            last: Last token of it, inclusive.
        """
        start, end = self.characters_of(item, first, last)
        context = self.data.contexts[int(self.data.paragraphs[self.rows[item]])].as_py()
        return str(context[start:end])


class SpanDataset(QuestionDataset[SpanBatch]):
    """Questions of a prepared source, batched for readers.

    Args:
        data: A prepared source, with vectors.
        rows: Questions of `data` to take, in order; None takes all.
        frequent: The most frequent word forms of train, most frequent first; a model may tune their
            vectors.
        max_characters: Number of characters of a word form to keep.
        abstains: Whether batches say which questions have no answer.
    """

    def __init__(
        self,
        data: PreparedData,
        *,
        rows: NDArray[np.int64] | None = None,
        frequent: Sequence[str] = (),
        max_characters: int = 16,
        abstains: bool = False,
    ) -> None:
        super().__init__(data, rows=rows, abstains=abstains)
        tokens = data.tokens
        self._forms = WordForms(data, frequent=frequent, max_characters=max_characters)
        self._lower = data.lower[tokens.forms]
        self._term_frequency = _term_frequency(self._lower, tokens.bounds)
        self.targets: SoftTargets | None = None  # what a teacher says about these questions

    def collate(self, items: Sequence[int]) -> SpanBatch:
        """Make a batch of questions.

        Args:
            items: B indices of questions in this data set.

        Returns:
            The batch, padded to its longest context and question.
        """
        data, tokens = self.data, self.data.tokens
        index = np.asarray(items, np.int64)
        rows = self.rows[index]
        contexts = data.paragraphs[rows].astype(np.int64)
        context, context_mask = padded_positions(tokens.bounds, contexts)
        question, question_mask = padded_positions(tokens.bounds, len(data.contexts) + rows)

        words = self._forms.batch(context, context_mask, question, question_mask)

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
        paragraphs = paragraph_rows = None
        if self.shares_contexts:
            _, first, places = np.unique(contexts, return_index=True, return_inverse=True)
            paragraphs, paragraph_rows = torch.from_numpy(places), torch.from_numpy(first)
        taught = self.targets.batch(items) if self.targets is not None else ()
        taught_starts, taught_ends = map(torch.from_numpy, taught) if taught else (None, None)
        return SpanBatch(
            index=torch.from_numpy(index),
            forms=words.forms,
            context_ids=words.context_ids,
            question_ids=words.question_ids,
            context_mask=torch.from_numpy(context_mask),
            question_mask=torch.from_numpy(question_mask),
            context_matches=torch.from_numpy(np.stack(same, axis=2).astype(np.float32)),
            context_term_frequency=torch.from_numpy(term_frequency.astype(np.float32)),
            context_tags=torch.from_numpy(tags),
            context_entities=torch.from_numpy(entities),
            start_positions=torch.from_numpy(data.start_positions[rows].astype(np.int64)),
            end_positions=torch.from_numpy(data.end_positions[rows].astype(np.int64)),
            paragraphs=paragraphs,
            paragraph_rows=paragraph_rows,
            unanswerable=self.unanswerable(rows),
            taught_starts=taught_starts,
            taught_ends=taught_ends,
        )

    def count_without_target(self) -> int:
        """Count the questions whose answer is unknown or in no token."""
        return int((self.data.start_positions[self.rows] < 0).sum()) - self.num_unanswerable


class WordForms:
    """The word forms of a source, and how those of some texts become a batch.

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

    def batch(
        self,
        context: NDArray[np.int64],
        context_mask: NDArray[np.bool_],
        question: NDArray[np.int64],
        question_mask: NDArray[np.bool_],
    ) -> WordBatch:
        """Collect the distinct forms of contexts and questions.

        Args:
            context: (B, C) tokens, numbered over the whole source.
            context_mask: (B, C) True on a token.
            question: (B, Q) tokens, numbered over the whole source.
            question_mask: (B, Q) True on a token.
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
        return WordBatch(
            forms=self._form_batch(distinct),
            context_ids=torch.from_numpy(context_ids),
            question_ids=torch.from_numpy(question_ids),
        )

    def _form_batch(self, distinct: NDArray[np.int32]) -> FormBatch:
        characters = self._characters[distinct]
        width = max(1, int((characters != 0).sum(axis=1).max(initial=1)))
        padded = np.zeros((len(distinct) + 1, width), np.int64)
        padded[1:] = characters[:, :width]
        vectors = np.zeros((len(distinct) + 1, self._vectors.shape[1]), np.float32)
        vectors[1:] = self._vectors[distinct]
        frequent = np.zeros(len(distinct) + 1, np.int64)
        frequent[1:] = self._frequent[distinct]
        return FormBatch(
            characters=torch.from_numpy(padded),
            vectors=torch.from_numpy(vectors),
            frequent=torch.from_numpy(frequent),
        )


def _term_frequency(lower: NDArray[np.int32], bounds: NDArray[np.int64]) -> NDArray[np.float32]:
    """(T,) share of the text's tokens that have the same lower-cased form as each token."""
    lengths = np.diff(bounds)
    text = np.repeat(np.arange(len(lengths)), lengths)
    key = text * (int(lower.max(initial=0)) + 1) + lower
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    return (counts[inverse.reshape(-1)] / lengths[text]).astype(np.float32)
