"""Intervals and tests for scores of one set of questions: bootstrap, McNemar, permutation.

Questions are resampled one by one. Those of one paragraph are not quite independent, so that the
true uncertainty is somewhat larger.

Reference: Efron and Tibshirani, 1993, An Introduction to the Bootstrap, chapter 13 (percentile
intervals); McNemar, 1947, in its exact form; Fisher's randomisation test by random signs.

Letters: N questions, K columns, S samples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLES = 2000
"""Resamplings of a bootstrap interval."""

PERMUTATIONS = 10_000
"""Random signs of a permutation test: its smallest p-value is 1 in 10,001."""

LEVEL = 95.0
"""Share of resamplings inside an interval, in percent."""

AT_ONCE = 2**22
"""Counts of a resampling in memory at once: 16 MiB."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % bootstrap interval, in the value's own unit.

    Args:
        value: The value.
        low: The interval's lower end.
        high: Its upper end.
    """

    value: float
    low: float
    high: float


def resampled_sums(columns: Floats, *, samples: int = SAMPLES, seed: int = 0) -> Floats:
    """Sum each column over questions that are drawn with replacement.

    All columns are summed over the same questions, so that differences of columns are paired.

    Args:
        columns: (N, K) a value for each question and column; N is 1 or more.
        samples: S, how often N questions are drawn.
        seed: Seed of the draws.

    Returns:
        (S, K) sums.
    """
    random = np.random.default_rng(seed)
    size = len(columns)
    exact = np.ascontiguousarray(columns, np.float64)
    sums = np.empty((samples, columns.shape[1]))
    step = max(1, AT_ONCE // size)
    for begin in range(0, samples, step):
        rows = min(step, samples - begin)
        drawn = random.integers(0, size, (rows, size), dtype=np.int64)
        drawn += np.arange(rows)[:, None] * size
        counts = np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
        sums[begin : begin + rows] = counts.astype(np.float64) @ exact
    return sums


def mean_estimates(values: Floats, *, samples: int = SAMPLES, seed: int = 0) -> list[Estimate]:
    """Estimate the mean of each column.

    Args:
        values: (N, K) a value for each question and column.
        samples: How often the questions are drawn.
        seed: Seed of the draws.
    """
    everyone = np.ones((len(values), 1), bool)
    (estimates,) = group_estimates(values, everyone, samples=samples, seed=seed)
    return estimates


def group_estimates(
    values: Floats, members: NDArray[np.bool_], *, samples: int = SAMPLES, seed: int = 0
) -> list[list[Estimate]]:
    """Estimate the mean of each column over each of several groups of questions.

    All questions are resampled together, so that a group's size varies too.

    Args:
        values: (N, K) a value for each question and column.
        members: (N, G) whether a question is in a group; each group has a question.
        samples: How often the questions are drawn.
        seed: Seed of the draws.

    Returns:
        For each group, K estimates. A draw that has no question of a group does not count for it.
    """
    groups, columns = members.shape[1], values.shape[1]
    inside = members.astype(np.float64)
    parts = (inside[:, :, None] * values[:, None, :]).reshape(len(values), groups * columns)
    sums = resampled_sums(np.concatenate([inside, parts], axis=1), samples=samples, seed=seed)
    sizes = sums[:, :groups, None]  # (S, G, 1)
    with np.errstate(invalid="ignore"):
        means = sums[:, groups:].reshape(samples, groups, columns) / sizes
    tail = (100.0 - LEVEL) / 2
    low, high = np.nanpercentile(means, [tail, 100.0 - tail], axis=0)
    found = parts.sum(axis=0).reshape(groups, columns) / inside.sum(axis=0)[:, None]
    return [
        [Estimate(*map(float, one)) for one in zip(*rows, strict=True)]
        for rows in zip(found, low, high, strict=True)
    ]


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Test whether two systems are right equally often, by McNemar's exact test.

    Args:
        first: (N,) whether the first system is right.
        second: (N,) whether the second one is.

    Returns:
        The two-sided p-value: how probable so uneven a split of the questions that only one of them
        has right would be if each could as well fall to the other. 1 if there are none.
    """
    from scipy.special import bdtr  # scipy takes long to import

    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    both_sides = 2.0 * bdtr(min(only_first, only_second), only_first + only_second, 0.5)
    return min(1.0, float(both_sides))


def sign_test(differences: Floats, *, samples: int = PERMUTATIONS, seed: int = 0) -> float:
    """Test whether the mean of paired differences is 0, by random signs.

    Args:
        differences: (N,) the first system's score minus the second's, for each question.
        samples: How often signs are drawn.
        seed: Seed of the draws.

    Returns:
        The two-sided p-value: how often random signs give a sum that is as far from 0, with the
        data themselves counted as one draw.
    """
    random = np.random.default_rng(seed)
    sizes, counts = np.unique(np.abs(differences[differences != 0]).round(12), return_counts=True)
    # Only how many of equal differences are positive matters, which is binomial.
    positive = random.binomial(counts, 0.5, size=(samples, len(counts)))
    sums = (2.0 * positive - counts) @ sizes
    found = abs(float(differences.sum()))
    as_far = int((np.abs(sums) >= found - 1e-9 * max(1.0, found)).sum())
    return (1 + as_far) / (1 + samples)
