"""What a report shows, as values: the page and its script's data are made of these alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from squadqa.evaluation.comparison import Comparison
from squadqa.evaluation.inspected import Inspected
from squadqa.evaluation.question_slices import Dimension, SliceScores
from squadqa.evaluation.questions import Questions
from squadqa.evaluation.systems import ScoredSystem
from squadqa.evaluation.training_log import TrainingLog

INSPECTED = 300
"""Questions whose probabilities are shown along the text."""

WITH_ATTENTION = 50
"""Questions whose attention is shown."""

PLAIN = 200
"""Questions that the page shows without JavaScript."""


@dataclass(frozen=True)
class ReportContent:
    """What a report shows.

    Args:
        data: Name of the data.
        questions: The questions.
        systems: The systems, one or more.
        dimensions: The ways to sort questions into slices.
        slices: The systems' scores on each slice.
        comparisons: The first system beside each other one.
        logs: For each system, the course of its training; None where there is none.
        inspected: For each system, what was seen inside it, by row of the questions.
        chosen: Rows of the questions that were looked at closely, the most telling first.
    """

    data: str
    questions: Questions
    systems: Sequence[ScoredSystem]
    dimensions: Sequence[Dimension]
    slices: Sequence[SliceScores]
    comparisons: Sequence[Comparison]
    logs: Sequence[TrainingLog | None]
    inspected: Sequence[Mapping[int, Inspected]]
    chosen: Sequence[int]


def choose_questions(
    systems: Sequence[ScoredSystem], *, most: int = INSPECTED, seed: int = 0
) -> list[int]:
    """Choose questions of every kind: right, partly right, wrong, and where systems differ.

    Args:
        systems: The systems.
        most: How many questions to choose at most.
        seed: Seed of the choice.

    Returns:
        Rows, the kinds taking turns.
    """
    outcomes = np.stack([one.outcomes for one in systems])  # (S, N)
    differ = (outcomes != outcomes[0]).any(axis=0)
    kinds: list[NDArray[np.bool_]] = [outcomes[0] == place for place in range(3)]
    if len(systems) > 1:
        kinds.append(differ)
    order = np.random.default_rng(seed).permutation(outcomes.shape[1])
    queues = [order[kind[order]].tolist() for kind in kinds]
    chosen: dict[int, None] = {}
    for turn in range(max(map(len, queues), default=0)):
        for queue in queues:
            if turn < len(queue) and len(chosen) < most:
                chosen[queue[turn]] = None
    return list(chosen)
