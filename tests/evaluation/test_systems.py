"""Systems: their answers, scored question by question."""

import math

import numpy as np
import pytest

from squadqa.evaluation.predictions import Answer
from squadqa.evaluation.questions import Questions, describe_questions
from squadqa.evaluation.systems import OUTCOMES, System, score_system, system_of_texts
from squadqa.scoring import score
from tests.support import tiny


@pytest.fixture(scope="module")
def questions() -> Questions:
    return describe_questions(tiny.prepared(annotated=False))


def test_scores_are_the_official_ones(questions: Questions) -> None:
    texts = {"q0": "ida moss", "q1": "31 years ago", "q3": "Bergen", "other": "x"}
    found = score_system(questions, system_of_texts("a", texts))
    official = score(questions.data.references, texts)
    assert 100 * found.exact_match.mean() == official.exact_match
    assert 100 * found.f1.mean() == pytest.approx(official.f1)
    assert [OUTCOMES[one] for one in found.outcomes[:4]] == [
        "right",
        "partly right",
        "wrong",
        "wrong",
    ]
    assert np.isnan(found.probabilities).all()


def test_a_text_has_a_place_if_it_is_there_once(questions: Questions) -> None:
    texts = {"q0": "Ida Moss", "q3": "Oslo", "q4": "i", "q5": ""}
    found = score_system(questions, system_of_texts("a", texts))
    context = questions.context_of(0)
    assert found.spans[0].tolist() == [0, 8]
    assert context[slice(*found.spans[3])] == "Oslo"
    assert found.spans[[1, 4, 5]].tolist() == [[-1, -1]] * 3
    assert found.lengths.tolist()[:6] == [2, -1, -1, 1, -1, -1]


def test_a_place_that_holds_another_text_is_not_believed(questions: Questions) -> None:
    start = questions.context_of(0).index("Oslo")
    answers = {
        "q0": [Answer("Oslo", 0.5, start, start + 4)],
        "q1": [Answer("Oslo", 0.25, 3, 7)],
        "q2": [Answer("nothing", math.nan, 0, 7)],
    }
    found = score_system(questions, System("a", answers))
    assert found.spans[:3].tolist() == [[start, start + 4]] * 2 + [[-1, -1]]
    assert found.probabilities[:2].tolist() == [0.5, 0.25]
