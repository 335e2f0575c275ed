"""Answers that are picked over several contexts."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.squad import find_source
from squadqa.errors import DataError
from squadqa.evaluation.predictions import Answer
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run
from squadqa.inference.several import Found, mean_log_weights, over_contexts, shares_of
from tests.support import tiny

WEIGHTS = st.lists(st.floats(-30, 30), min_size=1, max_size=5)
DATA = tiny.as_data(tiny.squad())


def found(log_weight: float, *probabilities: float) -> Found:
    answers = [Answer(f"{log_weight} {one}", one, 0, 1) for one in probabilities]
    return Found(answers, log_weight)


@given(WEIGHTS, st.booleans())
def test_shares_are_one_softmax(log_weights: list[float], abstains: bool) -> None:
    shares, none = shares_of(np.array(log_weights), abstains=abstains)
    assert shares.sum() + (none or 0.0) == pytest.approx(1.0)
    total = sum(map(math.exp, log_weights)) + abstains
    assert shares.tolist() == pytest.approx([math.exp(one) / total for one in log_weights])
    assert none == (pytest.approx(1 / total) if abstains else None)


def test_one_context_alone_has_the_probabilities_that_it_had() -> None:
    none_alone = 0.3
    log_odds = math.log((1 - none_alone) / none_alone)
    (best, other), none = over_contexts([found(log_odds, 0.6, 0.4)], abstains=True)
    assert none == pytest.approx(none_alone)
    assert best.probability == pytest.approx(0.6 * 0.7)
    assert other.probability == pytest.approx(0.4 * 0.7)
    (best, _), none = over_contexts([found(5.0, 0.6, 0.4)], abstains=False)
    assert (best.probability, none) == (0.6, None)


def test_a_context_that_says_little_loses_to_one_that_says_much() -> None:
    answers, _ = over_contexts([found(-2.0, 0.9), found(3.0, 0.5, 0.1)], abstains=True)
    assert [(one.text, one.context) for one in answers] == [
        ("3.0 0.5", 1), ("3.0 0.1", 1), ("-2.0 0.9", 0),
    ]  # fmt: skip


@given(WEIGHTS)
def test_members_that_agree_change_nothing(log_weights: list[float]) -> None:
    one = np.array(log_weights)
    for abstain in (True, False):
        together = mean_log_weights([one, one], abstain=[abstain] * 2, weights=[1.0, 3.0])
        mine, its = (shares_of(each, abstains=abstain) for each in (together, one))
        assert mine[0] == pytest.approx(its[0], abs=1e-9)
        assert mine[1] == (pytest.approx(its[1], abs=1e-9) if abstain else None)


def test_only_members_that_may_abstain_say_that_there_is_none() -> None:
    certain, doubtful = np.array([0.0, 0.0]), np.array([-3.0, -5.0])
    together = mean_log_weights([certain, doubtful], abstain=[False, True], weights=[1.0, 1.0])
    shares, none = shares_of(together, abstains=True)
    assert none == pytest.approx(shares_of(doubtful, abstains=True)[1])
    half = shares_of(doubtful, abstains=False)[0]
    assert shares / shares.sum() == pytest.approx((half + 0.5) / 2)


@pytest.fixture(params=["reader", "scorer", "both"])
def run(request: pytest.FixtureRequest) -> Predictor | Ensemble:
    names = ["reader", "scorer"] if request.param == "both" else [request.param]
    members = [
        Predictor(open_run(request.getfixturevalue(f"{name}_run")), device="cpu") for name in names
    ]
    return members[0] if len(members) == 1 else Ensemble(members)


def test_a_run_picks_over_contexts(run: Predictor | Ensemble) -> None:
    contexts = DATA.contexts
    for question in DATA.questions[:2]:
        alone = [run.answer(context, question) for context in contexts]
        for context, expected in zip(contexts, alone, strict=True):
            one = run.answer([context], question)
            assert (one.text, one.start, one.context) == (expected.text, expected.start, 0)
            assert one.probability == pytest.approx(expected.probability, rel=1e-4)
        best = run.answer(contexts, question, n_best=5000)
        assert sum(one.probability for one in best) <= 1 + 1e-6
        probabilities = [one.probability for one in best]
        assert probabilities == sorted(probabilities, reverse=True)
        for one in best:
            assert one.context is not None
            assert contexts[one.context][one.start : one.end] == one.text
        for number, expected in enumerate(alone):
            first = next(one for one in best if one.context == number)
            assert first.text == expected.text
        assert run.answer(contexts, question) == run.answer(contexts, question, n_best=1)[0]


def test_several_questions_over_several_contexts(run: Predictor | Ensemble) -> None:
    questions = DATA.questions[:3]
    together = run.answer(DATA.contexts, questions)
    for one, question in zip(together, questions, strict=True):
        alone = run.answer(DATA.contexts, question)
        assert (one.text, one.context) == (alone.text, alone.context)
        assert one.probability == pytest.approx(alone.probability, rel=1e-4)


def test_no_context_is_an_error(run: Predictor | Ensemble) -> None:
    with pytest.raises(DataError, match="there is no context"):
        run.answer([], "Who?")
    with pytest.raises(DataError, match="the context is empty"):
        run.answer(["A mill.", " "], "Who?")


def test_the_temperature_can_be_left_out(reader_run: Path, tmp_path: Path) -> None:
    run = Predictor(open_run(reader_run), device="cpu")
    context, question = DATA.contexts[0], DATA.questions[0]
    temperature = run.run.checkpoint.calibration.temperature
    run.use_temperature(False)
    before = run.answer(context, question, n_best=2)
    run.use_temperature(True)
    after = run.answer(context, question, n_best=2)
    assert [one.text for one in after] == [one.text for one in before]
    ratios = [math.log(some[0].probability / some[1].probability) for some in (before, after)]
    assert ratios[1] == pytest.approx(ratios[0] / temperature, rel=1e-3)
    source = find_source(str(tiny.write(tmp_path / "dev.json", tiny.squad())))
    assert run.answer_file(source).no_answer_probabilities is None
