import pytest
import torch
from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.data.dataset import SpanDataset
from squadqa.models import MatchLSTM
from squadqa.nn.char_cnn import KernelBankCharCNN
from squadqa.nn.rnn import StackedBiRNN
from tests.support import equations, tiny


@pytest.fixture
def batch() -> SpanBatch:
    return SpanDataset(tiny.prepared()).collate([0, 4, 7])


def encode(reader: MatchLSTM, tokens: list[Tensor]) -> list[Tensor]:
    """H^p or H^q, by equation 1 of the paper."""
    if isinstance(reader.encoder, StackedBiRNN):
        return equations.bilstm(reader.encoder, tokens)
    return equations.lstm(reader.encoder, tokens)


def read(reader: MatchLSTM, batch: SpanBatch, row: int) -> tuple[Tensor, Tensor]:
    """Log-probabilities of one question's context tokens, by the paper's section 2."""
    forms = reader.embedder.words(batch.forms)
    context = [forms[i] for i in batch.context_ids[row, batch.context_mask[row]]]
    question = [forms[i] for i in batch.question_ids[row, batch.question_mask[row]]]
    matched = equations.match_lstm(reader.match, encode(reader, context), encode(reader, question))

    def point(number: int) -> list[Tensor]:
        scores = equations.answer_pointer(
            reader.pointers[number], matched, reader.pointer_states[number]
        )
        return [torch.stack(each).log_softmax(0) for each in scores]

    start, end = point(0)
    if len(reader.pointers) == 2:
        end_first, start_second = point(1)
        start, end = start + start_second, end + end_first
    return start.log_softmax(0), end.log_softmax(0)


def made(*, bidirectional: bool) -> MatchLSTM:
    """A reader whose weights are large enough for each of them to matter."""
    torch.manual_seed(1)
    reader = MatchLSTM(
        Sizes(6, 1000),
        char_cnn=KernelBankCharCNN(filters={5: 3}, character_size=4),
        embedding_size=5,
        hidden_size=4,
        bidirectional_encoder=bidirectional,
        bidirectional_pointer=bidirectional,
    ).eval()
    for parameter in reader.parameters():
        if parameter.dim() < 3:  # not the convolutions; large enough to matter
            nn.init.normal_(parameter, std=0.6)
    return reader


every_form = pytest.mark.parametrize("bidirectional", [False, True])


@every_form
def test_equals_the_equations(batch: SpanBatch, bidirectional: bool) -> None:
    reader = made(bidirectional=bidirectional)
    equations.assert_same_scores(reader, batch, read, normalized=True)


@every_form
def test_gradients_equal_those_of_the_equations(batch: SpanBatch, bidirectional: bool) -> None:
    reader = made(bidirectional=bidirectional)
    rows = [read(reader, batch, row) for row in range(len(batch))]
    equations.assert_same_gradients(reader, batch, rows)


def test_sizes_of_the_paper() -> None:
    reader = MatchLSTM(Sizes(300, 1000), embedding_size=None)
    assert isinstance(reader.encoder, nn.LSTM)
    assert (reader.encoder.input_size, reader.encoder.hidden_size) == (300, 150)
    assert reader.match.rnn.weight_ih_l0.shape == (4 * 150, 2 * 150)
    for of_attention in (reader.match.keys, reader.match.queries, reader.match.state_queries):
        assert of_attention.weight.shape == (150, 150)
    (pointer,) = reader.pointers
    assert pointer.keys.weight.shape == (150, 2 * 150)
    assert pointer.query.weight.shape == (150, 150)
    assert pointer.cell.weight_ih.shape == (4 * 150, 2 * 150)
    # The paper counts 882 thousand, without the encoder's output gate and the first state.
    output_gate = 150 * (300 + 150 + 2)
    own = sum(parameter.numel() for parameter in reader.parameters())
    assert round((own - output_gate) / 1000) in range(880, 890)
