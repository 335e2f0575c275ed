"""What every model does with questions that have no answer."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from squadqa.batch import Sizes
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.dataset import SpanDataset
from squadqa.models.base import QAModel, SpanLogits, SpanReader
from squadqa.models.scorers.no_answer import SHARES
from squadqa.nn.masking import mask_logits
from tests.models.readers.test_all_readers import READERS
from tests.models.readers.test_all_readers import SIZES as READER_SIZES
from tests.models.readers.test_all_readers import USUAL as USUAL_READERS
from tests.models.scorers.test_all_scorers import SCORERS, with_vectors
from tests.models.scorers.test_all_scorers import SIZES as SCORER_SIZES
from tests.models.scorers.test_all_scorers import USUAL as USUAL_SCORERS
from tests.support import tiny
from tests.support.mostly_slow import mostly_slow

FILE = tiny.squad()
for _row in FILE["data"][0]["paragraphs"][0]["qas"][:2]:
    _row["answers"] = []
DATA = tiny.prepared(FILE)
"""The tiny SQuAD, of which the first two questions have no answer."""


def reader_batch(*, abstains: bool) -> Any:
    return SpanDataset(DATA, abstains=abstains).collate(range(8))


def scorer_batch(*, abstains: bool) -> Any:
    inputs = CandidateInputs(num_buckets=4, vectors=["made up"], pipeline=None)
    data = with_vectors(DATA)
    inputs.fit(data, np.arange(8), abstains=abstains)
    return inputs.dataset(data).collate(range(8))


MODELS: dict[str, tuple[Callable[[Sizes], QAModel], Sizes, Callable[..., Any]]] = {
    **{name: (make, READER_SIZES, reader_batch) for name, make in READERS.items()},
    **{name: (make, SCORER_SIZES, scorer_batch) for name, make in SCORERS.items()},
}
NAMES = {name: name for name in MODELS}
USUAL = [*USUAL_READERS, *USUAL_SCORERS]
every_model = pytest.mark.parametrize("name", NAMES)
mostly_slowly = pytest.mark.parametrize("name", mostly_slow(NAMES, usual=USUAL, seconds=120))


def made(name: str, *, abstains: bool) -> tuple[QAModel, Any]:
    """A model from a fixed seed, in evaluation, and a batch."""
    make, sizes, batch = MODELS[name]
    torch.manual_seed(0)
    return make(replace(sizes, abstains=abstains)).eval(), batch(abstains=abstains)


@every_model
def test_off_is_off(name: str) -> None:
    """Without it a model has the same weights, scores and losses as the rest of one with it."""
    plain, batch = made(name, abstains=False)
    model, _ = made(name, abstains=True)
    assert batch.unanswerable is None
    own = {key for key in model.state_dict() if key.startswith("no_answer.")}
    assert own
    assert {key for key in plain.state_dict()} == model.state_dict().keys() - own
    for key, value in plain.state_dict().items():
        assert torch.equal(value, model.state_dict()[key])
    assert plain.no_answer_log_odds(plain(batch), batch) is None
    losses = plain.loss(plain(batch), batch)
    assert losses[:2].tolist() == [0.0, 0.0]  # unknown
    assert torch.equal(model.loss(model(batch), batch), losses)


@torch.no_grad()
@mostly_slowly
def test_spans_and_none_share_one_softmax(name: str) -> None:
    model, batch = made(name, abstains=True)
    for temperature in (1.0, 2.0):
        model.temperature = temperature
        output = model(batch)
        none = model.no_answer_probabilities(output, batch)
        assert none is not None
        one = model.distributions(output, batch)
        assert [each.no_answer for each in one] == pytest.approx(none.tolist(), rel=1e-5)
        spans, scores = model.best_spans(output, batch, n_best=3)
        given = scores.double().exp() / (1 - none.double())[:, None]
        table = torch.from_numpy(one[0].table())
        first, last = spans[0, :, 0], spans[0, :, 1]
        probable = table[first, last - first]
        torch.testing.assert_close(
            given[0] / given[0, 0], probable / probable[0], rtol=1e-3, atol=0
        )


@mostly_slowly
def test_the_loss_of_a_question_without_an_answer(name: str) -> None:
    model, batch = made(name, abstains=True)
    output = model(batch)
    none = model.no_answer_probabilities(output, batch)
    assert none is not None
    losses = model.loss(output, batch)
    assert losses[:2].tolist() == pytest.approx((-none[:2].log()).tolist(), rel=1e-3)
    plain = replace(batch, unanswerable=None)
    with_answer = model.loss(output, plain)[2:] - (1 - none[2:].double()).log().float()
    known = model.loss(output, plain)[2:] > 0
    torch.testing.assert_close(losses[2:][known], with_answer[known], rtol=1e-3, atol=1e-5)


@mostly_slowly
def test_certainties_are_those_of_the_best_spans(name: str) -> None:
    model, batch = made(name, abstains=True)
    output = model(batch)
    best = model.best_spans(output, batch)[0][:, 0]
    found = model.certainties(output, batch, best, temperatures=(0.5, 1.0, 3.0))
    assert model.temperature == 1.0
    for place, temperature in enumerate((0.5, 1.0, 3.0)):
        model.temperature = temperature
        scores = model.best_spans(output, batch)[1][:, 0].exp()
        torch.testing.assert_close(found[:, place, 0], scores, rtol=1e-4, atol=1e-7)
        none = model.no_answer_probabilities(output, batch)
        torch.testing.assert_close(found[:, place, 1], none, rtol=1e-4, atol=1e-7)


@mostly_slowly
def test_it_learns_which_questions_have_no_answer(name: str) -> None:
    torch.manual_seed(0)
    make, sizes, make_batch = MODELS[name]
    model, batch = make(replace(sizes, abstains=True)).train(), make_batch(abstains=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(4):  # how many are needed depends on the processor, as sums' last bits do
        for _ in range(60):
            optimizer.zero_grad()
            model.loss(model.train()(batch), batch).mean().backward()
            optimizer.step()
        none = model.eval().no_answer_probabilities(model(batch), batch)
        assert none is not None
        if none[:2].min() > none[2:].max():
            break
    unused = [key for key, each in model.named_parameters() if each.grad is None]
    assert not [key for key in unused if key.startswith("no_answer.")]
    assert none[:2].min() > none[2:].max()


def test_no_temperature_changes_a_choice_by_expected_f1() -> None:
    model, batch = made("logistic", abstains=True)
    torch.manual_seed(1)
    output = torch.where(batch.candidate_mask, torch.randn(batch.candidate_mask.shape), -1e30)
    model.choose = "expected_f1"  # type: ignore[assignment]
    chosen = model.best_spans(output, batch)[0]
    for model.temperature in (0.5, 4.0):
        assert torch.equal(model.best_spans(output, batch)[0], chosen)


class Levels(SpanReader):
    """Somebody's reader that knows nothing of "no answer"."""

    def __init__(self) -> None:
        super().__init__()
        self.level = torch.nn.Parameter(torch.zeros(8, 1))

    def forward(self, batch: Any) -> SpanLogits:
        logits = mask_logits(self.level.expand(-1, batch.context_mask.shape[1]), batch.context_mask)
        return SpanLogits(logits, logits)


def test_the_level_of_the_scores_decides_where_none_has_a_score_of_its_own() -> None:
    model, batch = Levels(), reader_batch(abstains=True)
    none = model.no_answer_probabilities(model(batch), batch)
    assert none is not None
    lengths = batch.context_mask.sum(dim=1)
    torch.testing.assert_close(none, 1 / (1 + lengths.float() ** 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.3)
    for _ in range(40):
        optimizer.zero_grad()
        model.loss(model(batch), batch).sum().backward()
        optimizer.step()
    none = model.no_answer_probabilities(model(batch), batch)
    assert none is not None
    assert none[:2].min() > 0.9
    assert none[2:].max() < 0.1


def test_features_of_no_answer_are_shares() -> None:
    model, batch = made("logistic", abstains=True)
    shares = model.no_answer._shares(model(batch), batch)  # type: ignore[union-attr,operator]
    assert shares.shape == (8, SHARES)
    assert shares.min() >= 0
    assert not math.isnan(float(shares.sum()))
