"""Reliability bins, and lengths of answers."""

import dataclasses

import numpy as np
import pytest

from squadqa.evaluation.questions import describe_questions
from squadqa.evaluation.reliability import (
    LONGEST_SHOWN,
    gold_lengths,
    predicted_lengths,
    reliability_of,
)
from squadqa.evaluation.systems import score_system, system_of_texts
from tests.support import tiny

QUESTIONS = describe_questions(tiny.prepared(annotated=False))
NOTHING = score_system(QUESTIONS, system_of_texts("a", {}))


def test_bins_compare_probability_with_exact_match() -> None:
    given = dataclasses.replace(
        NOTHING,
        probabilities=np.array([0.0, 0.05, 0.5, 0.59, 1.0, 1.0, np.nan, np.nan]),
        exact_match=np.array([0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0]),
    )
    found = reliability_of(given)
    assert found is not None
    shown = [(one.low, one.high, one.questions, one.exact_match) for one in found.bins]
    assert shown == [(0.0, 0.1, 2, 0.5), (0.5, 0.6, 2, 0.5), (0.9, 1.0, 2, 1.0)]
    assert [one.probability for one in found.bins] == pytest.approx([0.025, 0.545, 1.0])
    assert found.error == pytest.approx(100 * (0.475 + 0.045 + 0.0) / 3)


def test_without_probabilities_there_is_no_reliability_of() -> None:
    assert reliability_of(NOTHING) is None
    assert predicted_lengths(NOTHING) is None


def test_lengths_are_counted_long_ones_together() -> None:
    lengths = np.array([1, 1, 3, LONGEST_SHOWN, 40, -1, -1, -1])
    found = predicted_lengths(dataclasses.replace(NOTHING, lengths=lengths))
    assert found is not None
    assert found.counts == (2, 0, 1, *[0] * (LONGEST_SHOWN - 4), 2)
    assert found.mean == (1 + 1 + 3 + LONGEST_SHOWN + 40) / 5
    gold = gold_lengths(QUESTIONS)
    assert gold is not None
    assert gold.counts[:2] == (4, 4)
