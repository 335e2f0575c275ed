"""The questions that an evaluation is measured with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.benchmark.measuring import whole_paragraphs
from squadqa.data.dataset import SpanDataset
from tests.support import tiny

DATA = tiny.prepared()  # three paragraphs with four, two and two questions


@given(count=st.integers(1, 12), rows=st.sets(st.integers(0, 7), min_size=1))
def test_questions_of_a_paragraph_are_measured_together(count: int, rows: set[int]) -> None:
    dataset = SpanDataset(DATA, rows=np.array(sorted(rows)))
    chosen = whole_paragraphs(dataset, count)
    paragraphs = set(DATA.paragraphs[chosen].tolist())
    assert chosen.tolist() == [row for row in sorted(rows) if DATA.paragraphs[row] in paragraphs]
    assert len(chosen) > 0


@pytest.mark.parametrize(("count", "expected"), [(1, 4), (3, 4), (6, 6), (8, 8), (100, 8)])
def test_as_many_questions_as_asked_for_as_far_as_there_are(count: int, expected: int) -> None:
    assert len(whole_paragraphs(SpanDataset(DATA), count)) == expected
