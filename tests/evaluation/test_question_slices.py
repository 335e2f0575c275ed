"""Scores of slices."""

import numpy as np
import pytest

from squadqa.evaluation.question_slices import Dimension, dimensions, score_slices
from squadqa.evaluation.questions import describe_questions
from squadqa.evaluation.systems import score_system, system_of_texts
from tests.support import tiny

DATA = tiny.prepared()
QUESTIONS = describe_questions(DATA)
FIRST = score_system(QUESTIONS, system_of_texts("a", {"q0": "Ida Moss", "q1": "31", "q2": "1871"}))
SECOND = score_system(QUESTIONS, system_of_texts("b", {"q0": "Moss"}))


def test_every_question_is_in_one_slice_of_each_dimension() -> None:
    some = dimensions(QUESTIONS)
    assert [one.name for one in some][:2] == ["question word", "answer type"]
    for one in some:
        assert len(one.members) == 8
        assert set(one.members) <= set(range(-1, len(one.labels)))
        found = score_slices([one], [FIRST])
        assert sum(each.questions for each in found) == (one.members >= 0).sum()


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("answer length in tokens", ["2", "1", "1", "1", "2", "2", "2", "1"]),
        ("context length in tokens", ["up to 100"] * 8),
    ],
)
def test_bins(name: str, labels: list[str]) -> None:
    (one,) = (each for each in dimensions(QUESTIONS) if each.name == name)
    assert [one.labels[place] for place in one.members] == labels


def test_slices_are_scored_by_their_questions() -> None:
    members = np.array([0, 0, 1, 1, 1, 1, 1, -1])
    found = score_slices([Dimension("half", ("few", "many", "none"), members)], [FIRST, SECOND])
    assert [(one.label, one.questions) for one in found] == [("few", 2), ("many", 5)]
    few, many = found
    assert [one.value for one in few.exact_match] == [100, 0]
    assert few.f1[1].value == pytest.approx(50 * 2 / 3)
    assert few.difference is not None
    assert few.difference.value == pytest.approx(100 - 50 * 2 / 3)
    assert many.f1[0].value == 0
    (alone,) = score_slices([Dimension("all", ("all",), np.zeros(8, int))], [FIRST])
    assert alone.difference is None


def test_data_without_slices() -> None:
    assert score_slices([Dimension("none", ("a",), np.full(8, -1))], [FIRST]) == []
