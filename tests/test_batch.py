from dataclasses import FrozenInstanceError

import pytest
import torch

from squadqa.batch import NUM_CHARACTERS, NUM_ENTITIES, NUM_TAGS, FormBatch, TensorRecord
from squadqa.data.annotation import ENTITIES, TAGS
from squadqa.data.dataset import SpanDataset
from squadqa.data.lexicon import character_ids
from tests.support import tiny


def test_to_copies_every_tensor_of_every_level() -> None:
    batch = SpanDataset(tiny.prepared()).collate([0, 1])
    there = batch.to("meta")
    assert there.index.device.type == there.forms.vectors.device.type == "meta"
    assert batch.index.device.type == "cpu"
    assert there.context_ids.shape == batch.context_ids.shape
    assert len(there) == 2


def test_none_stays_none() -> None:
    form = torch.zeros(1, 1, dtype=torch.int64)
    record = FormBatch(characters=form, vectors=form, frequent=None)  # type: ignore[arg-type]
    assert record.to("cpu").frequent is None


def test_records_are_frozen() -> None:
    batch = SpanDataset(tiny.prepared()).collate([0])
    assert isinstance(batch, TensorRecord)
    with pytest.raises(FrozenInstanceError):
        batch.index = batch.index  # type: ignore[misc]


def test_sizes_are_those_of_the_inventories() -> None:
    assert (len(TAGS), len(ENTITIES)) == (NUM_TAGS, NUM_ENTITIES)
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x11000)]))
    ids = character_ids(list(every), max_characters=1)
    assert (ids.min(), ids.max()) == (1, NUM_CHARACTERS - 1)
