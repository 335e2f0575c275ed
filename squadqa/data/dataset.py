"""The questions of a split, and how some of them become a batch."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from squadqa.batch import FormBatch, SpanBatch, WordBatch
from squadqa.data.prepare import PreparedData
from squadqa.data.soft_targets import SoftTargets
from squadqa.data.span_arrays import FORM_FIELDS, Arrays, SpanArrays

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
        self._arrays = SpanArrays(data, frequent=frequent, max_characters=max_characters)
        self.targets: SoftTargets | None = None  # what a teacher says about these questions

    def collate(self, items: Sequence[int]) -> SpanBatch:
        """Make a batch of questions.

        Args:
            items: B indices of questions in this data set.

        Returns:
            The batch, padded to its longest context and question.
        """
        data = self.data
        index = np.asarray(items, np.int64)
        rows = self.rows[index]
        contexts = data.paragraphs[rows].astype(np.int64)
        paragraphs = paragraph_rows = None
        if self.shares_contexts:
            _, first, places = np.unique(contexts, return_index=True, return_inverse=True)
            paragraphs, paragraph_rows = torch.from_numpy(places), torch.from_numpy(first)
        taught = self.targets.batch(items) if self.targets is not None else ()
        taught_starts, taught_ends = map(torch.from_numpy, taught) if taught else (None, None)
        tensors = _tensors(self._arrays.of_questions(rows))
        return SpanBatch(
            index=torch.from_numpy(index),
            forms=_form_batch(tensors),
            start_positions=torch.from_numpy(data.start_positions[rows].astype(np.int64)),
            end_positions=torch.from_numpy(data.end_positions[rows].astype(np.int64)),
            paragraphs=paragraphs,
            paragraph_rows=paragraph_rows,
            unanswerable=self.unanswerable(rows),
            taught_starts=taught_starts,
            taught_ends=taught_ends,
            **tensors,
        )

    def count_without_target(self) -> int:
        """Count the questions whose answer is unknown or in no token."""
        return int((self.data.start_positions[self.rows] < 0).sum()) - self.num_unanswerable


def word_batch(arrays: Arrays) -> WordBatch:
    """Make a batch of what `WordFormArrays.of_texts` returned."""
    tensors = _tensors(arrays)
    return WordBatch(forms=_form_batch(tensors), **tensors)


def _tensors(arrays: Arrays) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _form_batch(tensors: dict[str, torch.Tensor]) -> FormBatch:
    """Take the tensors of word forms out of a batch's."""
    return FormBatch(**{name: tensors.pop(name) for name in FORM_FIELDS})
