from typing import Any

import pytest
import torch
from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.data.dataset import SpanDataset
from squadqa.models import RNet
from squadqa.nn.char_cnn import KernelBankCharCNN
from squadqa.nn.gated_attention import GatedMatch
from squadqa.nn.gated_attention_rnn import GatedAttentionRNN
from tests.support import equations, tiny

PAPER: dict[str, Any] = {
    "attention": "additive",
    "shared_encoder": False,
    "concat_layers": False,
    "dropout": 0.2,
}


@pytest.fixture
def batch() -> SpanBatch:
    return SpanDataset(tiny.prepared()).collate([0, 4, 7])


def read(reader: RNet, batch: SpanBatch, row: int) -> tuple[Tensor, Tensor]:
    """Log-probabilities of one question's context tokens, by the report's section 3."""
    forms = reader.embedder.words(batch.forms)
    context = [forms[i] for i in batch.context_ids[row, batch.context_mask[row]]]
    question = [forms[i] for i in batch.question_ids[row, batch.question_mask[row]]]
    context_layers = equations.bigru(reader.encoder, context)
    question_layers = equations.bigru(reader.question_encoder or reader.encoder, question)
    if reader.encoder.concat_layers:
        u_context = [torch.cat(layers) for layers in zip(*context_layers, strict=True)]
        u_question = [torch.cat(layers) for layers in zip(*question_layers, strict=True)]
    else:
        u_context, u_question = context_layers[-1], question_layers[-1]

    match, self_match = reader.question_match, reader.self_match
    if isinstance(match, GatedAttentionRNN):
        v = equations.gated_attention_rnn(match, u_context, u_question)
    else:
        assert isinstance(match, GatedMatch)
        (v,) = equations.bigru(
            match.rnn, equations.gated_attention(match.attention, u_context, u_question)
        )
    (h,) = equations.bigru(self_match.rnn, equations.gated_attention(self_match.attention, v, v))
    pooled = equations.additive_pooling(reader.question_pooling, question_layers[-1])
    start, end = equations.answer_pointer(reader.pointer, h, pooled)
    return torch.stack(start).log_softmax(0), torch.stack(end).log_softmax(0)


def made(form: dict[str, Any]) -> RNet:
    """A reader whose weights are large enough for each of them to matter."""
    torch.manual_seed(0)
    char_cnn = KernelBankCharCNN(filters={5: 3}, character_size=4)
    reader = RNet(Sizes(6, 1000), char_cnn=char_cnn, hidden_size=4, num_layers=2, **form).eval()
    for parameter in reader.parameters():
        if parameter.dim() < 3:  # not the convolutions; large enough to matter
            nn.init.normal_(parameter, std=0.6)
    return reader


every_form = pytest.mark.parametrize("form", [{}, PAPER], ids=["default", "paper"])


@every_form
def test_equals_the_equations(batch: SpanBatch, form: dict[str, Any]) -> None:
    reader = made(form)
    equations.assert_same_scores(reader, batch, read, normalized=True)


@every_form
def test_gradients_equal_those_of_the_equations(batch: SpanBatch, form: dict[str, Any]) -> None:
    reader = made(form)
    rows = [read(reader, batch, row) for row in range(len(batch))]
    equations.assert_same_gradients(reader, batch, rows)


def test_sizes_of_the_published_variant() -> None:
    reader = RNet(Sizes(300, 1000), char_cnn=KernelBankCharCNN(filters={5: 200}))
    assert [rnn.input_size for rnn in reader.encoder.forwards] == [500, 150, 150]
    assert reader.encoder.output_size == 3 * 2 * 75
    assert reader.question_encoder is None
    assert reader.question_match.attention.similarity.keys.weight.shape == (75, 450)
    assert reader.question_match.attention.gate.weight.shape == (900, 900)
    assert reader.self_match.attention.gate.weight.shape == (300, 300)
    assert reader.pointer.cell.hidden_size == 150


def test_sizes_of_the_paper() -> None:
    reader = RNet(Sizes(300, 1000), **PAPER)
    assert reader.encoder.output_size == 2 * 75
    assert reader.question_encoder is not None
    cell = reader.question_match.forwards
    assert cell.keys.weight.shape == cell.queries.weight.shape == (75, 150)
    assert cell.state_queries.weight.shape == (75, 75)
    assert cell.gate.weight.shape == (300, 300)
    assert cell.rnn.weight_ih_l0.shape == (3 * 75, 300)


def test_only_the_last_layer_is_pooled(batch: SpanBatch) -> None:
    reader = RNet(Sizes(6, 1000), hidden_size=4, num_layers=2).eval()
    seen: list[Tensor] = []
    reader.question_pooling.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    encoded: list[Tensor] = []
    reader.encoder.register_forward_hook(lambda *args: encoded.append(args[2]))
    reader(batch)
    assert seen[0].equal(encoded[1][:, :, 8:])
