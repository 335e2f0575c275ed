from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.vectors import DEFAULT_SOURCE, lookup
from squadqa.data.vectors.table import spellings
from tests.support.vector_files import file_of_kind, write


def test_sources_are_concatenated(tmp_path: Path) -> None:
    one = write(tmp_path / "one.txt", "a 1 2\nb 3 4\n")
    two = write(tmp_path / "two.txt", "b 5 6 7\nc 8 9 10\n")
    table = lookup([one, two], ["a", "b", "c", "d"])
    assert table.found.tolist() == [[True, False], [True, True], [False, True], [False, False]]
    assert table.vectors.tolist() == [
        [1, 2, 0, 0, 0],
        [3, 4, 5, 6, 7],
        [0, 0, 8, 9, 10],
        [0, 0, 0, 0, 0],
    ]


def test_no_forms_and_no_sources_still_have_shapes(tmp_path: Path) -> None:
    source = file_of_kind(tmp_path, ".txt")
    assert lookup([source, DEFAULT_SOURCE], []).vectors.shape == (0, 53)
    empty = lookup([], ["a", "b"])
    assert (empty.vectors.shape, empty.found.shape) == ((2, 0), (2, 0))


@pytest.fixture(scope="module")
def small_source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return file_of_kind(tmp_path_factory.mktemp("vectors"), ".txt")


@given(st.sets(st.sampled_from(["the", "The", "Paris", "paris", "Köppen", "koppen", "x", "’"])))
def test_a_row_does_not_depend_on_the_other_forms(small_source: str, forms: set[str]) -> None:
    asked = sorted(forms)
    table = lookup([small_source], asked)
    for row, form in enumerate(asked):
        alone = lookup([small_source], [form])
        np.testing.assert_array_equal(table.vectors[row], alone.vectors[0])
        assert table.found[row] == alone.found[0]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("the", ("the",)),
        ("Paris", ("Paris", "paris")),
        ("Köppen", ("Köppen", "köppen", "koppen")),
        ("2008–09", ("2008–09", "2008-09")),
        ("’s", ("’s", "'s")),
        ("W\ufeff", ("W\ufeff", "w\ufeff", "w")),
        ("日本", ("日本",)),
    ],
)
def test_spellings(form: str, expected: tuple[str, ...]) -> None:
    assert spellings(form) == expected


@given(st.text(min_size=1))
def test_spellings_begin_with_the_form_and_are_distinct(form: str) -> None:
    found = spellings(form)
    assert found[0] == form
    assert len(set(found)) == len(found) <= 3


def test_exact_spelling_wins(tmp_path: Path) -> None:
    source = write(tmp_path / "case.txt", "us 1 1\nUS 2 2\nkoppen 3 3\nköppen 4 4\n")
    table = lookup([source], ["US", "us", "Us", "Köppen", "Koppen"])
    assert table.vectors[:, 0].tolist() == [2, 1, 1, 4, 3]
