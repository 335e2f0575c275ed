import random

import numpy as np
import pytest
import torch

from squadqa.data.dataset import SpanDataset
from squadqa.data.sampler import LengthGroupedSampler
from squadqa.training.loader import ResumableLoader
from tests.support import tiny

DATASET = SpanDataset(tiny.prepared())


def loader(
    *, shuffle: bool = True, batch_size: int = 3, by_paragraph: bool = False
) -> ResumableLoader:
    sampler = LengthGroupedSampler(
        DATASET.context_lengths,
        batch_size=batch_size,
        shuffle=shuffle,
        paragraphs=DATASET.paragraphs if by_paragraph else None,
    )
    return ResumableLoader(DATASET, sampler=sampler)


def items(batches: object) -> list[list[int]]:
    return [batch.index.tolist() for batch in batches]  # type: ignore[attr-defined]


def test_gives_every_question_in_batches() -> None:
    for shuffle in (True, False):
        batches = items(loader(shuffle=shuffle))
        assert [len(batch) for batch in batches] == [3, 3, 2]
        assert sorted(sum(batches, [])) == list(range(8))
        assert len(loader(shuffle=shuffle)) == 3


@pytest.mark.parametrize("by_paragraph", [False, True])
@pytest.mark.parametrize("given", [1, 2])
def test_resumes_with_exactly_the_rest(given: int, by_paragraph: bool) -> None:
    first = loader(by_paragraph=by_paragraph)
    first.sampler.set_epoch(4)
    whole = items(first)
    iterator = iter(first)
    for _ in range(given):
        next(iterator)
    second = loader(by_paragraph=by_paragraph)
    second.load_state_dict(first.state_dict())
    second.sampler.set_epoch(4)
    assert items(second) == whole[given:]
    second.sampler.set_epoch(5)
    first.sampler.set_epoch(5)
    assert items(second) == items(first) != whole  # the next epoch is whole again


def test_state_keeps_counting_after_resuming() -> None:
    first = loader()
    first.load_state_dict({"given": 1})
    next(iter(first))
    assert first.state_dict() == {"given": 2}


def test_a_finished_epoch_is_not_resumed() -> None:
    first, second = loader(), loader()
    whole = items(first)
    assert first.state_dict() == {"given": 3}
    second.load_state_dict(first.state_dict())
    assert items(second) == whole


def test_draws_nothing_from_the_global_generators() -> None:
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    items(loader())
    after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    assert before[0].equal(after[0])
    assert before[1:] == after[1:]
