"""Properties of every reader. A new reader is one more line of `READERS` and of `WITH_SRUS`.

One file, as every test is tried with every reader of these two lists.
"""

import inspect
import io
from collections.abc import Callable
from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.data.dataset import SpanDataset
from squadqa.inference.catalog import catalog
from squadqa.models import (
    DCN,
    BiDAF,
    BiLSTMReader,
    DrQAReader,
    HouseReader,
    MatchLSTM,
    RNet,
    SpanLogits,
    SpanReader,
)
from squadqa.nn.char_cnn import KernelBankCharCNN
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.kernels.sru import SRUOutputs
from squadqa.scoring import score_pairs
from tests.support import tiny
from tests.support.kernels import take_fast_form_away
from tests.support.mostly_slow import mostly_slow

READERS: dict[str, Callable[[Sizes], SpanReader]] = {
    "bidaf": lambda sizes: BiDAF(
        sizes,
        char_cnn=KernelBankCharCNN(filters={5: 8}, character_size=5),
        embedding_size=10,
        hidden_size=8,
        tuned_words=3,
        variational=True,
    ),
    "bidaf-words-only": lambda sizes: BiDAF(
        sizes, embedding_size=None, hidden_size=8, tuned_words=3, word_in_question=True
    ),
    "bilstm": lambda sizes: BiLSTMReader(
        sizes,
        char_cnn=KernelBankCharCNN(filters={5: 8}, character_size=5),
        hidden_size=10,
        tuned_words=3,
    ),
    "bilstm-two-encoders": lambda sizes: BiLSTMReader(
        sizes,
        hidden_size=10,
        num_layers=1,
        shared_encoder=False,
        tuned_words=3,
        word_in_question=True,
    ),
    "dcn": lambda sizes: DCN(
        sizes,
        char_cnn=KernelBankCharCNN(filters={5: 8}, character_size=5),
        hidden_size=8,
        pool_size=4,
        tuned_words=3,
    ),
    "dcn-words-only": lambda sizes: DCN(
        sizes,
        embedding_size=5,
        hidden_size=8,
        pool_size=8,
        halt_in_training=True,
        tuned_words=3,
        word_in_question=True,
        variational=True,
    ),
    "drqa": lambda sizes: DrQAReader(
        sizes,
        char_cnn=KernelBankCharCNN(filters={3: 6, 5: 6}, character_size=5),
        embedding_size=12,
        hidden_size=10,
        num_layers=2,
        tuned_words=3,
    ),
    "drqa-variational": lambda sizes: DrQAReader(
        sizes, hidden_size=10, num_layers=1, tuned_words=3, variational=True
    ),
    "drqa-words-only": lambda sizes: DrQAReader(
        sizes, embedding_size=None, hidden_size=10, tuned_words=3, use_annotation=False
    ),
    "house": lambda sizes: HouseReader(
        sizes,
        char_cnn=KernelBankCharCNN(filters={5: 8}, character_size=5),
        embedding_size=12,
        hidden_size=8,
        attention_size=6,
        tuned_words=3,
    ),
    "house-every-option": lambda sizes: HouseReader(
        sizes,
        embedding_size=None,
        hidden_size=8,
        attention_size=6,
        num_reading_layers=3,
        num_understanding_layers=2,
        cell="gru",
        tuned_words=3,
        tr_layers=2,
        type_dropout=0.1,
        layer_dropout=0.1,
    ),
    "house-plain": lambda sizes: HouseReader(
        sizes,
        hidden_size=10,
        num_reading_layers=1,
        num_final_layers=1,
        self_boost=False,
        cell="lstm",
        tuned_words=3,
        use_annotation=False,
    ),
    "match-lstm": lambda sizes: MatchLSTM(
        sizes,
        char_cnn=KernelBankCharCNN(filters={5: 8}, character_size=5),
        embedding_size=10,
        hidden_size=8,
        bidirectional_encoder=True,
        bidirectional_pointer=True,
        tuned_words=3,
        variational=True,
    ),
    "match-lstm-forwards": lambda sizes: MatchLSTM(
        sizes, embedding_size=None, hidden_size=32, tuned_words=3, word_in_question=True
    ),
    "rnet": lambda sizes: RNet(
        sizes,
        char_cnn=KernelBankCharCNN(filters={5: 8}, character_size=5),
        hidden_size=16,
        num_layers=2,
        tuned_words=3,
        word_in_question=True,
    ),
    "bidaf-told-after": lambda sizes: BiDAF(
        sizes, embedding_size=6, hidden_size=8, tuned_words=3, word_in_question="after"
    ),
    "bilstm-told-after": lambda sizes: BiLSTMReader(
        sizes, hidden_size=10, num_layers=1, tuned_words=3, word_in_question="after"
    ),
    "dcn-told-after": lambda sizes: DCN(
        sizes, hidden_size=8, pool_size=4, tuned_words=3, word_in_question="after"
    ),
    "match-lstm-told-after": lambda sizes: MatchLSTM(
        sizes, embedding_size=None, hidden_size=16, tuned_words=3, word_in_question="after"
    ),
    "rnet-told-after": lambda sizes: RNet(
        sizes, hidden_size=16, num_layers=1, tuned_words=3, word_in_question="after"
    ),
    "rnet-paper": lambda sizes: RNet(
        sizes,
        hidden_size=16,
        num_layers=2,
        attention="additive",
        shared_encoder=False,
        concat_layers=False,
        tuned_words=3,
    ),
}

WITH_SRUS: dict[str, Callable[[Sizes], SpanReader]] = {
    "bidaf-sru": lambda sizes: BiDAF(
        sizes,
        embedding_size=10,
        hidden_size=16,
        cell="sru",
        tuned_words=3,
        word_in_question=True,
    ),
    "bilstm-sru": lambda sizes: BiLSTMReader(
        sizes, hidden_size=10, cell="sru", tuned_words=3, word_in_question=True
    ),
    "dcn-sru": lambda sizes: DCN(sizes, hidden_size=8, pool_size=4, cell="sru", tuned_words=3),
    "drqa-sru": lambda sizes: DrQAReader(
        sizes, embedding_size=12, hidden_size=10, num_layers=2, cell="sru", tuned_words=3
    ),
    "house-sru": lambda sizes: HouseReader(
        sizes, embedding_size=12, hidden_size=10, attention_size=8, tuned_words=3, tr_layers=1
    ),
    "match-lstm-sru": lambda sizes: MatchLSTM(
        sizes, hidden_size=8, bidirectional_encoder=True, cell="sru", tuned_words=3
    ),
    "rnet-sru": lambda sizes: RNet(sizes, hidden_size=16, num_layers=2, cell="sru", tuned_words=3),
}
"""Every reader with another cell, for the tests that a cell can fail."""

MIXING = [
    "house",
    "house-every-option",
    "rnet",
    "rnet-told-after",
    "rnet-paper",
    *(name for name in WITH_SRUS if name != "dcn-sru"),
]
"""Readers without an LSTM of torch's: DCN's encoder is one."""

# Softmax ignores a constant added to all scores, so the gradients of these are only noise.
CANCELLED = {"question_pooling.query.bias"}

SIZES = Sizes(vector_size=6, tuned_words=1000)
DATASET = SpanDataset(tiny.prepared(vector_size=SIZES.vector_size), frequent=["the", "?", "Ida"])
EVERY = range(len(DATASET))

EVERY_READER = {**READERS, **WITH_SRUS}

USUAL = {type(make(SIZES)): name for name, make in reversed(READERS.items())}.values()
"""The first of each class, for what takes long; the others are slow tests of it."""

every_reader = pytest.mark.parametrize("make", READERS.values(), ids=READERS)
every_reader_and_cell = pytest.mark.parametrize("make", EVERY_READER.values(), ids=EVERY_READER)


def test_every_reader_with_a_choice_of_cells_is_tried_with_srus() -> None:
    tried = {type(make(SIZES)) for make in WITH_SRUS.values()}
    kinds = {type(make(SIZES)) for make in READERS.values()}
    assert tried == {kind for kind in kinds if "cell" in inspect.signature(kind).parameters}


def make_reader(make: Callable[[Sizes], SpanReader], *, seed: int = 0) -> SpanReader:
    torch.manual_seed(seed)
    return make(SIZES).eval()


def assert_same(one: SpanLogits, other: SpanLogits, mask: Tensor) -> None:
    """Check that two outputs agree on the tokens of `mask`."""
    for name in ("start_logits", "end_logits"):
        left, right = getattr(one, name), getattr(other, name)
        width = min(left.shape[1], right.shape[1])
        left, right, real = left[:, :width], right[:, :width], mask[:, :width]
        assert torch.allclose(left[real], right[real], atol=1e-5), name


def rows(batch: SpanLogits, chosen: list[int]) -> SpanLogits:
    return SpanLogits(batch.start_logits[chosen], batch.end_logits[chosen])


def test_no_reader_is_missing() -> None:
    tried = {type(make(SIZES)).__name__ for make in READERS.values()}
    assert tried == {entry.name for entry in catalog() if entry.kind == "reader"}


@every_reader
def test_shapes_and_masks(make: Callable[[Sizes], SpanReader]) -> None:
    reader, batch = make_reader(make), DATASET.collate(EVERY)
    logits = reader(batch)
    for scores in (logits.start_logits, logits.end_logits):
        assert scores.shape == batch.context_mask.shape
        assert scores.isfinite().all()
        assert (scores[~batch.context_mask] < -1e30).all()
        assert (scores[batch.context_mask].abs() < 1e3).all()
    losses = reader.loss(logits, batch)
    assert losses.shape == (len(batch),)
    assert (losses > 0).all()


@every_reader_and_cell
def test_alone_and_padded_are_the_same(make: Callable[[Sizes], SpanReader]) -> None:
    reader, together = make_reader(make), DATASET.collate(EVERY)
    read = reader(together)
    for item in EVERY:
        alone = DATASET.collate([item])
        assert_same(reader(alone), rows(read, [item]), alone.context_mask)
    wide = pad(together, context=5, question=3, characters=4)
    assert_same(reader(wide), read, together.context_mask)


def pad(batch: SpanBatch, *, context: int, question: int, characters: int) -> SpanBatch:
    """The same batch with more padding after everything."""
    extra = {"context": context, "question": question}
    padded = {}
    for each in fields(batch):
        value, text = getattr(batch, each.name), each.name.partition("_")[0]
        if text in extra:
            value = nn.functional.pad(value, (0, 0) * (value.dim() - 2) + (0, extra[text]))
        padded[each.name] = value
    forms = replace(
        batch.forms, characters=nn.functional.pad(batch.forms.characters, (0, characters))
    )
    return SpanBatch(**{**padded, "forms": forms})


@every_reader
def test_order_of_the_batch_does_not_matter(make: Callable[[Sizes], SpanReader]) -> None:
    reader = make_reader(make)
    order = [5, 0, 7, 2, 6, 1, 4, 3]
    batch = DATASET.collate(order)
    assert_same(reader(batch), rows(reader(DATASET.collate(EVERY)), order), batch.context_mask)


@every_reader_and_cell
def test_every_parameter_gets_a_gradient(make: Callable[[Sizes], SpanReader]) -> None:
    reader, batch = make_reader(make).train(), DATASET.collate(EVERY)
    reader.loss(reader(batch), batch).mean().backward()
    for name, parameter in reader.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any() or name in CANCELLED, name


@pytest.mark.parametrize("make", mostly_slow(EVERY_READER, usual=[*USUAL, "drqa-sru"], seconds=120))
def test_overfits_four_examples(make: Callable[[Sizes], SpanReader]) -> None:
    reader, items = make_reader(make).train(), [0, 1, 3, 5]
    for module in reader.modules():
        if isinstance(module, SequenceDropout):
            module.probability = 0.0
        elif isinstance(module, nn.Dropout):
            module.p = 0.0
    batch = DATASET.collate(items)
    optimizer = torch.optim.Adam(reader.parameters(), lr=0.02)
    for step in range(1, 241):
        optimizer.zero_grad()
        reader.loss(reader(batch), batch).mean().backward()
        optimizer.step()
        # How many steps it takes depends on the last bits of sums, and so on the processor.
        if step % 60 == 0 and exact_match(reader.eval(), items) == 100:
            return
        reader.train()
    raise AssertionError("it has not learned four questions in 240 steps")


def exact_match(reader: SpanReader, items: list[int]) -> float:
    reader.max_span_length, batch = 5, DATASET.collate(items)
    spans, _ = reader.best_spans(reader(batch), batch)
    texts = [
        DATASET.text_of(item, first, last)
        for item, ((first, last),) in zip(items, spans.tolist(), strict=True)
    ]
    exact, _ = score_pairs(texts, [DATASET.references_of(item) for item in items])
    return 100 * sum(exact) / len(exact)


@every_reader
def test_saved_and_loaded_gives_the_same_scores(make: Callable[[Sizes], SpanReader]) -> None:
    reader, other = make_reader(make, seed=0), make_reader(make, seed=1)
    batch = DATASET.collate(EVERY)
    before = reader(batch)
    assert not other(batch).start_logits.equal(before.start_logits)
    file = io.BytesIO()
    torch.save(reader.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    after = other(batch)
    assert after.start_logits.equal(before.start_logits)
    assert after.end_logits.equal(before.end_logits)


@every_reader
def test_padded_row_is_finite_and_changes_no_other(make: Callable[[Sizes], SpanReader]) -> None:
    reader, batch = make_reader(make), DATASET.collate(EVERY)
    empty = torch.arange(len(batch)) == 2
    emptied = {
        each.name: getattr(batch, each.name).clone()
        for each in fields(batch)
        if each.name.startswith(("context", "question", "start", "end"))
    }
    for value in emptied.values():
        value[empty] = 0
    unknown = {name: emptied[name].masked_fill(empty, -1) for name in emptied if "pos" in name}
    padded = replace(batch, **{**emptied, **unknown})
    logits = reader(padded)
    assert logits.start_logits.isfinite().all()
    assert logits.end_logits.isfinite().all()
    assert_same(logits, reader(batch), padded.context_mask)
    losses = reader.loss(logits, padded)
    losses.mean().backward()
    assert losses[2] == 0
    assert all(p.grad is None or p.grad.isfinite().all() for p in reader.parameters())


@pytest.mark.parametrize("make", mostly_slow(READERS, usual=USUAL, seconds=120))
def test_very_long_and_very_short(make: Callable[[Sizes], SpanReader]) -> None:
    file = tiny.join(
        tiny.one_question("one two " * 2500, "two?", [("two", 4)], id="long"),
        tiny.one_question("x", "x", [("x", 0)], id="short"),
        tiny.one_question("中文🥐 \U0010ffff", "\u200b?", [("中文", 0)], id="unseen"),
    )
    dataset = SpanDataset(tiny.prepared(file))
    reader, batch = make_reader(make), dataset.collate([0, 1, 2])
    with torch.no_grad():
        logits = reader(batch)
    assert logits.start_logits.shape == (3, 5000)
    assert logits.start_logits.isfinite().all()
    assert reader.loss(logits, batch).isfinite().all()
    assert reader.best_spans(logits, batch)[0][1].tolist() == [[0, 0]]


@pytest.mark.parametrize("make", WITH_SRUS.values(), ids=WITH_SRUS)
def test_srus_without_their_fast_form_give_the_same(
    make: Callable[[Sizes], SpanReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, batch = make_reader(make), DATASET.collate(EVERY)
    fast = reader(batch)
    take_fast_form_away(SRUOutputs, monkeypatch)
    assert_same(reader(batch), fast, batch.context_mask)


def test_readers_without_an_lstm_mix_precisions_on_a_cpu() -> None:
    assert [name for name, make in EVERY_READER.items() if make(SIZES).mixes_on_cpu] == MIXING


@pytest.mark.parametrize("name", MIXING)
def test_mixed_precision_is_near_float32(name: str) -> None:
    reader, batch = make_reader(EVERY_READER[name]), DATASET.collate(EVERY)
    parameters = [each for each in reader.parameters() if each.requires_grad]
    exact = reader.loss(reader(batch), batch).mean()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = reader.loss(reader(batch), batch).mean()
    assert mixed.dtype == torch.float32
    assert mixed.item() == pytest.approx(exact.item(), abs=0.02)
    assert mixed.item() != exact.item()
    gradients = [
        torch.cat([each.flatten() for each in torch.autograd.grad(loss, parameters)])
        for loss in (exact, mixed)
    ]
    assert (gradients[0] - gradients[1]).norm() < 0.1 * gradients[0].norm()
