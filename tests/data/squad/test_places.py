"""Answers that are given as text only: where they are looked up, and what is counted."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.alignment import Alignment
from squadqa.data.prepare import prepare_data
from squadqa.data.squad import BadAnswers, FindAnswers, Reading, SquadData, find_source, read_squad
from squadqa.data.squad.places import NOWHERE, with_places
from squadqa.errors import DataError

CONTEXT = "In 1931 Ada, 31, met ADA's Karl. 31 left."


def place(*texts: str, find: FindAnswers = "all") -> tuple[list[tuple[str, int]], dict[str, int]]:
    counts = Counter[str]()
    found = with_places(CONTEXT, list(texts), [None] * len(texts), find=find, counts=counts)
    return list(zip(*found, strict=True)), {name: many for name, many in counts.items() if many}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("31", [("31", 13), ("31", 33)]),  # as whole words, so not in 1931
        ("193", [("193", 3)]),  # no whole word, so within one
        ("Ada", [("Ada", 8)]),
        ("karl", [("Karl", 27)]),  # in other capitals, as the context has it
        ("ada", [("Ada", 8), ("ADA", 21)]),
        (" Karl ", [("Karl", 27)]),
        (".", [(".", 31), (".", 40)]),
    ],
)
def test_places(text: str, places: list[tuple[str, int]]) -> None:
    assert place(text)[0] == places
    assert place(text, find="first")[0] == places[:1]
    assert place(text, find="error")[0] == [(text, NOWHERE)]


def test_what_is_counted() -> None:
    assert place("31", "karl", "boat", "")[1] == {
        "found": 2,
        "of these in several places": 1,
        "of these in other capitals": 1,
        "not in the context": 2,
    }
    assert place("31", "boat", find="error")[1] == {}


def test_answers_with_a_place_come_first() -> None:
    counts = Counter[str]()
    found = with_places(CONTEXT, ["x", "Ada"], [None, 8], find="error", counts=counts)
    assert found == (["Ada", "x"], [8, NOWHERE])


@given(st.text(st.sampled_from("ab B."), min_size=1), st.data())
def test_what_was_found_stands_there(context: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(context) - 1))
    text = context[start : data.draw(st.integers(start + 1, len(context)))]
    texts, starts = with_places(context, [text], [None], find="all", counts=Counter())
    if text.strip():
        assert NOWHERE not in starts
        for one, begin in zip(texts, starts, strict=True):
            assert context[begin : begin + len(one)] == one == text.strip()
    else:
        assert starts == [NOWHERE]


# In a file

ROWS = [
    {"question": "Who?", "context": CONTEXT, "answer": "Karl"},
    {"question": "Who else?", "context": CONTEXT, "answer": "Ida"},
    {"question": "When?", "context": CONTEXT, "answer": "1931", "answer_start": 3},
    {"question": "Why?", "context": CONTEXT},
]


def read(
    folder: Path,
    *rows: int,
    find_answers: FindAnswers = "error",
    bad_answers: BadAnswers = "keep",
) -> SquadData:
    path = folder / "x.jsonl"
    path.write_text("".join(json.dumps(ROWS[row]) + "\n" for row in rows))
    source = find_source(str(path), reading=Reading.of(None, find_answers))
    return read_squad(source, bad_answers=bad_answers)


@pytest.mark.parametrize("bad_answers", ["error", "skip"])
def test_training_says_how_many_there_are_and_how_to_go_on(
    bad_answers: BadAnswers, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, 0, 1, 2, bad_answers=bad_answers)
    assert "the answers of 2 of 3 questions are texts without places" in str(caught.value)
    assert 'such as "Karl" of "1" (line 1)' in str(caught.value)
    assert "--find-answers first" in str(caught.value)


def test_evaluation_needs_no_places(tmp_path: Path) -> None:
    data = read(tmp_path, 0, 1, 2, 3)
    assert data.answer_texts == [["Karl"], ["Ida"], ["1931"], []]
    assert data.answer_starts == [[NOWHERE], [NOWHERE], [3], []]
    assert data.found == {}
    kinds = prepare_data(data).alignment.tolist()
    unplaced, exact, none = Alignment.UNPLACED, Alignment.EXACT, Alignment.NONE
    assert kinds == [unplaced, unplaced, exact, none]


def test_found_answers_are_trained_on_and_counted(tmp_path: Path) -> None:
    data = read(tmp_path, 0, 2, find_answers="first", bad_answers="error")
    assert data.answer_starts == [[27], [3]]
    assert data.found == {"found": 1}


def test_answers_that_are_not_in_the_context(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of its answers stands in the context: 'Ida'"):
        read(tmp_path, 0, 1, find_answers="first", bad_answers="error")
    data = read(tmp_path, 0, 1, find_answers="first", bad_answers="skip")
    assert data.skipped == {"none of its answers stands in the context": 1}
    assert data.found == {"found": 1, "not in the context": 1}
