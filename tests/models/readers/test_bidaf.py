import pytest
import torch
from torch import Tensor, nn

from squadqa.batch import Sizes, SpanBatch
from squadqa.data.dataset import SpanDataset
from squadqa.models import BiDAF
from squadqa.nn.char_cnn import KernelBankCharCNN
from tests.support import equations, tiny


@pytest.fixture
def batch() -> SpanBatch:
    return SpanDataset(tiny.prepared()).collate([0, 4, 7])


def highway(reader: BiDAF, x: Tensor) -> Tensor:
    for transform, gate in zip(
        reader.embedder.highway.transforms, reader.embedder.highway.gates, strict=True
    ):
        t = (gate.weight @ x + gate.bias).sigmoid()
        x = t * (transform.weight @ x + transform.bias).relu() + (1 - t) * x
    return x


def read(reader: BiDAF, batch: SpanBatch, row: int) -> tuple[Tensor, Tensor]:
    """Scores of one question's context tokens, by the equations of the paper's section 2."""
    forms = reader.embedder.words(batch.forms)
    context_ids = batch.context_ids[row, batch.context_mask[row]].tolist()
    question_ids = batch.question_ids[row, batch.question_mask[row]].tolist()
    h = equations.bilstm(reader.contextual_rnn, [highway(reader, forms[i]) for i in context_ids])
    u = equations.bilstm(reader.contextual_rnn, [highway(reader, forms[i]) for i in question_ids])

    w = reader.attention.similarity.weights.flatten()
    s = [[w @ torch.cat([h_t, u_j, h_t * u_j]) for u_j in u] for h_t in h]
    b = torch.stack([torch.stack(row).max() for row in s]).softmax(0)
    h_seen = torch.stack([b_t * h_t for b_t, h_t in zip(b, h, strict=True)]).sum(0)
    g = []
    for h_t, s_t in zip(h, s, strict=True):
        a_t = torch.stack(s_t).softmax(0)
        u_seen = torch.stack([a * u_j for a, u_j in zip(a_t, u, strict=True)]).sum(0)
        g.append(torch.cat([h_t, u_seen, h_t * u_seen, h_t * h_seen]))

    m = equations.bilstm(reader.modeling_rnn, g)
    m2 = equations.bilstm(reader.end_rnn, m)
    w_start = torch.cat([reader.attended_scores.weight[0], reader.start_scores.weight[0]])
    w_end = torch.cat([reader.attended_scores.weight[1], reader.end_scores.weight[0]])
    start = [w_start @ torch.cat(each) for each in zip(g, m, strict=True)]
    end = [w_end @ torch.cat(each) for each in zip(g, m2, strict=True)]
    return torch.stack(start), torch.stack(end)


def test_equals_the_equations(batch: SpanBatch) -> None:
    torch.manual_seed(0)
    char_cnn = KernelBankCharCNN(filters={5: 3}, character_size=4)
    reader = BiDAF(Sizes(6, 1000), char_cnn=char_cnn, embedding_size=5, hidden_size=4).eval()
    for parameter in reader.parameters():
        if parameter.dim() < 3:  # not the convolutions; large enough to matter
            nn.init.normal_(parameter, std=0.6)
    equations.assert_same_scores(reader, batch, read)


def test_sizes_of_the_paper() -> None:
    reader = BiDAF(Sizes(100, 1000), char_cnn=KernelBankCharCNN(filters={5: 100}))
    assert len(reader.embedder.highway.transforms) == 2
    assert reader.contextual_rnn.forwards[0].input_size == 100
    assert reader.contextual_rnn.output_size == 200
    assert [rnn.input_size for rnn in reader.modeling_rnn.forwards] == [800, 200]
    assert reader.modeling_rnn.output_size == reader.end_rnn.output_size == 200
    assert BiDAF(Sizes(100, 1000), embedding_size=None).contextual_rnn.forwards[0].input_size == 100


def test_the_end_reads_further_than_the_start(batch: SpanBatch) -> None:
    reader = BiDAF(Sizes(6, 1000), hidden_size=4).eval()
    before = reader(batch)
    for parameter in reader.end_rnn.parameters():
        nn.init.zeros_(parameter)
    after = reader(batch)
    assert after.start_logits.equal(before.start_logits)
    assert not after.end_logits.equal(before.end_logits)
