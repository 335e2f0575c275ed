"""Scores of parts of the questions: by question word, type and length of answer, and more.

Letters: N questions, S systems.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from squadqa.evaluation.answer_types import ANSWER_TYPES
from squadqa.evaluation.questions import QUESTION_WORDS, Questions
from squadqa.evaluation.resampling import Estimate, group_estimates
from squadqa.evaluation.systems import ScoredSystem

ANSWER_LENGTHS = ("1", "2", "3", "4 to 5", "6 to 10", "11 or more")
CONTEXT_LENGTHS = ("up to 100", "101 to 150", "151 to 200", "201 to 300", "over 300")
POSITIONS = ("first fifth", "second fifth", "third fifth", "fourth fifth", "last fifth")
OVERLAPS = ("none", "up to 1/4", "up to 1/2", "up to 3/4", "over 3/4")

DIMENSIONS = (
    "question word",
    "answer type",
    "answer length in tokens",
    "context length in tokens",
    "position in the context",
    "overlap of question and sentence",
)
"""Names of the ways to sort questions into slices."""


@dataclass(frozen=True)
class Dimension:
    """A way to sort questions into slices.

    Args:
        name: What is told apart, such as "question word".
        labels: The slices' names, in their order.
        members: (N,) index in `labels`; -1 for a question that is in none of them.
    """

    name: str
    labels: tuple[str, ...]
    members: NDArray[np.int64]

    @property
    def filled(self) -> list[int]:
        """Indices in `labels` of the slices that have questions."""
        return [int(place) for place in np.unique(self.members) if place >= 0]

    def label_of(self, row: int) -> str | None:
        """Return the name of a question's slice; None if it is in none."""
        place = int(self.members[row])
        return self.labels[place] if place >= 0 else None


@dataclass(frozen=True)
class SliceScores:
    """The scores of all systems on one slice.

    Args:
        dimension: The dimension's name.
        label: The slice's name.
        questions: How many questions it has.
        exact_match: Exact match of each system, in percent.
        f1: F1 of each system, in percent.
        difference: F1 of the first system minus that of the second, in points; None unless there
            are two systems or more.
    """

    dimension: str
    label: str
    questions: int
    exact_match: tuple[Estimate, ...]
    f1: tuple[Estimate, ...]
    difference: Estimate | None


def dimensions(questions: Questions) -> list[Dimension]:
    """Sort questions into slices, in every way that is known of them.

    Args:
        questions: The questions. Types of answers are left out if they are not known.
    """
    lengths = questions.answer_lengths
    labels_and_members = (
        (QUESTION_WORDS, questions.question_words),
        (ANSWER_TYPES, questions.answer_types),
        (
            ANSWER_LENGTHS,
            np.where(lengths > 0, np.searchsorted([1, 2, 3, 5, 10], lengths), -1),
        ),
        (CONTEXT_LENGTHS, np.searchsorted([100, 150, 200, 300], questions.context_lengths)),
        (POSITIONS, _binned(questions.positions, [0.2, 0.4, 0.6, 0.8])),
        (OVERLAPS, _binned(questions.overlaps, [0.0, 0.25, 0.5, 0.75])),
    )
    return [
        Dimension(name, labels, members)
        for name, (labels, members) in zip(DIMENSIONS, labels_and_members, strict=True)
        if members is not None
    ]


def score_slices(
    some: Sequence[Dimension], systems: Sequence[ScoredSystem], *, seed: int = 0
) -> list[SliceScores]:
    """Score every slice that has questions.

    Args:
        some: The dimensions.
        systems: The systems, one or more.
        seed: Seed of the bootstrap.
    """
    places = [(one, place) for one in some for place in one.filled]
    if not places:
        return []
    members = np.stack([one.members == place for one, place in places], axis=1)
    columns = [100.0 * column for one in systems for column in (one.exact_match, one.f1)]
    if len(systems) > 1:
        columns.append(columns[1] - columns[3])
    estimates = group_estimates(np.stack(columns, axis=1), members, seed=seed)
    count = len(systems)
    return [
        SliceScores(
            dimension=one.name,
            label=one.labels[place],
            questions=int(members[:, row].sum()),
            exact_match=tuple(found[0 : 2 * count : 2]),
            f1=tuple(found[1 : 2 * count : 2]),
            difference=found[2 * count] if count > 1 else None,
        )
        for row, ((one, place), found) in enumerate(zip(places, estimates, strict=True))
    ]


def _binned(values: NDArray[np.float64], edges: Sequence[float]) -> NDArray[np.int64]:
    """(N,) bin of each value, an edge belonging to the lower bin; -1 for NaN."""
    return np.where(np.isnan(values), -1, np.searchsorted(edges, values)).astype(np.int64)
