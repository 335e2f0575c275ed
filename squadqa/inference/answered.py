"""Records of answers to the questions of a file or about a text, and how a file is prepared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from squadqa.data.prepare import PreparedData, Progress
from squadqa.evaluation.predictions import Answer
from squadqa.scoring_v2 import NO_ANSWER


@dataclass(frozen=True)
class Preparation:
    """How the questions of a file are prepared.

    Args:
        cache_dir: Folder of prepared data; None takes the run's folder if it is a cache of the
            user's, else the default one.
        workers: Number of processes that annotate; 0 takes one for each core.
        progress: Called from time to time.
    """

    cache_dir: str | Path | None = None
    workers: int = 0
    progress: Progress | None = None


@dataclass(frozen=True)
class Answered:
    """Answers to the questions of a file.

    Args:
        answers: The best spans of each question id, the most probable first, at least one.
        data: The questions, as a run reads them.
    """

    answers: Mapping[str, list[Answer]]
    data: PreparedData

    @property
    def references(self) -> dict[str, list[str]]:
        """The given answers of each question id; an empty list if they are not known."""
        given = self.data.references
        return {name: given[name] for name in self.answers}

    @property
    def texts(self) -> dict[str, str]:
        """The text of the first answer of each question id, as the official score expects."""
        return texts_of(self.answers)

    @property
    def no_answer_probabilities(self) -> dict[str, float] | None:
        """The probability of "no answer" of each question id; None if every one is answered."""
        found = {
            name: best[0].no_answer_probability
            for name, best in self.answers.items()
            if best[0].no_answer_probability is not None
        }
        return found or None

    def abstained(self, threshold: float) -> dict[str, str]:
        """Return `texts` with an empty one where "no answer" is more probable than a threshold."""
        return {
            name: NO_ANSWER if (best[0].no_answer_probability or 0) > threshold else best[0].text
            for name, best in self.answers.items()
        }


@dataclass(frozen=True)
class DetailedAnswer:
    """The best answers of a question, and where in the text they may start and end.

    Args:
        answers: The best spans, the most probable first.
        offset_mapping: (C, 2) characters of each token of the context, half-open.
        start: (C,) probability of each token to be the answer's first, over all spans.
        end: (C,) probability of each token to be its last.
    """

    answers: list[Answer]
    offset_mapping: NDArray[np.integer]
    start: NDArray[np.float64]
    end: NDArray[np.float64]


def texts_of(answers: Mapping[str, Sequence[Answer]]) -> dict[str, str]:
    """Return the text of each question's first answer."""
    return {name: best[0].text for name, best in answers.items()}
