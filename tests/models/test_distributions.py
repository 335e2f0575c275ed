"""Distributions over spans, and what they say of single tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.models.distributions import (
    CandidateDistribution,
    PointerDistribution,
    marginals,
)


@given(seed=st.integers(0, 2**32 - 1), tokens=st.integers(1, 12), longest=st.integers(1, 15))
def test_marginals_are_sums_over_spans(seed: int, tokens: int, longest: int) -> None:
    random = np.random.default_rng(seed)
    start, end = (random.dirichlet(np.ones(tokens)).astype(np.float32) for _ in range(2))
    table = PointerDistribution(start, end, longest).table()
    starts, ends = np.zeros(tokens), np.zeros(tokens)
    for first in range(tokens):
        for last in range(first, min(tokens, first + longest)):
            starts[first] += table[first, last - first]
            ends[last] += table[first, last - first]
    found = marginals(table)
    assert found[0] == pytest.approx(starts)
    assert found[1] == pytest.approx(ends)
    assert found[0].sum() == pytest.approx(found[1].sum()) == pytest.approx(1)


def test_of_candidates() -> None:
    spans = np.array([[0, 1], [2, 2], [0, 2]], np.int32)
    one = CandidateDistribution(4, spans, np.array([0.5, 0.25, 0.25], np.float32))
    start, end = marginals(one.table())
    assert start.tolist() == [0.75, 0, 0.25, 0]
    assert end.tolist() == [0, 0.5, 0.5, 0]
