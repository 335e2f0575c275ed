"""The inputs of models: which parts of a prepared source they read, and what is fitted on train.

Training, evaluation and prediction make their data sets through the same class, so that a trained
model sees new text in the same form as train. Its state consists of plain values and tensors, and
is kept in checkpoints.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squadqa.batch import Sizes
from squadqa.data.dataset import QuestionDataset, SpanDataset
from squadqa.data.languages import ENGLISH, require_language
from squadqa.data.lexicon import most_frequent
from squadqa.data.prepare import PreparedData
from squadqa.data.vectors import DEFAULT_SOURCE
from squadqa.errors import require_range, shown

LARGEST_SIZE = 1 << 30
"""Largest size of data that is believed, far beyond any table of vectors."""


class Inputs(ABC):
    """Turns prepared sources into data sets for one family of models.

    Args:
        vectors: Sources of word vectors, concatenated.
        pipeline: spaCy pipeline that annotates; None leaves annotation out.
        parse: Whether it parses too.
        language: The texts' language, one of `squadqa.data.languages.LANGUAGES`.

    Raises:
        ConfigError: There is no such language.
    """

    def __init__(
        self,
        *,
        vectors: Sequence[str],
        pipeline: str | None,
        parse: bool = True,
        language: str = ENGLISH,
    ) -> None:
        require_language(language)
        self.language = language
        self.vectors = [vectors] if isinstance(vectors, str) else list(vectors)
        self.pipeline = pipeline
        self.parse = parse
        self._sizes: Sizes | None = None

    @property
    def sizes(self) -> Sizes:
        """The sizes that a model is built from; known after `fit`."""
        assert self._sizes is not None, "the inputs were not fitted"
        return self._sizes

    @property
    def abstains(self) -> bool:
        """Whether questions without answers are to be left without one; false before `fit`."""
        return self._sizes is not None and self._sizes.abstains

    def fit(self, data: PreparedData, rows: NDArray[np.int64], *, abstains: bool = False) -> None:
        """Fit on the train part, and note the sizes.

        Args:
            data: The source that holds train.
            rows: Its questions to fit on.
            abstains: Whether a question without answers is one that has none, which models learn
                to say.
        """
        self.learn(data, rows)
        width = 0 if data.vectors is None else data.vectors.shape[1]
        self._sizes = replace(self.sizes_of(vector_size=width), abstains=abstains)

    @abstractmethod
    def learn(self, data: PreparedData, rows: NDArray[np.int64]) -> None:
        """Fit on the train part; the arguments are those of `fit`."""

    @abstractmethod
    def sizes_of(self, *, vector_size: int) -> Sizes:
        """Return the sizes of data with word vectors of this width (0 without vectors)."""

    @abstractmethod
    def dataset(
        self, data: PreparedData, rows: NDArray[np.int64] | None = None
    ) -> QuestionDataset[Any]:
        """Make a data set of questions of a prepared source; None takes all of them."""

    @abstractmethod
    def learned(self) -> dict[str, Any]:
        """Return what `learn` learned, as plain values and tensors."""

    @abstractmethod
    def load_learned(self, state: dict[str, Any]) -> None:
        """Restore what `learned` returned."""

    def state_dict(self) -> dict[str, Any]:
        """Return what `fit` learned, as plain values and tensors."""
        return {**self.learned(), "sizes": asdict(self.sizes)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            KeyError, TypeError, ValueError: The state has another form.
        """
        self.load_learned(state)
        sizes = Sizes(**state["sizes"])
        for name, size in asdict(sizes).items():
            is_flag = name == "abstains" and isinstance(size, bool)
            if not is_flag and (type(size) is not int or not 0 <= size <= LARGEST_SIZE):
                raise ValueError(f"{name} is {shown(size)}")
        self._sizes = sizes


class SpanInputs(Inputs):
    """Inputs of readers: characters, vectors and token features.

    Args:
        vectors: Sources of word vectors, concatenated (see `squadqa.data.vectors`).
        pipeline: spaCy pipeline that gives lemmas, tags and entities; None leaves them out.
        parse: Let the pipeline parse too. Readers do not read the parse, but with it an entity does
            not cross the start of a sentence.
        language: The texts' language, by spaCy's code; the pipeline is one for it.
        max_characters: Number of characters of a word form to keep, from both ends.
        tuned_words: How many of train's most frequent word forms a reader may tune.

    Raises:
        ConfigError: A number is out of its range.
    """

    def __init__(
        self,
        *,
        vectors: list[str] | str = DEFAULT_SOURCE,
        pipeline: str | None = "en_core_web_sm",
        parse: bool = True,
        language: str = ENGLISH,
        max_characters: int = 16,
        tuned_words: int = 1000,
    ) -> None:
        super().__init__(vectors=vectors, pipeline=pipeline, parse=parse, language=language)
        require_range(1, **{"data.inputs.init_args.max_characters": max_characters})
        require_range(0, **{"data.inputs.init_args.tuned_words": tuned_words})
        self.max_characters = max_characters
        self.tuned_words = tuned_words
        self.frequent: list[str] = []

    def learn(self, data: PreparedData, rows: NDArray[np.int64]) -> None:
        """List train's most frequent word forms, counted over questions and contexts."""
        texts = np.concatenate([np.unique(data.paragraphs[rows]), len(data.contexts) + rows])
        bounds = data.tokens.bounds
        chosen = np.zeros(len(bounds) - 1, bool)
        chosen[texts] = True
        forms = data.tokens.forms[np.repeat(chosen, np.diff(bounds))]
        self.frequent = most_frequent(forms, data.tokens.lexicon, count=self.tuned_words)

    def dataset(self, data: PreparedData, rows: NDArray[np.int64] | None = None) -> SpanDataset:
        """Make a data set that yields `SpanBatch`."""
        return SpanDataset(
            data,
            rows=rows,
            frequent=self.frequent,
            max_characters=self.max_characters,
            abstains=self.abstains,
        )

    def sizes_of(self, *, vector_size: int) -> Sizes:
        """Return the width of the word vectors and the number of words a reader may tune."""
        return Sizes(vector_size=vector_size, tuned_words=self.tuned_words)

    def learned(self) -> dict[str, Any]:
        """Return the most frequent word forms."""
        return {"frequent": list(self.frequent)}

    def load_learned(self, state: dict[str, Any]) -> None:
        """Restore the most frequent word forms."""
        frequent = state["frequent"]
        if not isinstance(frequent, list) or not all(isinstance(form, str) for form in frequent):
            raise TypeError(f"the frequent word forms are {shown(frequent)}")
        self.frequent = list(frequent)
