import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.vectors.coverage import coverage


def test_coverage_by_form_and_by_token() -> None:
    found = np.array([[1, 1], [1, 0], [0, 0], [0, 0]], dtype=bool)
    seen = coverage(
        found,
        np.array([70, 20, 4, 6]),
        ["the", "of", "latewood", "Midna"],
        sources=["one", "two"],
        num_missing=1,
    )
    assert (seen.forms, seen.tokens) == (4, 100)
    assert (seen.by_form, seen.by_token) == ((50.0, 25.0), (90.0, 70.0))
    assert (seen.together_by_form, seen.together_by_token) == (50.0, 90.0)
    assert seen.missing == (("Midna", 6),)
    lines = seen.describe().splitlines()
    assert [line.split()[0] for line in lines] == [
        "vectors",
        "4",
        "one",
        "two",
        "together",
        "commonest",
    ]
    assert "Midna (6)" in lines[-1]
    assert {len(line) for line in lines[:1] + lines[1:2]} == {len(lines[0])}


def test_coverage_of_nothing() -> None:
    none = coverage(np.zeros((0, 1), bool), np.zeros(0, int), [], sources=["one"])
    assert (none.by_form, none.by_token, none.missing) == ((0.0,), (0.0,), ())
    assert "together" not in none.describe()


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 9)), min_size=1))
def test_sources_together_have_at_least_the_forms_of_each(
    rows: list[tuple[bool, bool, int]],
) -> None:
    found = np.array([row[:2] for row in rows])
    counts = np.array([row[2] for row in rows])
    seen = coverage(found, counts, [str(i) for i in range(len(rows))], sources=["a", "b"])
    assert max(seen.by_token) <= seen.together_by_token <= 100.0
    assert seen.together_by_token <= sum(seen.by_token) + 1e-9
    missing = sum(count for _, count in seen.missing)
    if len(seen.missing) < 20:
        assert seen.together_by_token == pytest.approx(100 * (1 - missing / counts.sum()))
