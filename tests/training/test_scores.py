"""Scores of collected predictions, and the probability of each answer."""

import pytest
import torch

from squadqa.data.dataset import SpanDataset
from squadqa.evaluation.calibration import TEMPERATURES, Calibration
from squadqa.training.metrics import Predictions
from squadqa.training.scores import evaluated
from tests.support.small_training import DATA


def predictions(*certainties: tuple[float, float], temperatures: int = 1) -> Predictions:
    """The first token as the answer to each of the first questions."""
    count = len(certainties)
    spread = torch.tensor(certainties)[:, None].repeat(1, temperatures, 1)  # (N, T, 2)
    spread[:, 1:] /= 2
    return Predictions(
        torch.arange(count), torch.zeros(count, 2, dtype=torch.long), torch.zeros(count), spread
    )


def test_an_answer_has_the_probability_at_the_calibrated_temperature() -> None:
    dataset, nan = SpanDataset(DATA), float("nan")
    gathered = predictions((0.5, nan), (0.25, nan), temperatures=len(TEMPERATURES))
    calibration = Calibration(temperature=TEMPERATURES[0])
    found = evaluated(dataset, gathered, calibration, total=2)
    assert found.probabilities == {"q0": 0.5, "q1": 0.25}
    found = evaluated(dataset, gathered, Calibration(temperature=TEMPERATURES[1]), total=2)
    assert found.probabilities == {"q0": 0.25, "q1": 0.125}
    assert found.predictions.keys() == found.probabilities.keys()


def test_no_answer_has_its_own_probability() -> None:
    dataset = SpanDataset(DATA, abstains=True)
    found = evaluated(
        dataset, predictions((0.25, 0.75), (0.5, 0.25)), Calibration(threshold=0.5), total=2
    )
    assert found.predictions["q0"] == "" != found.predictions["q1"]
    assert found.probabilities == {"q0": 0.75, "q1": 0.5}
    assert found.v2["threshold"] == pytest.approx(0.5)
