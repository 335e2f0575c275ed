"""The choice of questions to look at closely."""

import dataclasses

import numpy as np

from squadqa.evaluation.questions import describe_questions
from squadqa.evaluation.systems import ScoredSystem, score_system, system_of_texts
from squadqa.report.content import choose_questions
from tests.support import tiny

NOTHING = score_system(describe_questions(tiny.prepared(annotated=False)), system_of_texts("a", {}))


def scored(right: list[int], f1: list[float]) -> ScoredSystem:
    return dataclasses.replace(NOTHING, exact_match=np.array(right, float), f1=np.array(f1))


FIRST = scored([1] * 90 + [0] * 10, [1.0] * 90 + [0.5] * 5 + [0.0] * 5)
SECOND = scored([0] * 2 + [1] * 88 + [0] * 10, [0.5] * 2 + [1.0] * 88 + [0.5] * 5 + [0.0] * 5)


def test_every_kind_has_its_turn() -> None:
    chosen = choose_questions([FIRST, SECOND], most=24)
    assert len(chosen) == len(set(chosen)) == 24
    assert {0, 1} <= set(chosen)  # where they differ
    assert set(range(90, 100)) <= set(chosen)  # all that is not right
    assert len({FIRST.outcomes[row] for row in chosen[:3]}) == 3


def test_all_questions_of_few() -> None:
    assert sorted(choose_questions([FIRST])) == list(range(100))
    assert choose_questions([FIRST], seed=1) != choose_questions([FIRST])
