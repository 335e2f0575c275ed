from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.data.dataset import SpanDataset
from squadqa.models import DCN
from squadqa.models.readers import dcn
from squadqa.nn import maxout
from squadqa.nn.char_cnn import KernelBankCharCNN
from tests.support import equations, tiny

Scores = tuple[Tensor, Tensor]


@pytest.fixture(scope="module")
def batch() -> SpanBatch:
    return SpanDataset(tiny.prepared()).collate(range(8))


def make(**arguments: Any) -> DCN:
    """A reader whose decoder needs two rounds of some questions and more of others."""
    torch.manual_seed(0)
    arguments = {"bfloat16_maxout": False, **arguments}
    reader = DCN(
        Sizes(6, 1000), hidden_size=4, pool_size=3, embedding_dropout=0, dropout=0, **arguments
    )
    for parameter in reader.parameters():
        if parameter.dim() < 3:  # not the convolutions; large enough to matter
            nn.init.normal_(parameter)
    return reader.eval()


def encode(reader: DCN, batch: SpanBatch, row: int) -> list[Tensor]:
    """U of one question, by the equations of the paper's sections 2.1 and 2.2."""
    forms = reader.embedder.words(batch.forms)
    context_ids = batch.context_ids[row, batch.context_mask[row]].tolist()
    question_ids = batch.question_ids[row, batch.question_mask[row]].tolist()
    d = equations.lstm(reader.encoder, [forms[i] for i in context_ids])
    q = equations.lstm(reader.encoder, [forms[i] for i in question_ids])
    c = equations.coattention(reader.coattention, d, q)
    return equations.bilstm(reader.fusion_rnn, [torch.cat(each) for each in zip(d, c, strict=True)])


def decode(reader: DCN, u: list[Tensor], *, halts: bool) -> list[Scores]:
    """Each round's scores of one question, by the equations of the paper's section 2.3."""
    decoder, cell = reader.decoder, reader.decoder.cell
    rnn: Any = SimpleNamespace(
        hidden_size=cell.hidden_size,
        weight_ih_l0=cell.weight_ih,
        weight_hh_l0=cell.weight_hh,
        bias_ih_l0=cell.bias_ih,
        bias_hh_l0=cell.bias_hh,
    )
    s, e = 0, len(u) - 1
    read: list[Tensor] = []
    rounds: list[Scores] = []
    for _ in range(4):
        read.append(torch.cat([u[s], u[e]]))
        h = equations.lstm(rnn, read)[-1]
        state = torch.cat([h, u[s], u[e]])
        alpha = torch.tensor(
            [equations.highway_maxout(decoder.start_scores, u_t, state) for u_t in u]
        )
        before, s = s, int(alpha.argmax())
        state = torch.cat([h, u[s], u[e]])
        beta = torch.tensor([equations.highway_maxout(decoder.end_scores, u_t, state) for u_t in u])
        stays = (before, e) == (s, int(beta.argmax()))
        e = int(beta.argmax())
        rounds.append((alpha, beta))
        if stays and halts:
            break
    return rounds


def nll(scores: Scores, batch: SpanBatch, row: int) -> Tensor:
    start, end = (each.log_softmax(0) for each in scores)
    return -start[batch.start_positions[row]] - end[batch.end_positions[row]]


@torch.no_grad()
def test_equals_the_equations(batch: SpanBatch) -> None:
    reader = make(char_cnn=KernelBankCharCNN(filters={5: 3}, character_size=4))
    logits = reader(batch)
    losses = reader.loss(logits, batch)
    taken = set()
    for row in range(len(batch)):
        rounds = decode(reader, encode(reader, batch, row), halts=True)
        taken.add(len(rounds))
        start, end = rounds[-1]
        assert logits.start_logits[row, : len(start)].allclose(start, atol=1e-4)
        assert logits.end_logits[row, : len(end)].allclose(end, atol=1e-4)
        assert losses[row].allclose(nll(rounds[-1], batch, row), atol=1e-4)
        assert start.std() > 0.1
    assert len(taken) > 1
    assert min(taken) < 4


@torch.no_grad()
@pytest.mark.parametrize("halts", [False, True])
def test_training_sums_the_loss_over_rounds(batch: SpanBatch, halts: bool) -> None:
    reader = make(halt_in_training=halts).train()
    logits = reader(batch)
    losses = reader.loss(logits, batch)
    counts = torch.zeros(len(batch))
    for each in logits.rounds:
        counts[each.examples] += 1
    for row in range(len(batch)):
        rounds = decode(reader, encode(reader, batch, row), halts=halts)
        assert counts[row] == len(rounds)
        expected = torch.stack([nll(scores, batch, row) for scores in rounds]).sum()
        assert losses[row].allclose(expected, atol=1e-4)
        assert logits.start_logits[row, : len(rounds[-1][0])].allclose(rounds[-1][0], atol=1e-4)
    assert counts.unique().tolist() == [4] if not halts else len(counts.unique()) > 1


def test_parts_change_nothing(batch: SpanBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = make(halt_in_training=False).train()
    whole = reader.loss(reader(batch), batch)
    monkeypatch.setattr(dcn, "AT_ONCE", 1)
    logits = reader(batch)
    assert len(logits.rounds) == 8 * 4
    assert reader.loss(logits, batch).allclose(whole, atol=1e-4)


def test_bfloat16_has_nearly_the_same_loss(
    batch: SpanBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maxout, "has_fast_bfloat16", lambda device: True)
    reader, exact = (make(bfloat16_maxout=each, max_rounds=1) for each in (True, False))
    losses, expected = (each.train().loss(each(batch), batch) for each in (reader, exact))
    assert not losses.equal(expected)
    assert losses.allclose(expected, rtol=0.02)
    losses.sum().backward()
    for parameter in reader.parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
    with torch.no_grad():
        assert reader.eval()(batch).start_logits.equal(exact.eval()(batch).start_logits)


def test_max_rounds_limits_the_rounds(batch: SpanBatch) -> None:
    reader = make(max_rounds=1).train()
    assert len(reader(batch).rounds) == 1


def test_sizes_of_the_paper() -> None:
    reader = DCN(Sizes(300, 1000))
    assert reader.encoder.input_size == 300
    assert reader.encoder.hidden_size == 200
    assert reader.coattention.projection.weight.shape == (200, 200)
    assert reader.fusion_rnn.forwards[0].input_size == 3 * 200
    assert reader.fusion_rnn.output_size == 400
    assert reader.decoder.max_rounds == 4
    assert reader.halt_in_training
    assert reader.decoder.start_scores.first.in_bfloat16
    assert reader.decoder.cell.input_size == 800
    assert len(reader.decoder.start_scores.scores.bias) == 16
    start, end = reader.decoder.start_scores, reader.decoder.end_scores
    assert not {*start.parameters()} & {*end.parameters()}
