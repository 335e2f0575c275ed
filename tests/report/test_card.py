"""The model card: what it says, and what it must not contain."""

from dataclasses import replace

import pytest

from squadqa.evaluation.results import Result, measured
from squadqa.report.card import CardModel, card_scores, model_card
from squadqa.scoring import score
from tests.report.conftest import EVIL, hostile
from tests.support import tiny

MODEL = CardModel(
    name="drqa",
    kind="DrQAReader",
    parameters=14399,
    language="en",
    vectors=("glove-6b-50d",),
    pipeline="en_core_web_sm",
    longest=17,
    abstains=False,
)
ANSWERS = {"q0": "Ida Moss", "q1": "31 years ago", "q3": "Bergen"}


@pytest.fixture
def result() -> Result:
    """The record of a training on a machine with paths."""
    return measured(
        "drqa",
        command="squadqa train --data /data/secret/train.json",
        configs=["/data/secret/my_drqa.yaml"],
        overrides={"data.train": "/data/secret/train.json", "trainer.max_epochs": 3},
        data="/data/secret/train.json, squad",
        total=8,
        seed=7,
        device="cpu",
        parameters=14399,
        exact_match=12.5,
        f1=25.0,
        minutes=12.34,
        epochs=2.5,
        commit="abc",
        hardware="a machine",
        notes="Warm start from /data/secret/runs/a. | <b>",
    )


def test_scores_are_the_official_ones_with_intervals(result: Result) -> None:
    data = tiny.prepared(tiny.squad())
    scores = card_scores(data, ANSWERS)
    official = score(data.references, ANSWERS)
    assert scores.whole.exact_match[0].value == pytest.approx(official.exact_match)
    assert scores.whole.f1[0].value == pytest.approx(official.f1)
    card = model_card(MODEL, result, scores)
    estimate = scores.whole.f1[0]
    assert f"{estimate.value:.1f} ({estimate.low:.1f} to {estimate.high:.1f}) |" in card
    assert "| question word: who | 2 |" in card
    assert "| answer type: other number | 5 |" in card, "as there is a parse"


def test_training_data_limits_and_licence(result: Result) -> None:
    card = model_card(MODEL, result)
    for row in (
        "| changed values | data.train = train.json, trainer.max\\_epochs = 3 |",
        "| minutes | 12.3 |",
        "| passes over the questions | 2.50 |",
        "| seed | 7 |",
        "| commit | abc |",
        "| machine | a machine; on cpu |",
        "| configuration | my\\_drqa.yaml |",
        "| notes | Warm start from a. \\| \\<b\\> |",
        "Trained and scored on: train.json, squad.",
        "| all | 8 | 12.5 | 25.0 |",
        "- An answer has at most 17 tokens.",
        "- It answers every question",
        "SQuAD, from which the weights were learned, is CC BY-SA 4.0",
        "word vectors glove-6b-50d and the spaCy pipeline en\\_core\\_web\\_sm.",
        "DrQAReader, 14,399 trained weights",
    ):
        assert row in card, row
    assert "secret" not in card
    assert "CC BY-SA" not in model_card(MODEL, replace(result, data="train.csv"))


def test_no_sentence_of_the_data(result: Result) -> None:
    data = tiny.prepared(hostile())
    card = model_card(MODEL, result, card_scores(data, {"q0": EVIL, "q1": "31"}))
    texts = [*data.questions.to_pylist(), *data.contexts.to_pylist(), EVIL, "script"]
    assert not [text for text in texts if text in card]


def test_a_model_that_abstains_and_limits_no_answer(result: Result) -> None:
    data = tiny.prepared(tiny.squad())
    scores = card_scores(data, {**ANSWERS, "q5": ""}, by_v2=True)
    model = replace(MODEL, abstains=True, longest=None, pipeline=None, vectors=())
    card = model_card(model, replace(result, v2={"NoAns_f1": 50.0}), scores)
    assert "by the rule of SQuAD v2.0" in card
    assert "- NoAns\\_f1: 50" in card
    assert "It answers every question" not in card
    assert "has at most" not in card
    assert "It needs neither word vectors nor a pipeline." in card


def test_weights_that_were_not_scored() -> None:
    card = model_card(MODEL)
    assert "These weights were not scored." in card
    assert "How it was trained is not recorded here." in card
    assert "\n\n\n" not in card
