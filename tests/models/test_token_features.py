from dataclasses import replace

import pytest
import torch

from squadqa.batch import SpanBatch
from squadqa.data.dataset import SpanDataset
from squadqa.models.token_features import TokenFeatures
from tests.support import tiny


@pytest.fixture
def batch() -> SpanBatch:
    return SpanDataset(tiny.prepared()).collate([0, 4])


def test_matches_and_frequency_come_as_they_are(batch: SpanBatch) -> None:
    features = TokenFeatures()(batch)
    assert features.shape == (*batch.context_ids.shape, 3 + 1 + 12 + 8)
    assert features[:, :, :3].equal(batch.context_matches)
    assert features[:, :, 3].equal(batch.context_term_frequency)


@pytest.mark.parametrize(
    ("name", "place"), [("context_tags", (4, 16)), ("context_entities", (16, 24))]
)
def test_each_tag_and_entity_has_an_embedding(
    batch: SpanBatch, name: str, place: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    module, kinds = TokenFeatures(), getattr(batch, name)
    before, after = (module(each) for each in (batch, replace(batch, **{name: (kinds + 1) % 19})))
    changed = (before != after).any(dim=0).any(dim=0).nonzero().flatten().tolist()
    assert changed == list(range(*place))


def test_without_annotation_only_words_are_compared(batch: SpanBatch) -> None:
    features = TokenFeatures(use_annotation=False)(batch)
    expected = [batch.context_matches[:, :, :2], batch.context_term_frequency[:, :, None]]
    assert features.equal(torch.cat(expected, dim=2))
