"""Calibration, reliability, and risk against coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.evaluation.calibration import TEMPERATURES, Calibration
from squadqa.evaluation.confidence import (
    calibrated,
    confidence_report,
    log_losses,
    reliability,
    risk_coverage,
)

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=40)


def certainties(log_odds: np.ndarray) -> np.ndarray:
    """Probabilities of these log-odds at every temperature."""
    return 1 / (1 + np.exp(-log_odds[:, None] / np.array(TEMPERATURES)))


@pytest.mark.parametrize("temperature", [TEMPERATURES[3], 1.0, TEMPERATURES[20]])
def test_the_temperature_that_the_answers_were_drawn_at_is_found(temperature: float) -> None:
    random = np.random.default_rng(0)
    log_odds = random.normal(size=20_000) * 4
    right = (random.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds / temperature))).astype(float)
    found = calibrated(
        certainties(log_odds), None, exact=right, f1=right, unanswerable=np.zeros(len(right), bool)
    )
    assert found.threshold is None
    assert abs(math.log2(found.temperature / temperature)) <= 1 / 8 + 1e-9


def test_the_threshold_is_that_of_the_best_f1() -> None:
    none = np.tile(np.array([[0.1], [0.4], [0.6], [0.9]]), len(TEMPERATURES))
    answers = np.full_like(none, 0.5)
    unanswerable = np.array([False, False, True, True])
    f1 = np.array([0.5, 1.0, 0.0, 0.0])
    found = calibrated(answers, none, exact=f1 // 1, f1=f1, unanswerable=unanswerable)
    assert found.threshold == 0.4
    found = calibrated(answers, none, exact=f1 // 1, f1=0 * f1, unanswerable=unanswerable)
    assert found.threshold == 0.0


def test_a_diverged_training_has_a_calibration_too() -> None:
    nothing = np.full((3, len(TEMPERATURES)), np.nan)
    zeros = np.zeros(3)
    found = calibrated(nothing, nothing, exact=zeros, f1=zeros, unanswerable=zeros == 1)
    assert found.temperature == 1.0


@pytest.mark.parametrize(
    "values", [(0.0, None), (math.nan, None), (1, None), (1.0, 1.5), (1.0, math.nan), (1.0, "x")]
)
def test_a_calibration_out_of_its_range(values: tuple[float, float | None]) -> None:
    with pytest.raises(ValueError, match=r"a (temperature|threshold) from"):
        Calibration(*values)


def test_log_losses_by_hand() -> None:
    found = log_losses(np.array([[0.5, 0.8], [0.5, 1.0]]), np.array([1.0, 1.0]))
    assert found == pytest.approx([math.log(2), -math.log(0.8) / 2])


def test_reliability_by_hand() -> None:
    found = reliability(np.array([0.05, 0.91, 0.99, 1.0]), np.array([0.0, 1.0, 1.0, 0.0]))
    first, last = found["bins"]
    assert first == {"from": 0.0, "to": 0.1, "questions": 1, "probability": 0.05, "right": 0.0}
    assert last["questions"] == 3
    assert last["right"] == pytest.approx(2 / 3)
    assert found["ece"] == pytest.approx((0.05 + 3 * abs(2.9 / 3 - 2 / 3)) / 4)


@given(ANSWERS)
def test_bins_hold_each_question_once(answers: list[tuple[float, int]]) -> None:
    probabilities, right = np.array(answers).T
    found = reliability(probabilities, right)
    assert sum(one["questions"] for one in found["bins"]) == len(answers)
    assert 0 <= found["ece"] <= 1
    for one in found["bins"]:
        assert one["from"] <= one["probability"] <= one["to"] + 1e-9


@given(ANSWERS)
def test_the_curve_is_that_of_answering_from_each_probability_on(
    answers: list[tuple[float, int]],
) -> None:
    probabilities, right = np.array(answers).T
    found = risk_coverage(probabilities, right)
    assert found["curve"][-1]["coverage"] == 1.0
    assert found["curve"][-1]["risk"] == pytest.approx(1 - right.mean())
    for point in found["curve"]:
        given_ = probabilities >= point["probability"]
        assert point["coverage"] == pytest.approx(given_.mean())
        assert point["risk"] == pytest.approx(1 - right[given_].mean())
    assert 0 <= found["area"] <= 1


def test_a_perfect_order_has_less_risk_than_a_random_one() -> None:
    right = np.array([1.0] * 5 + [0.0] * 5)
    perfect = risk_coverage(np.linspace(1, 0, 10), right)["area"]
    assert perfect < risk_coverage(np.full(10, 0.5), right)["area"] == 0.5


def test_the_report_of_a_run_that_always_answers() -> None:
    references = {"a": ["x"], "b": ["y"]}
    report = confidence_report(
        {"a": (0.9, None), "b": (0.8, None)},
        {"a": (0.7, None), "b": (0.6, None)},
        references=references,
        texts={"a": "x", "b": "z"},
        threshold=None,
    )
    assert report.keys() == {"questions", "answers", "risk_coverage"}
    assert report["answers"]["before"]["ece"] == pytest.approx((0.1 + 0.8) / 2)
    assert report["answers"]["after"]["ece"] == pytest.approx((0.3 + 0.6) / 2)
    assert [point["risk"] for point in report["risk_coverage"]["curve"]] == [0.0, 0.5]


def test_the_report_of_a_run_that_may_abstain() -> None:
    report = confidence_report(
        {"a": (0.5, 0.1), "b": (0.1, 0.9)},
        {"a": (0.5, 0.2), "b": (0.1, 0.8)},
        references={"a": ["x"], "b": []},
        texts={"a": "x", "b": "z"},
        threshold=0.7,
    )
    assert report["no_answer"]["after"]["ece"] == pytest.approx(0.2)
    # Of the reply that is surest, "no answer", both the reply and its probability count.
    assert [point["probability"] for point in report["risk_coverage"]["curve"]] == [0.8, 0.5]
    assert [point["risk"] for point in report["risk_coverage"]["curve"]] == [0.0, 0.0]
