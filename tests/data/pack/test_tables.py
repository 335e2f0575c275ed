"""Tables of word vectors: nothing is lost, and each distinct row is there once."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from squadqa.data.pack.tables import DIGITS, distinct_rows, names_of, rows_of, table_columns

FLOATS = st.floats(-1e6, 1e6, width=32)
DECIMALS = st.builds(
    lambda digits, shift: float(np.float32(f"{digits}e-{shift}")),
    st.integers(-99_999, 99_999),
    st.integers(0, 9),
)


def tables(values: st.SearchStrategy[float]) -> st.SearchStrategy[NDArray[np.float32]]:
    return st.lists(st.lists(values, min_size=3, max_size=3), max_size=5).map(
        lambda rows: np.array(rows, np.float32).reshape(-1, 3)
    )


@given(tables(FLOATS))
def test_any_values_come_back(rows: NDArray[np.float32]) -> None:
    stored, columns = table_columns(rows)
    assert list(columns) == names_of(stored)
    assert np.array_equal(rows_of(columns, stored), rows)


@given(tables(DECIMALS))
def test_values_of_five_digits_are_stored_as_decimals(rows: NDArray[np.float32]) -> None:
    stored, columns = table_columns(rows)
    assert stored == "decimals"
    assert not columns["bytes_3"].any(), "17 bits and a sign"
    assert np.array_equal(rows_of(columns, stored), rows)


def test_other_values_are_stored_as_they_are() -> None:
    rows = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32) * np.float32(1e-9)
    stored, columns = table_columns(rows)
    assert stored == "float32"
    assert np.array_equal(rows_of(columns, stored), rows)


ROWS = np.array([[0.25, -1.5], [3.0, 0.1]], np.float32)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("bytes_0", np.zeros((2, 3), np.uint8), "do not fit each other"),
        ("bytes_1", np.zeros((2, 2), np.int8), "do not fit each other"),
        (DIGITS, np.full((2, 2), 13, np.uint8), "too many digits"),
        (DIGITS, np.zeros((1, 2), np.uint8), "do not fit each other"),
    ],
)
def test_arrays_that_are_no_table(name: str, value: Any, says: str) -> None:
    stored, columns = table_columns(ROWS)
    assert stored == "decimals"
    with pytest.raises(ValueError, match=says):
        rows_of({**columns, name: value}, stored)


def test_values_that_are_no_numbers() -> None:
    columns = {name: np.full((2, 2), 0xFF, np.uint8) for name in names_of("float32")}
    with pytest.raises(ValueError, match="is not a number"):
        rows_of(columns, "float32")


def test_each_distinct_row_is_kept_once() -> None:
    one, two, three = np.eye(3, dtype=np.float32)
    none = np.zeros(3, np.float32)
    parts = [np.stack([two, none, one, two]), np.stack([three, one])]
    found = [np.array([True, False, True, True]), np.array([True, True])]
    rows, places = distinct_rows(parts, found)
    assert np.array_equal(rows, np.stack([two, one, three]))
    assert [place.tolist() for place in places] == [[1, 0, 2, 1], [3, 2]]


def test_no_row_at_all() -> None:
    rows, (places,) = distinct_rows([np.zeros((2, 3), np.float32)], [np.zeros(2, bool)])
    assert rows.shape == (0, 3)
    assert places.tolist() == [0, 0]
    stored, columns = table_columns(rows)
    assert rows_of(columns, stored).shape == (0, 3)
