"""Comparison of two systems on the same questions: who wins, by how much, where, and surely."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from squadqa.evaluation.question_slices import Dimension, SliceScores, score_slices
from squadqa.evaluation.questions import Questions
from squadqa.evaluation.resampling import Estimate, mcnemar, mean_estimates, sign_test
from squadqa.evaluation.systems import ScoredSystem

EXAMPLES = 10
"""Examples each way."""

MOVED = 8
"""Slices that are told as those that moved most."""

SMALLEST_SLICE = 20
"""Fewest questions of a slice that is told; a slice of fewer moves by chance."""


@dataclass(frozen=True)
class PairedScore:
    """One score of two systems.

    Args:
        first: The first system's score, in percent.
        second: The second one's.
        difference: First minus second, in points.
        p_value: How probable such a difference would be between systems that are equally good:
            McNemar's exact test for exact match, random signs for F1.
        wins: Questions on which the first system scores higher.
        losses: Questions on which the second does.
        ties: Questions on which both score the same.
    """

    first: float
    second: float
    difference: Estimate
    p_value: float
    wins: int
    losses: int
    ties: int


@dataclass(frozen=True)
class Example:
    """A question that one system answers better than the other.

    Args:
        id: The question's identifier.
        question: Its text.
        references: The distinct given answers.
        first: The first system's answer; empty if it has none.
        second: The second one's.
        first_f1: F1 of the first system's answer, in percent.
        second_f1: F1 of the second one's.
    """

    id: str
    question: str
    references: tuple[str, ...]
    first: str
    second: str
    first_f1: float
    second_f1: float


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same questions.

    Args:
        first: The first system's name.
        second: The second one's.
        questions: How many questions there are.
        exact_match: Both exact matches.
        f1: Both F1s.
        moved: The slices on which the systems differ most surely, the surest first.
        wins: Examples that the first system answers better.
        losses: Examples that the second one does.
    """

    first: str
    second: str
    questions: int
    exact_match: PairedScore
    f1: PairedScore
    moved: tuple[SliceScores, ...]
    wins: tuple[Example, ...]
    losses: tuple[Example, ...]


def compare(
    questions: Questions,
    first: ScoredSystem,
    second: ScoredSystem,
    some: Sequence[Dimension],
    *,
    seed: int = 0,
) -> Comparison:
    """Compare two systems.

    Args:
        questions: The questions.
        first: The first system.
        second: The second one.
        some: The dimensions whose slices are compared.
        seed: Seed of the bootstrap, of the random signs and of the examples.
    """
    pairs = [(first.exact_match, second.exact_match), (first.f1, second.f1)]
    differences = np.stack([one - other for one, other in pairs], axis=1)
    estimates = mean_estimates(100.0 * differences, seed=seed)
    p_values = [
        mcnemar(first.exact_match > 0, second.exact_match > 0),
        sign_test(differences[:, 1], seed=seed),
    ]
    exact_match, f1 = (
        PairedScore(
            first=100.0 * float(one.mean()),
            second=100.0 * float(other.mean()),
            difference=estimate,
            p_value=p_value,
            wins=int((one > other).sum()),
            losses=int((one < other).sum()),
            ties=int((one == other).sum()),
        )
        for (one, other), estimate, p_value in zip(pairs, estimates, p_values, strict=True)
    )
    return Comparison(
        first=first.name,
        second=second.name,
        questions=len(questions),
        exact_match=exact_match,
        f1=f1,
        moved=moved_slices(score_slices(some, [first, second], seed=seed), len(questions)),
        wins=_examples(questions, first, second, differences[:, 1], seed=seed),
        losses=_examples(questions, first, second, -differences[:, 1], seed=seed),
    )


def moved_slices(scores: Sequence[SliceScores], questions: int) -> tuple[SliceScores, ...]:
    """Choose the slices on which two systems differ most surely.

    Args:
        scores: The scores of both systems on each slice.
        questions: How many questions there are; of few, smaller slices are taken too.

    Returns:
        At most `MOVED` slices: those whose interval is farthest from 0; of several that include 0,
        those with the largest difference.
    """
    fewest = min(SMALLEST_SLICE, max(1, questions // 20))
    large = [one for one in scores if one.questions >= fewest and one.difference is not None]

    def surety(one: SliceScores) -> tuple[float, float]:
        difference = one.difference
        assert difference is not None
        return max(difference.low, -difference.high, 0.0), abs(difference.value)

    return tuple(sorted(large, key=surety, reverse=True)[:MOVED])


def _examples(
    questions: Questions,
    first: ScoredSystem,
    second: ScoredSystem,
    ahead: NDArray[np.float64],
    *,
    seed: int,
) -> tuple[Example, ...]:
    """Take the questions with the largest difference; among equal ones, at random."""
    order = np.lexsort((np.random.default_rng(seed).permutation(len(ahead)), -ahead))
    chosen = [int(row) for row in order[:EXAMPLES] if ahead[row] > 0]
    return tuple(
        Example(
            id=questions.ids[row],
            question=questions.texts[row],
            references=tuple(dict.fromkeys(questions.references[row])),
            first=first.texts[row],
            second=second.texts[row],
            first_f1=100.0 * float(first.f1[row]),
            second_f1=100.0 * float(second.f1[row]),
        )
        for row in chosen
    )
