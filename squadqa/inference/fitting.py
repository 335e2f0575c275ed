"""Weights of an ensemble's members, fitted so that the answers of held-out questions are likely.

They are fitted for the mean that is used (`squadqa.inference.mixing`). Both fits have one optimum:

- The arithmetic mean is a mixture of the members. Expectation maximisation (Dempster, Laird and
  Rubin, 1977) converges to its best weights.
- The geometric mean, divided by its sum over all spans, is a log-linear model of the members'
  log-probabilities (Heskes, 1998, Selecting Weighting Factors in Logarithmic Opinion Pools), whose
  likelihood is concave. Exponentiated gradient steps (Kivinen and Warmuth, 1997) keep the weights
  positive and their sum 1.

Letters: N questions, M members, S spans of all questions together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from squadqa.errors import DataError
from squadqa.inference.mixing import FLOOR, Mean, tables_of
from squadqa.models.distributions import SpanDistribution

MOST_STEPS = 1000
"""Most steps of fitting weights; a hundred are usual."""

FITTED = 1e-5
"""Fitting ends when every weight changes by less than this in a step."""

SMALLEST = 1e-9
"""Weight of a member that adds nothing: an ensemble's weights are above 0."""

NEGLIGIBLE = FLOOR / 100
"""Spans to which every member gives less are not told apart: their mean is within 1 % of `FLOOR`,
whatever the weights."""

Floats = NDArray[np.float64]


def fit_weights(
    first: NDArray[np.integer],
    last: NDArray[np.integer],
    members: Sequence[Sequence[SpanDistribution]],
    *,
    mean: Mean,
) -> list[float]:
    """Find the weights that make the answers of questions most probable.

    Args:
        first: (N,) first token of each question's answer, -1 if it is not known. No member may have
            been trained on these questions.
        last: (N,) last token of it, inclusive.
        members: The distribution of each member for each question.
        mean: The mean that the weights are for.

    Returns:
        The members' weights, which sum to 1.

    Raises:
        DataError: No member gives any answer a probability.
    """
    found = [
        [_probability(one, *span) for one, *span in zip(own, first, last, strict=True)]
        for own in members
    ]
    given = np.array(found).T  # (N, M)
    kept = np.flatnonzero(given.sum(axis=1) > 0)
    if not len(kept):
        raise DataError(
            "no member gives any of the held-out answers a probability: there is nothing to fit "
            "weights to",
            next_step="Name data whose questions have answers, or give the weights.",
        )
    if mean == "arithmetic":
        weights = _fit_mixture(given[kept])
    else:
        weights = _fit_pool(
            _Pool.of([[own[row] for own in members] for row in kept.tolist()], given[kept])
        )
    return [max(float(weight), SMALLEST) for weight in weights]


def _probability(one: SpanDistribution, first: int, last: int) -> float:
    """The probability of a span; 0 if the distribution does not contain it."""
    if first < 0 or last - first >= one.longest:
        return 0.0
    return float(one.table()[first, last - first])


def _fit_mixture(given: Floats) -> Floats:
    """Fit the weights of the arithmetic mean to the (N, M) probabilities of the answers."""
    weights = np.full(given.shape[1], 1 / given.shape[1])
    for _ in range(MOST_STEPS):
        shares = weights * given
        new = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
        is_fitted = np.abs(new - weights).max() < FITTED
        weights = new
        if is_fitted:
            break
    return weights


@dataclass(frozen=True)
class _Pool:
    """All that the geometric mean's likelihood depends on.

    Args:
        answers: (N, M) log-probabilities of the answers, with `FLOOR`.
        spans: (S, M) log-probabilities of all spans that are not negligible, with `FLOOR`.
        begins: (N,) each question's first place among them.
        rest: (N,) sum of the means of the other spans that a member considers.
    """

    answers: Floats
    spans: Floats
    begins: NDArray[np.int64]
    rest: Floats

    @classmethod
    def of(cls, questions: Sequence[Sequence[SpanDistribution]], given: Floats) -> "_Pool":
        """Collect the spans of questions, each with the members' distributions."""
        spans, rest = [], []
        for distributions in questions:
            tables = tables_of(distributions).reshape(len(distributions), -1)  # (M, spans)
            most = tables.max(axis=0)
            spans.append(np.log(tables[:, most >= NEGLIGIBLE].T + FLOOR))
            rest.append(FLOOR * np.count_nonzero((most > 0) & (most < NEGLIGIBLE)))
        counts = [len(one) for one in spans]
        begins = np.cumsum([0, *counts[:-1]])
        return cls(np.log(given + FLOOR), np.concatenate(spans), begins, np.array(rest))

    def likelihood(self, weights: Floats) -> tuple[float, Floats]:
        """Return the answers' mean log-probability, and its (M,) gradient."""
        means = np.exp(self.spans @ weights)  # (S,)
        totals = np.add.reduceat(means, self.begins) + self.rest  # (N,)
        of_spans = np.add.reduceat(means[:, None] * self.spans, self.begins)  # (N, M)
        of_spans += (self.rest * np.log(FLOOR))[:, None]
        likelihood = (self.answers @ weights - np.log(totals)).mean()
        gradient: Floats = (self.answers - of_spans / totals[:, None]).mean(axis=0)
        return float(likelihood), gradient


def _fit_pool(pool: _Pool) -> Floats:
    """Fit the weights of the geometric mean."""
    count = pool.answers.shape[1]
    weights, rate = np.full(count, 1 / count), 1.0
    likelihood, gradient = pool.likelihood(weights)
    for _ in range(MOST_STEPS):
        steps = rate * (gradient - gradient.max())
        new = weights * np.exp(steps)
        new /= new.sum()
        reached, new_gradient = pool.likelihood(new)
        if reached < likelihood:
            rate /= 2
            continue
        is_fitted = np.abs(new - weights).max() < FITTED * min(1.0, rate)
        weights, likelihood, gradient, rate = new, reached, new_gradient, rate * 1.5
        if is_fitted:
            break
    return weights
