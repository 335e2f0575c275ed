"""Several models' distributions over the spans of a question as one, and the answer by it.

The ensemble's probability of a span is the weighted mean of the members'; a span that a member does
not consider, because it is too long or no candidate, has probability 0 there. No list of best spans
is cut off before the mean is taken, so it is exact. The mean is geometric, over all spans that a
member considers, and a member's probability is raised by `FLOOR` there, so that none of them can
rule out a span alone; or it is arithmetic. Three readers on held-out articles, whose best has an F1
of 63.5, have 64.8 by the geometric mean and 64.0 by the arithmetic one; two have 64.1 and 64.2.

The answer is the most probable span or, on demand, that of the highest expected F1: its F1 in
tokens against every probable span, weighed by that one's probability. Measured with a reader and
two scorers, the latter is 1 F1 better and 1.6 exact match worse where questions have one answer, as
the held-out articles of SQuAD's train; on dev, where they have several, it is worse in both.

Weights can be fitted: those under which the arithmetic mean makes the answers of held-out questions
most probable. There is one such mixture, and expectation maximisation (Dempster, Laird and Rubin,
1977) walks to it.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from squadqa.errors import DataError
from squadqa.models.distributions import SpanDistribution, normalized

Aim = Literal["f1", "exact_match"]
"""What an answer is chosen for."""

Mean = Literal["geometric", "arithmetic"]
"""How the members' probabilities of a span become one."""

FLOOR = 1e-4
"""What is added to a member's probability of each span before the geometric mean is taken."""

CONSIDERED = 50
"""Most probable spans that the answer is one of, and that its expected F1 is summed over."""

FIT_STEPS = 1000
"""Steps of fitting weights at most; a hundred are usual."""

FITTED = 1e-5
"""Change of every weight in a step below which weights are fitted."""


def mean_table(
    distributions: Sequence[SpanDistribution], weights: Sequence[float], *, mean: Mean = "geometric"
) -> NDArray[np.float64]:
    """The weighted mean of what members make of one question.

    Args:
        distributions: What each member makes of it.
        weights: The members' weights, positive; their sum may be anything.
        mean: Which one.

    Returns:
        (C, L) probabilities of spans by first token, and by the number of tokens after it.
    """
    tables = [one.table() for one in distributions]
    every = np.zeros((len(tables), len(tables[0]), max(table.shape[1] for table in tables)))
    for table, given in zip(every, tables, strict=True):
        table[:, : given.shape[1]] = given
    shares = np.array(weights) / sum(weights)
    if mean == "arithmetic":
        return np.tensordot(shares, every, axes=1)
    product = np.exp(np.tensordot(shares, np.log(every + FLOOR), axes=1))
    product *= every.any(axis=0)
    return normalized(product)


def fit_weights(
    first: NDArray[np.integer],
    last: NDArray[np.integer],
    members: Sequence[Sequence[SpanDistribution]],
) -> list[float]:
    """Find the weights that make the answers of questions most probable.

    Args:
        first: (N,) first token of each question's answer, which no member has learned from; -1 if
            it is not known.
        last: (N,) last token of it, inclusive.
        members: What each member makes of each question.

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
    given = given[given.sum(axis=1) > 0]
    if not len(given):
        raise DataError(
            "no member gives any of the held-out answers a probability: there is nothing to fit "
            "weights to",
            next_step="Name data whose questions have answers, or give the weights.",
        )
    weights = np.full(len(members), 1 / len(members))
    for _ in range(FIT_STEPS):
        shares = weights * given
        new = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
        is_fitted = np.abs(new - weights).max() < FITTED
        weights = new
        if is_fitted:
            break
    return [float(weight) for weight in weights]


def choose_spans(
    table: NDArray[np.float64], *, n_best: int = 1, aim: Aim = "exact_match"
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Choose the best spans of a question.

    Args:
        table: (C, L) probabilities of spans by first token, and by the number of tokens after it.
        n_best: Most spans to give.
        aim: What to choose for.

    Returns:
        (K, 2) first and last tokens, inclusive, the best first, and (K,) their probabilities.
    """
    if aim == "exact_match":
        return _probable(table, n_best)
    spans, probabilities = _probable(table, CONSIDERED)
    order = np.argsort(-expected_f1(spans, probabilities), kind="stable")[:n_best]
    return spans[order], probabilities[order]


def expected_f1(
    spans: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What F1 in tokens to expect of each span, if one of them is right.

    Args:
        spans: (K, 2) first and last token, inclusive.
        probabilities: (K,) of their being right.

    Returns:
        (K,) sums over all spans.
    """
    first, last = spans.T
    shared = np.minimum(last[:, None], last) - np.maximum(first[:, None], first) + 1  # (K, K)
    length = last - first + 1
    f1 = 2 * shared.clip(min=0) / (length[:, None] + length)
    expected: NDArray[np.float64] = f1 @ probabilities
    return expected


def _probability(one: SpanDistribution, first: int, last: int) -> float:
    """The probability of a span; 0 where there is none, or none so long."""
    if first < 0 or last - first >= one.longest:
        return 0.0
    return float(one.table()[first, last - first])


def _probable(
    table: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(K, 2) most probable spans, the first of equal ones first, and (K,) probabilities.

    One at least; more only where they have a probability.
    """
    places = np.array([table.argmax()])
    if count > 1:
        flat = table.ravel()
        bound = np.partition(flat, -count)[-count] if count < len(flat) else 0.0
        places = np.flatnonzero((flat >= bound) & (flat > 0))
        places = places[np.argsort(-flat[places], kind="stable")[:count]]
        places = places if len(places) else np.array([0])
    first, further = np.unravel_index(places, table.shape)
    return np.stack([first, first + further], axis=1), table[first, further]
