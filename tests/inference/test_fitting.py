"""Fitted weights are those under which the answers are most probable, for either mean."""

import numpy as np
import pytest

from squadqa.data.dataset import SpanDataset
from squadqa.errors import DataError
from squadqa.inference.fitting import fit_weights
from squadqa.inference.mixing import Mean, mean_table
from squadqa.models.distributions import (
    CandidateDistribution,
    PointerDistribution,
    SpanDistribution,
)
from tests.support import tiny

QUESTIONS = SpanDataset(tiny.prepared(tiny.squad()))
ANSWERS = QUESTIONS.data.start_positions, QUESTIONS.data.end_positions


def readings_that_give(probability: list[float]) -> list[SpanDistribution]:
    """Gives the first answer of each question its probability, and an impossible span the rest."""
    data, lengths = QUESTIONS.data, QUESTIONS.context_lengths
    spans = np.stack([data.start_positions, data.end_positions], axis=1)
    return [
        CandidateDistribution(
            int(length),
            np.array([span, (0, length - 1)], np.int32),
            np.array([given, 1 - given], np.float32),
        )
        for span, length, given in zip(spans.tolist(), lengths, probability, strict=True)
    ]


def test_weights_of_a_mixture_are_those_under_which_answers_are_most_probable() -> None:
    random = np.random.default_rng(1)
    first, second = random.uniform(0, 1, (2, len(QUESTIONS)))
    members = [readings_that_give(list(each)) for each in (first, second)]
    fitted = fit_weights(*ANSWERS, members, mean="arithmetic")
    assert sum(fitted) == pytest.approx(1.0)
    shares = np.linspace(0, 1, 10_001)[1:-1, None]
    likelihood = np.log(shares * first + (1 - shares) * second).sum(axis=1)
    assert fitted[0] == pytest.approx(shares[likelihood.argmax(), 0], abs=2e-3)


MEANS: tuple[Mean, ...] = ("geometric", "arithmetic")

every_mean = pytest.mark.parametrize("mean", MEANS)


def random_readings(random: np.random.Generator, *, skill: float) -> list[SpanDistribution]:
    """A reader's distributions, which prefer the answer the more, the higher its skill."""
    readings: list[SpanDistribution] = []
    for length, first, last in zip(QUESTIONS.context_lengths, *ANSWERS, strict=True):
        scores = random.normal(size=(2, int(length)))
        scores[0, first] += skill * random.uniform()
        scores[1, last] += skill * random.uniform()
        start, end = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        readings.append(PointerDistribution(start, end, 4))
    return readings


def likelihood(members: list[list[SpanDistribution]], weights: list[float], mean: Mean) -> float:
    """The answers' log-probability under the mean that an ensemble takes."""
    total = 0.0
    for first, last, *one in zip(*ANSWERS, *members, strict=True):
        total += np.log(mean_table(one, weights, mean=mean)[first, last - first])
    return total


@every_mean
def test_no_other_weights_are_better(mean: Mean) -> None:
    random = np.random.default_rng(2)
    members = [random_readings(random, skill=skill) for skill in (1, 2, 3)]
    fitted = fit_weights(*ANSWERS, members, mean=mean)
    assert sum(fitted) == pytest.approx(1.0)
    best = likelihood(members, fitted, mean)
    for other in random.dirichlet([1, 1, 1], size=60):
        assert likelihood(members, list(other), mean) <= best + 1e-3
        near = 0.98 * np.array(fitted) + 0.02 * other
        assert likelihood(members, list(near), mean) <= best + 1e-3


def test_the_two_means_have_their_own_weights() -> None:
    random = np.random.default_rng(2)
    members = [random_readings(random, skill=skill) for skill in (1, 2, 3)]
    one, other = (fit_weights(*ANSWERS, members, mean=mean) for mean in MEANS)
    assert np.abs(np.subtract(one, other)).max() > 0.01


@every_mean
def test_a_member_that_is_always_worse_is_left_out(mean: Mean) -> None:
    count = len(QUESTIONS)
    members = [readings_that_give([share] * count) for share in (0.2, 0.7)]
    fitted = fit_weights(*ANSWERS, members, mean=mean)
    assert fitted == pytest.approx([0, 1], abs=1e-3)
    assert min(fitted) > 0  # as an ensemble's weights have to be


@every_mean
def test_fitting_needs_an_answer_that_a_member_considers(mean: Mean) -> None:
    members = [readings_that_give([0.0] * len(QUESTIONS))] * 2
    with pytest.raises(DataError, match="nothing to fit weights to"):
        fit_weights(*ANSWERS, members, mean=mean)
