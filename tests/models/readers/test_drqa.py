from dataclasses import replace

import pytest
import torch

from squadqa.batch import Sizes, SpanBatch
from squadqa.data.dataset import SpanDataset
from squadqa.models import DrQAReader
from tests.support import tiny


@pytest.fixture
def batch() -> SpanBatch:
    return SpanDataset(tiny.prepared()).collate([0, 4])


def changed(batch: SpanBatch, name: str) -> SpanBatch:
    """The batch with other values of one feature on its tokens."""
    value = getattr(batch, name)
    other = 1 - value if value.is_floating_point() else (value + 1) % 19
    return replace(batch, **{name: other})


@pytest.mark.parametrize(
    "name", ["context_matches", "context_term_frequency", "context_tags", "context_entities"]
)
def test_reads_each_feature(batch: SpanBatch, name: str) -> None:
    reader = DrQAReader(Sizes(6, 1000), hidden_size=4).eval()
    assert not reader(changed(batch, name)).start_logits.equal(reader(batch).start_logits)


def test_without_annotation_its_features_are_not_read(batch: SpanBatch) -> None:
    reader = DrQAReader(Sizes(6, 1000), hidden_size=4, use_annotation=False).eval()
    expected = reader(batch).start_logits
    for name in ("context_tags", "context_entities"):
        assert reader(changed(batch, name)).start_logits.equal(expected)
    lemma_match = batch.context_matches.clone()
    lemma_match[:, :, 2] = 1 - lemma_match[:, :, 2]
    assert reader(replace(batch, context_matches=lemma_match)).start_logits.equal(expected)
    assert not reader(changed(batch, "context_term_frequency")).start_logits.equal(expected)


def test_sizes_of_the_paper() -> None:
    reader = DrQAReader(Sizes(300, 1000), embedding_size=None)
    assert reader.embedder.words.output_size == 300
    assert reader.context_rnn.output_size == reader.question_rnn.output_size == 768
    assert reader.context_rnn.forwards[0].input_size == 2 * 300 + 3 + 1 + 50 + 19
    assert len(reader.context_rnn.forwards) == 3


def test_start_and_end_have_their_own_pointers(batch: SpanBatch) -> None:
    reader = DrQAReader(Sizes(6, 1000), hidden_size=4).eval()
    before = reader(batch)
    torch.nn.init.zeros_(reader.end_pointer.projection.weight)
    after = reader(batch)
    assert after.start_logits.equal(before.start_logits)
    assert not after.end_logits.equal(before.end_logits)
