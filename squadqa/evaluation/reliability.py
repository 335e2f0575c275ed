"""How well probabilities say how often answers are right, and how long answers are.

Reference: Guo, Pleiss, Sun and Weinberger, 2017, On Calibration of Modern Neural Networks, section
2: reliability diagrams, and the expected calibration error of bins of equal width.

Letters: N questions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from squadqa.evaluation.questions import Questions
from squadqa.evaluation.systems import ScoredSystem

BINS = 10
"""Bins of equal width."""

LONGEST_SHOWN = 12
"""Tokens of the longest answers that are counted one by one; longer ones are counted together."""


@dataclass(frozen=True)
class Bin:
    """The answers whose probability is in one range.

    Args:
        low: The range's lower end.
        high: Its upper end.
        questions: How many answers are in it.
        probability: Their mean probability, 0 to 1.
        exact_match: Share of them that is right, 0 to 1.
    """

    low: float
    high: float
    questions: int
    probability: float
    exact_match: float


@dataclass(frozen=True)
class Reliability:
    """How well probabilities say how often answers are right.

    Args:
        bins: The bins that have answers.
        error: Expected calibration error, in points: the mean distance of a bin's probability from
            its exact match, over all answers.
    """

    bins: tuple[Bin, ...]
    error: float


@dataclass(frozen=True)
class Lengths:
    """Answers by their length in tokens.

    Args:
        counts: How many answers have 1, 2, ... `LONGEST_SHOWN` tokens; the last number also counts
            all longer ones.
        mean: Mean length, in tokens.
    """

    counts: tuple[int, ...]
    mean: float


def reliability_of(system: ScoredSystem, *, bins: int = BINS) -> Reliability | None:
    """Compare a system's probabilities with how often it is right.

    Args:
        system: The system.
        bins: Number of bins.

    Returns:
        The bins; None if the system gives no probabilities.
    """
    known = ~np.isnan(system.probabilities)
    if not known.any():
        return None
    return reliability_diagram(system.probabilities[known], system.exact_match[known], bins=bins)


def reliability_diagram(
    given: NDArray[np.float64], right: NDArray[np.float64], *, bins: int = BINS
) -> Reliability:
    """Compare probabilities with how often what they are of happened.

    Args:
        given: (N,) probabilities, 0 to 1; one at least.
        right: (N,) whether it happened, 0 or 1.
        bins: Number of bins.
    """
    places = np.clip((given * bins).astype(np.int64), 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    filled = np.flatnonzero(counts)
    means = np.bincount(places, given, minlength=bins)[filled] / counts[filled]
    shares = np.bincount(places, right, minlength=bins)[filled] / counts[filled]
    found = tuple(
        Bin(place / bins, (place + 1) / bins, int(counts[place]), float(mean), float(share))
        for place, mean, share in zip(filled.tolist(), means, shares, strict=True)
    )
    weights = counts[filled] / counts.sum()
    return Reliability(found, 100.0 * float((weights * np.abs(means - shares)).sum()))


def gold_lengths(questions: Questions) -> Lengths | None:
    """Count the first references by their length; None if none is at its place."""
    return _counted(questions.answer_lengths[questions.answer_lengths > 0])


def predicted_lengths(system: ScoredSystem) -> Lengths | None:
    """Count a system's answers by their length; None if their places are not known."""
    return _counted(system.lengths[system.lengths > 0])


def _counted(lengths: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Lengths | None:
    if not len(lengths):
        return None
    counts = np.bincount(np.minimum(lengths, LONGEST_SHOWN), minlength=LONGEST_SHOWN + 1)[1:]
    return Lengths(tuple(counts.tolist()), float(lengths.mean()))
