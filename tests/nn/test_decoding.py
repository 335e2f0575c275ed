import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from squadqa.nn.decoding import best_spans, expected_f1
from squadqa.nn.masking import mask_logits


def brute_force(start: Tensor, end: Tensor, longest: int) -> list[tuple[float, tuple[int, int]]]:
    """Every span and its log-probability, the best first."""
    first, last = start.log_softmax(0).tolist(), end.log_softmax(0).tolist()
    return sorted(
        (
            (first[s] + last[e], (s, e))
            for s in range(len(first))
            for e in range(s, min(s + longest, len(last)))
        ),
        key=lambda scored: -scored[0],
    )


@given(
    seed=st.integers(0, 10_000),
    length=st.integers(1, 9),
    padded=st.integers(0, 3),
    longest=st.integers(1, 12),
    n_best=st.integers(1, 6),
)
def test_equals_brute_force(seed: int, length: int, padded: int, longest: int, n_best: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(2, 2, length + padded, generator=generator)
    mask = torch.arange(length + padded) < length
    start, end = mask_logits(logits[0], mask), mask_logits(logits[1], mask)
    spans, scores = best_spans(start, end, max_span_length=longest, n_best=n_best)
    assert spans.shape == (2, n_best, 2)
    assert scores.shape == (2, n_best)
    assert (scores.diff(dim=1) <= 0).all()
    for row in range(2):
        expected = brute_force(start[row, :length], end[row, :length], longest)[:n_best]
        found = scores[row, : len(expected)].tolist()
        assert found == pytest.approx([score for score, _ in expected], abs=1e-5)
        assert [tuple(span) for span in spans[row, : len(expected)].tolist()] == [
            span for _, span in expected
        ]
        assert (scores[row, len(expected) :] < -1e30).all()
    assert scores.isfinite().all()
    assert (spans >= 0).all()
    assert (spans < length + padded).all()
    assert (spans[:, :, 0] <= spans[:, :, 1]).all()


@pytest.mark.parametrize(("longest", "last"), [(1, 1), (2, 2), (3, 3), (4, 3)])
def test_limit_counts_tokens(longest: int, last: int) -> None:
    start = torch.tensor([[0.0, 9.0, 0.0, 0.0, 0.0]])
    end = torch.tensor([[0.0, 1.0, 2.0, 3.0, 0.0]])
    spans, _ = best_spans(start, end, max_span_length=longest)
    assert spans.tolist() == [[[1, last]]]


def test_end_is_never_before_the_start() -> None:
    start, end = torch.tensor([[0.0, 0.0, 50.0]]), torch.tensor([[50.0, 0.0, 0.0]])
    (span,), _ = best_spans(start, end, max_span_length=3)
    assert span[0][0] <= span[0][1]


def test_scores_are_log_probabilities() -> None:
    one_token = torch.zeros(1, 1)
    assert best_spans(one_token, one_token, max_span_length=5)[1].tolist() == [[0.0]]
    spans, scores = best_spans(torch.zeros(1, 4), torch.zeros(1, 4), max_span_length=1, n_best=4)
    assert sorted(spans[0, :, 0].tolist()) == [0, 1, 2, 3]
    assert scores[0].tolist() == pytest.approx([2 * math.log(1 / 4)] * 4)


def test_padded_row_is_finite() -> None:
    logits = mask_logits(torch.randn(1, 4), torch.zeros(1, 4, dtype=torch.bool))
    spans, scores = best_spans(logits, logits, max_span_length=3)
    assert scores.isfinite().all()
    assert 0 <= spans.min() <= spans.max() < 4


def test_half_precision_is_scored_in_single() -> None:
    logits = torch.randn(2, 5).bfloat16()
    one, other = (best_spans(x, x, max_span_length=3) for x in (logits, logits.float()))
    assert one[0].equal(other[0])
    assert one[1].equal(other[1])


@given(seed=st.integers(0, 10_000), count=st.integers(1, 6), length=st.integers(1, 8))
def test_expected_f1_is_the_sum_over_spans(seed: int, count: int, length: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    spans = torch.randint(length, (2, count, 2), generator=generator).sort(dim=2).values
    probabilities = torch.rand(2, count, generator=generator)
    counted = torch.rand(2, length, generator=generator) < 0.7
    found = expected_f1(spans, probabilities, counted)
    for row in range(2):
        places = [
            {place for place in range(first, last + 1) if counted[row, place]}
            for first, last in spans[row].tolist()
        ]
        for one, mine in enumerate(places):
            expected = sum(
                share * 2 * len(mine & other) / max(1, len(mine) + len(other))
                for other, share in zip(places, probabilities[row].tolist(), strict=True)
            )
            assert found[row, one].item() == pytest.approx(expected, abs=1e-5)
