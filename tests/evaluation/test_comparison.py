"""Comparison of two systems."""

import pytest

from squadqa.evaluation.comparison import EXAMPLES, compare, moved_slices
from squadqa.evaluation.question_slices import SliceScores, dimensions
from squadqa.evaluation.questions import describe_questions
from squadqa.evaluation.resampling import Estimate
from squadqa.evaluation.systems import score_system, system_of_texts
from tests.support import tiny

QUESTIONS = describe_questions(tiny.prepared(annotated=False))
FIRST = score_system(
    QUESTIONS,
    system_of_texts("a", {"q0": "Ida Moss", "q1": "31 years", "q2": "1902", "q3": "Oslo"}),
)
SECOND = score_system(
    QUESTIONS, system_of_texts("b", {"q0": "Moss", "q3": "Oslo", "q4": "rape oil"})
)


def test_wins_losses_and_ties() -> None:
    found = compare(QUESTIONS, FIRST, SECOND, dimensions(QUESTIONS))
    exact, f1 = found.exact_match, found.f1
    assert (exact.wins, exact.losses, exact.ties) == (3, 1, 4)
    assert (f1.wins, f1.losses, f1.ties) == (3, 1, 4)
    assert (exact.first, exact.second) == (50, 25)
    assert exact.difference.value == 25
    assert exact.p_value == pytest.approx(2 * 5 / 16)
    assert f1.difference.low <= f1.difference.value <= f1.difference.high
    assert found.moved


def test_the_other_way_round_is_the_opposite() -> None:
    some = dimensions(QUESTIONS)
    one, other = compare(QUESTIONS, FIRST, SECOND, some), compare(QUESTIONS, SECOND, FIRST, some)
    assert one.f1.difference.value == pytest.approx(-other.f1.difference.value)
    assert one.f1.difference.low == pytest.approx(-other.f1.difference.high)
    assert (one.f1.p_value, one.f1.wins) == (other.f1.p_value, other.f1.losses)
    assert [each.id for each in one.wins] == [each.id for each in other.losses]


def test_examples_are_those_with_the_largest_difference() -> None:
    found = compare(QUESTIONS, FIRST, SECOND, dimensions(QUESTIONS))
    assert {one.id for one in found.wins[:2]} == {"q1", "q2"}
    assert [(one.id, one.second_f1) for one in found.wins[2:]] == [("q0", pytest.approx(200 / 3))]
    (lost,) = found.losses
    assert (lost.id, lost.first, lost.second, lost.references) == (
        "q4",
        "",
        "rape oil",
        ("rape oil",),
    )
    assert len(found.wins) <= EXAMPLES


def slice_scores(label: str, value: float, width: float, questions: int = 50) -> SliceScores:
    difference = Estimate(value, value - width, value + width)
    return SliceScores("kind", label, questions, (), (), difference)


def test_the_surest_slices_come_first() -> None:
    some = [
        slice_scores("wide", 30.0, 40.0),
        slice_scores("sure", -8.0, 2.0),
        slice_scores("few", 90.0, 1.0, questions=19),
        slice_scores("less", 5.0, 1.0),
        slice_scores("none", 1.0, 2.0),
    ]
    assert [one.label for one in moved_slices(some, 1000)] == ["sure", "less", "wide", "none"]
    assert moved_slices(some, 300)[0].label == "few"
