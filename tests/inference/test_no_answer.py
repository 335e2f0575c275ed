"""The place of "no answer" among a question's answers."""

import pytest

from squadqa.evaluation.predictions import Answer
from squadqa.inference.no_answer import with_no_answer

SPANS = [Answer("a", 0.5, 0, 1), Answer("b", 0.2, 2, 3), Answer("c", 0.1, 4, 5)]


def texts(probability: float, threshold: float | None, n_best: int = 9) -> list[str]:
    answers = with_no_answer(SPANS, probability, threshold=threshold, n_best=n_best)
    assert {one.no_answer_probability for one in answers} == {probability}
    return [one.text for one in answers]


@pytest.mark.parametrize(
    ("probability", "threshold", "expected"),
    [
        (0.15, 0.1, ["", "a", "b", "c"]),  # above the threshold it is the answer
        (0.15, 0.15, ["a", "b", "", "c"]),
        (0.9, 0.95, ["a", "", "b", "c"]),  # below it never is
        (0.01, 0.5, ["a", "b", "c", ""]),
        (0.9, None, ["a", "b", "c"]),
    ],
)
def test_its_place(probability: float, threshold: float | None, expected: list[str]) -> None:
    assert texts(probability, threshold) == expected
    assert texts(probability, threshold, n_best=2) == expected[:2]


def test_it_is_no_span() -> None:
    none = with_no_answer(SPANS, 0.9, threshold=0.5, n_best=1)[0]
    assert none == Answer("", 0.9, 0, 0, no_answer_probability=0.9)
    assert none.values() == {
        "text": "", "probability": 0.9, "start": 0, "end": 0, "no_answer_probability": 0.9,
    }  # fmt: skip
    assert SPANS[0].values() == {"text": "a", "probability": 0.5, "start": 0, "end": 1}
