import pytest
import torch
from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.data.dataset import SpanDataset
from squadqa.models import BiLSTMReader
from tests.support import equations, tiny


@pytest.fixture
def batch() -> SpanBatch:
    return SpanDataset(tiny.prepared()).collate([0, 4, 7])


def read(reader: BiLSTMReader, batch: SpanBatch, row: int) -> tuple[Tensor, Tensor]:
    """Scores of one question's context tokens, token by token."""
    forms = reader.embedder.words(batch.forms)
    context_ids = batch.context_ids[row, batch.context_mask[row]].tolist()
    question_ids = batch.question_ids[row, batch.question_mask[row]].tolist()
    context = equations.bilstm(reader.context_rnn, [forms[i] for i in context_ids])
    question = equations.bilstm(reader.question_rnn, [forms[i] for i in question_ids])
    query = reader.question_pooling.query.weight[0]
    weights = torch.stack([query @ q for q in question]).softmax(0)
    pooled = torch.stack([w * q for w, q in zip(weights, question, strict=True)]).sum(0)
    scores = []
    for pointer in (reader.start_pointer, reader.end_pointer):
        toward = pointer.projection.weight @ pooled + pointer.projection.bias
        scores.append(torch.stack([h @ toward for h in context]))
    return scores[0], scores[1]


@pytest.mark.parametrize("shared", [True, False])
def test_equals_the_equations(batch: SpanBatch, shared: bool) -> None:
    torch.manual_seed(0)
    reader = BiLSTMReader(Sizes(6, 1000), hidden_size=4, shared_encoder=shared).eval()
    for parameter in reader.parameters():
        nn.init.normal_(parameter, std=0.6)
    equations.assert_same_scores(reader, batch, read)


def test_one_encoder_or_two() -> None:
    shared, apart = (
        BiLSTMReader(Sizes(6, 1000), hidden_size=4, shared_encoder=each) for each in (True, False)
    )
    encoder = sum(parameter.numel() for parameter in shared.context_rnn.parameters())
    assert shared.question_rnn is shared.context_rnn
    assert apart.question_rnn is not apart.context_rnn
    assert count(apart) == count(shared) + encoder


def count(reader: BiLSTMReader) -> int:
    return sum(parameter.numel() for parameter in reader.parameters())
