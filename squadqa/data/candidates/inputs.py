"""The inputs of scorers: candidates and feature groups of a prepared source."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from squadqa.batch import Sizes
from squadqa.data.candidates.dataset import CandidateDataset, Targets
from squadqa.data.candidates.features import SourceFeatures, extract
from squadqa.data.candidates.generators import CandidateGenerator, DependencyRuns
from squadqa.data.candidates.statistics import Rarity, ValueStatistics, bigram_rarity, word_rarity
from squadqa.data.candidates.values import VALUES, candidate_values
from squadqa.data.inputs import Inputs
from squadqa.data.languages import ENGLISH
from squadqa.data.prepare import PreparedData
from squadqa.data.span_arrays import WordFormArrays
from squadqa.errors import ConfigError, require_range

MOST_BUCKETS = 10_000
"""Most buckets of a continuous feature: 20 are the most that improved a score so far."""

SAMPLE_QUESTIONS = 2000
"""Number of train questions whose candidates decide the buckets' edges: some 600,000 candidates."""

SAMPLE_BATCH = 100
"""Number of questions of the sample in one batch."""


class CandidateInputs(Inputs):
    """Inputs of scorers: candidate answers and the inputs of the feature groups.

    Args:
        generator: Proposes the candidates; None takes runs over the dependency parse.
        pipeline: spaCy pipeline that parses; None takes n-grams as candidates.
        language: The texts' language, by spaCy's code; the pipeline is one for it.
        num_buckets: Number of buckets of a continuous feature: one for 0, the others equally full.
        targets: Which candidates are right in training: "answer" is the shortest one that contains
            the answer, "occurrences" is each candidate with the same text as that one.
        vectors: Sources of word vectors, concatenated, for scorers that read words.
        max_characters: Number of characters of a word form to keep, from both ends.

    Raises:
        ConfigError: There are fewer than two buckets or too many, or words have no characters.
    """

    def __init__(
        self,
        *,
        generator: CandidateGenerator | None = None,
        pipeline: str | None = "en_core_web_sm",
        language: str = ENGLISH,
        num_buckets: int = 10,
        targets: Targets = "answer",
        vectors: Sequence[str] = (),
        max_characters: int = 16,
    ) -> None:
        super().__init__(vectors=vectors, pipeline=pipeline, language=language)
        if not 2 <= num_buckets <= MOST_BUCKETS:
            raise ConfigError(
                f"data.inputs.init_args.num_buckets cannot be {num_buckets}",
                hint=f"It is from 2 to {MOST_BUCKETS:,}: one bucket for 0, and at least one other.",
            )
        require_range(1, **{"data.inputs.init_args.max_characters": max_characters})
        self.generator = generator if generator is not None else DependencyRuns()
        self.num_buckets = num_buckets
        self.targets: Targets = targets
        self.max_characters = max_characters
        nothing = Rarity(np.empty(0, np.uint64), np.empty(0, np.int32), 0)
        self.words, self.bigrams = nothing, nothing
        none = np.empty((0, sum(VALUES.values())), np.int64)
        self.values = ValueStatistics.of(none, num_buckets=num_buckets)
        self._extracted: tuple[PreparedData, SourceFeatures] | None = None

    def learn(self, data: PreparedData, rows: NDArray[np.int64]) -> None:
        """Count train's words and bigrams, and find the buckets of the continuous features."""
        features = self._features(data)
        bounds = features.parse.bounds
        known = np.unique(data.paragraphs[rows])
        lengths = np.diff(bounds)
        chosen = np.zeros(len(lengths), bool)
        chosen[known] = True
        tokens = np.flatnonzero(np.repeat(chosen, lengths))
        paragraphs = np.repeat(np.arange(len(known)), lengths[known])
        words = features.words[tokens]
        self.words = word_rarity(words, paragraphs)
        self.bigrams = bigram_rarity(words, paragraphs, features.bigrams[tokens] != 0)

        step = max(1, len(rows) // SAMPLE_QUESTIONS)
        sample = self.dataset(data, rows[::step])
        values = []
        for i in range(0, len(sample), SAMPLE_BATCH):
            batch = sample.collate(range(i, min(i + SAMPLE_BATCH, len(sample))))
            groups = [candidate_values(batch, group) for group in VALUES]
            values.append(torch.cat(groups, dim=2)[batch.candidate_mask].numpy())
        self.values = ValueStatistics.of(np.concatenate(values), num_buckets=self.num_buckets)

    def dataset(
        self, data: PreparedData, rows: NDArray[np.int64] | None = None
    ) -> CandidateDataset:
        """Make a data set that yields `CandidateBatch`."""
        return CandidateDataset(
            data,
            features=self._features(data),
            words=self.words,
            bigrams=self.bigrams,
            values=self.values,
            forms=(
                WordFormArrays(data, max_characters=self.max_characters) if self.vectors else None
            ),
            rows=rows,
            targets=self.targets,
            abstains=self.abstains,
        )

    def sizes_of(self, *, vector_size: int) -> Sizes:
        """Return the number of buckets and the width of the word vectors."""
        return Sizes(vector_size=vector_size, num_buckets=self.num_buckets)

    def learned(self) -> dict[str, Any]:
        """Return the weights of words and bigrams, and the statistics of continuous features."""
        return {
            "words": self.words.state_dict(),
            "bigrams": self.bigrams.state_dict(),
            "values": {name: value.clone() for name, value in self.values.tensors().items()},
        }

    def load_learned(self, state: dict[str, Any]) -> None:
        """Restore what `learned` returned."""
        self.words = Rarity.from_state(state["words"])
        self.bigrams = Rarity.from_state(state["bigrams"])
        values = ValueStatistics.from_tensors(state["values"])
        if values.bucket_edges.shape != self.values.bucket_edges.shape:
            raise ValueError(f"the edges of buckets have the shape {values.bucket_edges.shape}")
        self.values = values

    def _features(self, data: PreparedData) -> SourceFeatures:
        """Extract a source's features; the data sets of one source share them."""
        if self._extracted is None or self._extracted[0] is not data:
            self._extracted = (data, extract(data, self.generator))
        return self._extracted[1]
