"""Means of distributions, and answers by them, against sums span by span."""

import math
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.data.dataset import SpanDataset
from squadqa.evaluation.predictions import Answer
from squadqa.inference.mixing import (
    FLOOR,
    Aim,
    Mean,
    choose_spans,
    expected_f1,
    mean_table,
)
from squadqa.inference.reading import cut_spans
from squadqa.models.distributions import (
    CandidateDistribution,
    PointerDistribution,
    SpanDistribution,
)
from tests.support import tiny

Spans = dict[tuple[int, int], float]


def slow(reading: SpanDistribution) -> Spans:
    """The distribution over spans (first and last token), from its definition."""
    if isinstance(reading, CandidateDistribution):
        pairs = [(first, last) for first, last in reading.spans.tolist()]
        return dict(zip(pairs, reading.probabilities.tolist(), strict=True))
    spans = {
        (first, last): float(reading.start[first]) * float(reading.end[last])
        for first in range(len(reading.start))
        for last in range(first, min(len(reading.start), first + reading.max_span_length))
    }
    total = sum(spans.values())
    return {span: value / total for span, value in spans.items()}


def slow_mean(readings: Sequence[SpanDistribution], weights: Sequence[float]) -> Spans:
    mean: Spans = {}
    for reading, weight in zip(readings, weights, strict=True):
        for span, value in slow(reading).items():
            mean[span] = mean.get(span, 0.0) + weight / sum(weights) * value
    return mean


def slow_product(readings: Sequence[SpanDistribution], weights: Sequence[float]) -> Spans:
    every = [slow(reading) for reading in readings]
    product = {
        span: math.prod(
            (spans.get(span, 0.0) + FLOOR) ** (weight / sum(weights))
            for spans, weight in zip(every, weights, strict=True)
        )
        for span in {span for spans in every for span in spans}
    }
    total = sum(product.values())
    return {span: value / total for span, value in product.items()}


def normalized(draw: st.DrawFn, size: int) -> np.ndarray:
    values = draw(st.lists(st.floats(0.01, 1.0), min_size=size, max_size=size))
    return (np.array(values) / sum(values)).astype(np.float32)


@st.composite
def readings(draw: st.DrawFn) -> list[SpanDistribution]:
    """Distributions of one to four members over a context of one to six tokens."""
    tokens = draw(st.integers(1, 6))
    made: list[SpanDistribution] = []
    for is_pointer in draw(st.lists(st.booleans(), min_size=1, max_size=4)):
        if is_pointer:
            start, end = normalized(draw, tokens), normalized(draw, tokens)
            made.append(PointerDistribution(start, end, draw(st.integers(1, 8))))
            continue
        every = [(i, j) for i in range(tokens) for j in range(i, tokens)]
        chosen = draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
        spans = np.array(chosen, np.int32)
        made.append(CandidateDistribution(tokens, spans, normalized(draw, len(chosen))))
    return made


@settings(max_examples=60)
@given(readings(), st.data())
def test_a_spans_probability_is_the_weighted_mean(
    some: list[SpanDistribution], data: st.DataObject
) -> None:
    numbers = st.lists(st.floats(0.1, 9.0), min_size=len(some), max_size=len(some))
    weights = data.draw(numbers)
    mean: Mean = data.draw(st.sampled_from(get_args(Mean)))
    table = mean_table(some, weights, mean=mean)
    expected = (slow_mean if mean == "arithmetic" else slow_product)(some, weights)
    assert table.sum() == pytest.approx(1.0, rel=1e-5)
    found = {
        (first, first + further): table[first, further]
        for first, further in zip(*np.nonzero(table), strict=True)
    }
    assert found == pytest.approx(expected, rel=1e-5)


def pointer(start: list[float], end: list[float], *, longest: int = 9) -> PointerDistribution:
    return PointerDistribution(np.array(start, np.float32), np.array(end, np.float32), longest)


def candidates(tokens: int, spans: dict[tuple[int, int], float]) -> CandidateDistribution:
    probabilities = np.array([*spans.values()], np.float32)
    return CandidateDistribution(tokens, np.array([*spans], np.int32), probabilities)


CONTEXT = "one two three four"
DATASET = SpanDataset(tiny.prepared(tiny.one_question(CONTEXT, "What?", [("one", 0)])))


def answers(
    *members: SpanDistribution,
    weights: list[float] | None = None,
    n_best: int = 1,
    aim: Aim = "exact_match",
    mean: Mean = "arithmetic",
) -> list[Answer]:
    table = mean_table(members, weights or [1.0] * len(members), mean=mean)
    return cut_spans(DATASET, 0, *choose_spans(table, n_best=n_best, aim=aim))


def texts(*members: SpanDistribution, **options: Any) -> list[str]:
    return [answer.text for answer in answers(*members, **options)]


def test_members_that_agree_a_little_outvote_one_that_is_sure() -> None:
    """A vote of their answers would not find it."""
    first = candidates(4, {(0, 0): 0.6, (1, 2): 0.4})
    second = candidates(4, {(3, 3): 0.6, (1, 2): 0.4})
    assert [texts(first), texts(second)] == [["one"], ["four"]]
    assert texts(first, second) == ["two three"]
    assert texts(first, second, weights=[9, 1]) == ["one"]


def test_no_member_rules_out_a_span_alone() -> None:
    """By the geometric mean, a single sure member does not decide alone either."""
    sure = candidates(4, {(0, 0): 1.0})
    others = [candidates(4, {(0, 0): 0.2, (3, 3): 0.8})] * 2
    assert texts(sure, *others, mean="arithmetic") == ["four"]
    assert texts(sure, *others, mean="geometric") == ["one"]
    assert texts(sure, *others, *others, mean="geometric") == ["one"]
    certain = [candidates(4, {(0, 0): 0.001, (3, 3): 0.999})] * 2
    assert texts(sure, *certain, mean="geometric") == ["four"]


def test_the_geometric_mean_has_only_spans_that_a_member_considers() -> None:
    members = pointer([0.5, 0.5, 0, 0], [0.5, 0, 0.5, 0], longest=2), candidates(4, {(0, 3): 1.0})
    table = mean_table(members, [1, 1])
    assert set(zip(*np.nonzero(table), strict=True)) == {(0, 0), (1, 1), (0, 3)}
    assert len(texts(*members, n_best=9, mean="geometric")) == 3


def test_a_span_too_long_for_one_member_is_answered_by_the_other() -> None:
    short = pointer([0.5, 0.5, 0, 0], [0, 0, 0, 1], longest=2)
    long = candidates(4, {(0, 3): 1.0})
    assert texts(short, long) == [CONTEXT]


def test_n_best_are_the_most_probable_spans() -> None:
    found = answers(candidates(4, {(0, 0): 0.5, (1, 2): 0.3, (3, 3): 0.2}), n_best=9)
    assert [answer.text for answer in found] == ["one", "two three", "four"]
    assert [answer.probability for answer in found] == pytest.approx([0.5, 0.3, 0.2])
    assert [(answer.start, answer.end) for answer in found] == [(0, 3), (4, 13), (14, 18)]
    assert texts(candidates(4, {(0, 0): 0.5, (1, 2): 0.3, (3, 3): 0.2}), n_best=2) == [
        "one",
        "two three",
    ]


def test_a_reader_that_contradicts_itself_still_has_an_answer() -> None:
    assert texts(pointer([0, 0, 0, 1], [1, 0, 0, 0])) == ["one"]


def test_for_f1_the_span_that_others_overlap_is_answered() -> None:
    one = candidates(4, {(0, 0): 0.4, (1, 2): 0.3, (2, 3): 0.3})
    assert texts(one) == ["one"]
    assert texts(one, aim="f1", n_best=3) == ["two three", "three four", "one"]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.floats(0, 1)), min_size=1))
def test_expected_f1_is_the_sum_over_spans(drawn: list[tuple[int, int, float]]) -> None:
    spans = [(first, first + further) for first, further, _ in drawn]
    sets = [set(range(first, last + 1)) for first, last in spans]
    expected = [
        sum(
            probability * 2 * len(mine & other) / (len(mine) + len(other))
            for other, (*_, probability) in zip(sets, drawn, strict=True)
        )
        for mine in sets
    ]
    found = expected_f1(np.array(spans), np.array([probability for *_, probability in drawn]))
    assert found == pytest.approx(expected)
