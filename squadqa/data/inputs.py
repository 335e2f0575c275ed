"""What a model reads of a prepared source: the choices, and what is fitted on train.

Training, evaluation and prediction build their data sets through one of these, so a trained model
meets new text exactly as it met train. The state is plain values and tensors, kept in checkpoints.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squadqa.batch import Sizes
from squadqa.data.dataset import QuestionDataset, SpanDataset
from squadqa.data.lexicon import most_frequent
from squadqa.data.prepare import PreparedData
from squadqa.data.vectors import DEFAULT_SOURCE


class Inputs(ABC):
    """Turns prepared sources into data sets for one family of models.

    Args:
        vectors: Sources of word vectors, side by side.
        pipeline: spaCy pipeline that annotates; None leaves annotation out.
    """

    def __init__(self, *, vectors: Sequence[str], pipeline: str | None) -> None:
        self.vectors = [vectors] if isinstance(vectors, str) else list(vectors)
        self.pipeline = pipeline
        self._sizes: Sizes | None = None

    @property
    def sizes(self) -> Sizes:
        """What a model must know of the data to be built; known from `fit` on."""
        assert self._sizes is not None, "the inputs were not fitted"
        return self._sizes

    def fit(self, data: PreparedData, rows: NDArray[np.int64]) -> None:
        """Learn from the train part what new text is to be measured against, and the sizes.

        Args:
            data: The source that holds train.
            rows: Its questions to learn from.
        """
        self.learn(data, rows)
        width = 0 if data.vectors is None else data.vectors.shape[1]
        self._sizes = self.sizes_of(vector_size=width)

    @abstractmethod
    def learn(self, data: PreparedData, rows: NDArray[np.int64]) -> None:
        """Learn from the train part; the arguments of `fit`."""

    @abstractmethod
    def sizes_of(self, *, vector_size: int) -> Sizes:
        """Give the sizes of data with word vectors of a width, 0 where there are none."""

    @abstractmethod
    def dataset(
        self, data: PreparedData, rows: NDArray[np.int64] | None = None
    ) -> QuestionDataset[Any]:
        """Make the data set of questions of a prepared source; None takes all of them."""

    @abstractmethod
    def learned(self) -> dict[str, Any]:
        """Give what `learn` learned, as plain values and tensors."""

    @abstractmethod
    def load_learned(self, state: dict[str, Any]) -> None:
        """Take back what `learned` gave."""

    def state_dict(self) -> dict[str, Any]:
        """Give what `fit` learned, as plain values and tensors."""
        return {**self.learned(), "sizes": asdict(self.sizes)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: It gave something else.
        """
        self.load_learned(state)
        self._sizes = Sizes(**state["sizes"])


class SpanInputs(Inputs):
    """Inputs of readers: characters, vectors and token features.

    Args:
        vectors: Sources of word vectors, side by side (see `squadqa.data.vectors`).
        pipeline: spaCy pipeline that gives lemmas, tags and entities; None leaves them out.
        max_characters: Characters to keep of a word form, from both its ends.
        tuned_words: How many of train's most frequent word forms a reader may tune.
    """

    def __init__(
        self,
        *,
        vectors: list[str] | str = DEFAULT_SOURCE,
        pipeline: str | None = "en_core_web_sm",
        max_characters: int = 16,
        tuned_words: int = 1000,
    ) -> None:
        super().__init__(vectors=vectors, pipeline=pipeline)
        self.max_characters = max_characters
        self.tuned_words = tuned_words
        self.frequent: list[str] = []

    def learn(self, data: PreparedData, rows: NDArray[np.int64]) -> None:
        """List train's most frequent word forms, of the questions' and their contexts' tokens."""
        texts = np.concatenate([np.unique(data.paragraphs[rows]), len(data.contexts) + rows])
        bounds = data.tokens.bounds
        chosen = np.zeros(len(bounds) - 1, bool)
        chosen[texts] = True
        forms = data.tokens.forms[np.repeat(chosen, np.diff(bounds))]
        self.frequent = most_frequent(forms, data.tokens.lexicon, count=self.tuned_words)

    def dataset(self, data: PreparedData, rows: NDArray[np.int64] | None = None) -> SpanDataset:
        """Make a data set that yields `SpanBatch`."""
        return SpanDataset(
            data, rows=rows, frequent=self.frequent, max_characters=self.max_characters
        )

    def sizes_of(self, *, vector_size: int) -> Sizes:
        """Give the width of the word vectors, and how many words a reader may tune."""
        return Sizes(vector_size=vector_size, tuned_words=self.tuned_words)

    def learned(self) -> dict[str, Any]:
        """Give the most frequent word forms."""
        return {"frequent": list(self.frequent)}

    def load_learned(self, state: dict[str, Any]) -> None:
        """Take back the most frequent word forms."""
        self.frequent = list(state["frequent"])
