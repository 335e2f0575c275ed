"""Every number that a model is made with: out of its range it is refused at once, by name."""

import inspect
import math
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from squadqa.batch import CandidateBatch, Sizes, SpanBatch
from squadqa.errors import ConfigError
from squadqa.models import (
    DCN,
    BiDAF,
    BiLSTMReader,
    DrQAReader,
    HouseReader,
    LogisticScorer,
    MatchLSTM,
    MLPScorer,
    RaSoRScorer,
    RNet,
)
from squadqa.models.base import QAModel
from tests.models.scorers.test_all_scorers import SIZES, fitted
from tests.support.parsed import random_data
from tests.support.small_training import EVERY, Questions

VALUES = (-1, 0, math.nan, math.inf, -math.inf)
SMALL: dict[type[QAModel], dict[str, Any]] = {
    BiDAF: {"hidden_size": 8},
    BiLSTMReader: {"hidden_size": 8},
    DCN: {"hidden_size": 8, "pool_size": 4},
    DrQAReader: {"hidden_size": 8},
    HouseReader: {"hidden_size": 8, "attention_size": 8},
    MatchLSTM: {"hidden_size": 8},
    RNet: {"hidden_size": 8},
    LogisticScorer: {"table_bits": 8},
    MLPScorer: {"table_bits": 8},
    RaSoRScorer: {"hidden_size": 8},
}
"""Options with which a model is small."""


def numbers(kind: type[QAModel]) -> Iterator[tuple[str, bool]]:
    """The options that are numbers, and whether they may have fractions."""
    hints = typing.get_type_hints(kind.__init__)
    for name in inspect.signature(kind).parameters:
        types = {*typing.get_args(hints[name]), hints[name]}
        if types & {int, float}:
            yield name, float in types


CASES = [
    pytest.param(kind, name, value, id=f"{kind.__name__}-{name}-{value}")
    for kind in SMALL
    for name, is_fraction in numbers(kind)
    for value in VALUES
    if is_fraction or isinstance(value, int)
]


@pytest.fixture(scope="module")
def candidates() -> CandidateBatch:
    dataset = fitted(random_data(1))
    return dataset.collate(range(len(dataset)))


@pytest.mark.parametrize(("kind", "name", "value"), CASES)
def test_a_number_is_refused_by_name_or_works(
    kind: Callable[..., QAModel], name: str, value: float, candidates: CandidateBatch
) -> None:
    is_scorer = kind in (LogisticScorer, MLPScorer, RaSoRScorer)
    sizes: Sizes = SIZES if is_scorer else Questions.sizes
    batch: SpanBatch | CandidateBatch = candidates if is_scorer else EVERY
    torch.manual_seed(0)
    try:
        model = kind(sizes, **{**SMALL[kind], name: value})  # type: ignore[index]
    except ConfigError as error:
        assert f"cannot be {value}" in error.what
        assert name in error.what or "dropout" in error.what
        return
    assert value == 0  # what is negative or no number never works
    loss = model.loss(model(batch), batch).mean()
    assert loss.isfinite()
    model.eval()
    assert model.best_spans(model(batch), batch)[0].shape[0] == len(batch)
