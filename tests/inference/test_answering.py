"""Answers in detail: the same as those of `answer`, with the probabilities of starts and ends."""

from pathlib import Path

import numpy as np
import pytest

from squadqa.errors import ConfigError, DataError
from squadqa.inference.answering import Answerer
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run

CONTEXT = "Ida Moss kept the 🥐 light. Tom sold the boat."


@pytest.fixture(params=["reader", "scorer", "both"])
def run(request: pytest.FixtureRequest, reader_run: Path, scorer_run: Path) -> Answerer:
    members = [Predictor(open_run(folder), device="cpu") for folder in (reader_run, scorer_run)]
    if request.param == "both":
        return Ensemble(members)
    return members[0] if request.param == "reader" else members[1]


def test_details_belong_to_the_answers(run: Answerer) -> None:
    for question in ("Who kept it?", "What was sold?"):
        found = run.answer_in_detail(CONTEXT, question, n_best=4)
        assert found.answers == run.answer(CONTEXT, question, n_best=4)
        tokens = [CONTEXT[begin:end] for begin, end in found.offset_mapping]
        assert tokens[:6] == ["Ida", "Moss", "kept", "the", "🥐", "light"]
        assert found.start.shape == found.end.shape == (len(tokens),)
        for shares in (found.start, found.end):
            assert shares.sum() == pytest.approx(1, abs=1e-4)
            assert (shares >= 0).all()
        for answer in found.answers:  # a span cannot be more probable than its first token
            at = np.flatnonzero(found.offset_mapping[:, 0] == answer.start)
            assert answer.probability <= found.start[at].item() + 1e-4


def test_what_is_refused(run: Answerer) -> None:
    for context, question in ((" ", "Who?"), (CONTEXT, ""), ("\ud800", "Who?")):
        with pytest.raises(DataError):
            run.answer_in_detail(context, question)
    with pytest.raises(ConfigError, match="n_best cannot be 0"):
        run.answer_in_detail(CONTEXT, "Who?", n_best=0)
