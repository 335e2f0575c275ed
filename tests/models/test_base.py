"""Readers that encode each context once, however many questions of a batch share it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from squadqa.batch import Sizes, SpanBatch
from squadqa.models.base import ContextFirstReader, SpanLogits, SpanReader
from tests.models.readers.test_all_readers import DATASET, READERS, make_reader

CONTEXT_FIRST = {
    name: make
    for name, make in READERS.items()
    if isinstance(make_reader(make), ContextFirstReader)
}
KEEPING = {
    name: make
    for name, make in CONTEXT_FIRST.items()
    if make_reader(make).keeps_contexts  # type: ignore[attr-defined]
}
MakeReader = Callable[[Sizes], SpanReader]

keeping = pytest.mark.parametrize("make", KEEPING.values(), ids=KEEPING)
told_after = pytest.mark.parametrize(
    "make", [make for name, make in READERS.items() if name.endswith("told-after")]
)


def opened(make: MakeReader) -> ContextFirstReader:
    reader = make_reader(make)
    assert isinstance(reader, ContextFirstReader)
    return reader


def by_itself(batch: SpanBatch) -> SpanBatch:
    """The same batch, of which each context is read by itself."""
    return replace(batch, paragraphs=None, paragraph_rows=None)


def assert_equal_logits(one: SpanLogits, other: SpanLogits) -> None:
    for left, right in (
        (one.start_logits, other.start_logits),
        (one.end_logits, other.end_logits),
    ):
        torch.testing.assert_close(left, right, rtol=0, atol=1e-6)


def encoded_rows(reader: ContextFirstReader, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many contexts each call of `encode` got, from now on; questions are not counted."""
    rows: list[int] = []
    encode = reader.encode

    def counting(context: Tensor, context_mask: Tensor) -> Tensor:
        if context.shape[1] == DATASET.collate(range(8)).context_ids.shape[1]:
            rows.append(len(context))
        return encode(context, context_mask)

    monkeypatch.setattr(reader, "encode", counting)
    return rows


def test_all_five_kinds_keep_contexts() -> None:
    kinds = {type(make_reader(make)).__name__ for make in KEEPING.values()}
    assert kinds == {"BiDAF", "BiLSTMReader", "DCN", "MatchLSTM", "RNet"}


@pytest.mark.parametrize("name", CONTEXT_FIRST)
def test_contexts_are_kept_unless_their_encoder_is_told_the_questions_words(name: str) -> None:
    reader = opened(CONTEXT_FIRST[name])
    assert reader.keeps_contexts == (reader.embedder.word_in_question != "before")
    batch = DATASET.collate(range(8))
    told = replace(batch, context_matches=1 - batch.context_matches)
    changed = not reader.encode_context(batch).equal(reader.encode_context(told))
    assert changed == (not reader.keeps_contexts)


@keeping
@settings(max_examples=15)
@given(items=st.lists(st.integers(0, 7), min_size=1, max_size=12))
def test_shared_contexts_give_the_logits_of_separate_ones(
    make: MakeReader, items: list[int]
) -> None:
    reader, batch = opened(make), DATASET.collate(items)
    with torch.no_grad():
        assert_equal_logits(reader(batch), reader(by_itself(batch)))


@keeping
def test_shared_contexts_give_the_gradients_of_separate_ones(make: MakeReader) -> None:
    gradients = []
    for share in (True, False):
        reader, batch = opened(make), DATASET.collate([0, 4, 1, 2, 5, 0, 6])
        batch = batch if share else by_itself(batch)
        reader.loss(reader(batch), batch).mean().backward()
        gradients.append({name: one.grad for name, one in reader.named_parameters()})
    for name, gradient in gradients[0].items():
        assert gradient is not None, name
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", CONTEXT_FIRST)
def test_each_distinct_context_is_encoded_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, batch = opened(CONTEXT_FIRST[name]), DATASET.collate([0, 4, 1, 2, 6, 0])
    rows = encoded_rows(reader, monkeypatch)
    reader(batch)
    reader(by_itself(batch))
    assert rows == ([3, 6] if reader.keeps_contexts else [6, 6])


@keeping
def test_a_kept_encoding_gives_the_same_logits(make: MakeReader) -> None:
    reader, batch = opened(make), DATASET.collate([0, 1, 2])
    with torch.no_grad():
        kept = reader.encode_context(DATASET.collate([0])).expand(3, -1, -1)
        assert_equal_logits(reader(batch, kept), reader(batch))


@told_after
def test_the_feature_told_after_the_encoder_reaches_the_logits(make: MakeReader) -> None:
    reader, batch = opened(make), DATASET.collate(range(8))
    told = replace(batch, context_matches=1 - batch.context_matches)
    assert not reader(batch).start_logits.equal(reader(told).start_logits)
    assert not reader(batch).end_logits.equal(reader(told).end_logits)
