"""No model mixes devices or waits needlessly; what a GPU computes: tests/gpu."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from squadqa.batch import TensorRecord
from squadqa.training.averaging import WeightAverage
from squadqa.training.word_dropout import drop_words
from tests.models.readers.test_all_readers import DATASET, READERS, SIZES
from tests.models.scorers.test_all_scorers import SCORERS, fitted
from tests.support.parsed import random_data
from tests.support.residence import Residence


def tensors_of(record: TensorRecord) -> Iterator[Tensor]:
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, TensorRecord):
            yield from tensors_of(value)
        elif value is not None:
            yield value


def trained(model: Any, batch: Any, *, drops: bool) -> Residence:
    """Take a training step, evaluate and choose spans, all of it as if on a GPU."""
    average = WeightAverage(model, decay=0.9)
    optimizer = torch.optim.Adagrad(model.parameter_groups(), lr=0.1)
    sums = [own["sum"] for own in optimizer.state.values()]
    weights = [*model.state_dict().values(), *average.state_dict().values(), *sums]
    with Residence([*weights, *tensors_of(batch)]) as residence:
        read = drop_words(batch, share=0.5) if drops else batch
        model.train()
        model.loss(model(read), read).mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        waits = residence.waits.copy()
        optimizer.step()
        average.update(model, steps=1)
        model.eval()
        with torch.inference_mode():
            model.best_spans(model(batch), batch, n_best=3)
            model.distributions(model(batch), batch)
    residence.waits = waits
    return residence


CHARACTERS = {"index": 1, "_unique2": 2}
"""A batch's characters are found; for each width of kernel those that occur, if they are few."""

WAITS = {
    "drqa": {"_local_scalar_dense": 4},  # of one_hot, which checks its input on a CPU alone
    "dcn": {"_local_scalar_dense": 4, "nonzero": 3},  # who has halted, asked in each round
    "match": {"nonzero": 1},  # the pairs of rows and question tokens
}
"""How often a reader may wait in a step, but for its characters."""


@pytest.mark.parametrize("name", READERS)
def test_readers(name: str) -> None:
    torch.manual_seed(0)
    residence = trained(READERS[name](SIZES), DATASET.collate(range(8)), drops=True)
    allowed = Counter({**CHARACTERS, **WAITS.get(name.partition("-")[0], {})})
    assert not residence.waits - allowed


@pytest.mark.parametrize("name", SCORERS)
def test_scorers(name: str) -> None:
    torch.manual_seed(0)
    batch = fitted(random_data(seed=5)).collate(range(3))
    trained(SCORERS[name](), batch, drops=name != "logistic")


def broken(make: Callable[[Tensor], Tensor]) -> Callable[[], None]:
    def run() -> None:
        there = torch.ones(3, 3)
        with Residence([there]):
            make(there)

    return run


@pytest.mark.parametrize(
    "make",
    [
        lambda there: there + torch.arange(3),
        lambda there: there[torch.arange(3)],
        lambda there: (there + 1) @ torch.ones(3, 3),
        lambda there: there.long() @ there.long(),
        lambda there: torch.cat([there, torch.zeros(1, 3)]),
    ],
)
def test_a_fault_is_found(make: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(AssertionError, match="on the CPU|on a GPU"):
        broken(make)()


def test_what_a_gpu_can_do_is_allowed_and_waits_are_counted() -> None:
    there = torch.ones(3, 3)
    with Residence([there]) as residence:
        made = there * torch.tensor(2.0) + torch.arange(3, device=there.device)
        assert residence.is_there(made) and not residence.is_there(torch.ones(2))
        assert residence.waits == {}
        made[made > 2].sum().item()
        assert residence.waits == {"index": 1, "_local_scalar_dense": 1}
