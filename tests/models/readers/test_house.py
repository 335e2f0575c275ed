from dataclasses import replace

import pytest
import torch
from torch import Tensor

from squadqa.batch import Sizes, SpanBatch
from squadqa.data.dataset import SpanDataset
from squadqa.models import HouseReader
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.rnn import StackedBiRNN
from tests.support import equations, tiny

SIZES = Sizes(6, 1000)


@pytest.fixture
def batch() -> SpanBatch:
    return SpanDataset(tiny.prepared()).collate([0, 4])


def reader(**options: object) -> HouseReader:
    torch.manual_seed(0)
    given = {"embedding_size": 8, "hidden_size": 6, "attention_size": 5, **options}
    return HouseReader(SIZES, **given).eval()  # type: ignore[arg-type]


def by_the_equations(house: HouseReader, batch: SpanBatch, row: int) -> tuple[Tensor, Tensor]:
    """The scores of a question's starts and ends: every text alone, every attention in loops."""
    alone = SpanDataset(tiny.prepared()).collate([int(batch.index[row])])
    c, q = house.embedder(alone)
    aligned = house.aligned_question(c, q, alone.question_mask)
    features = house.features(alone)
    described = torch.cat([c, aligned, features], dim=2)[0]

    def read(rnn: StackedBiRNN, sequence: Tensor) -> list[Tensor]:
        layers = []
        for forwards, backwards in zip(rnn.forwards, rnn.backwards, strict=True):
            one = StackedBiRNN(sequence.shape[1], forwards.hidden_size, num_layers=1, cell="sru")
            one.forwards[0], one.backwards[0] = forwards, backwards
            sequence = torch.stack(equations.bisru(one, list(sequence)))
            layers.append(sequence)
        return layers

    context, question = read(house.context_reading, described), read(house.question_reading, q[0])
    asked = read(house.question_understanding, torch.cat(question, dim=1))[-1]
    history = torch.cat([c[0], *context], dim=1)
    fused = equations.fully_aware_fusion(
        house.fusion,
        history,
        torch.cat(context, dim=1),
        torch.cat([q[0], *question], dim=1),
        [*question, asked],
    )
    understood = read(house.understanding, fused)[-1]
    if house.boost is not None:
        history = torch.cat([history, fused, understood], dim=1)
        boosted = equations.fully_aware_fusion(
            house.boost, history, understood, history, [understood], to_itself=True
        )
    else:
        boosted = understood
    modeled = house.normalization(read(house.final, boosted)[-1])
    shares = (house.question_pooling.query(asked).squeeze(1)).softmax(0)
    pooled = shares @ asked
    start, end = house.pointer(modeled[None], alone.context_mask, pooled[None])
    return start[0], end[0]


@pytest.mark.parametrize("self_boost", [True, False])
def test_reads_in_the_steps_that_its_file_names(self_boost: bool, batch: SpanBatch) -> None:
    equations.assert_same_scores(reader(self_boost=self_boost), batch, by_the_equations)


@pytest.mark.parametrize(
    "name", ["context_matches", "context_term_frequency", "context_tags", "context_entities"]
)
def test_reads_each_feature(batch: SpanBatch, name: str) -> None:
    value = getattr(batch, name)
    other = 1 - value if value.is_floating_point() else (value + 1) % 19
    house = reader()
    assert not house(replace(batch, **{name: other})).start_logits.equal(house(batch).start_logits)


def test_the_gate_revises_both_texts(batch: SpanBatch) -> None:
    gated = reader(tr_layers=2)
    assert gated.gate is not None and len(gated.gate.rnn.forwards) == 2
    plain, revised = gated.embedder(batch), gated.embed(batch)
    for before, after in zip(plain, revised, strict=True):
        assert after.shape == before.shape and not after.equal(before)
    assert reader().gate is None


def test_dropout_goes_where_it_is_said() -> None:
    house = reader(
        embedding_dropout=0.1, dropout=0.2, type_dropout=0.3, layer_dropout=0.4, tr_layers=1
    )
    shares = {name: m.probability for name, m in house.named_modules() if hasattr(m, "probability")}
    assert shares.pop("embedder.dropout") == 0.1
    assert shares.pop("embedder.type_dropout") == 0.3
    assert set(shares.values()) == {0.2}
    assert "gate.rnn.dropout" in shares
    house.gate = None
    stacks = [module for module in house.modules() if isinstance(module, StackedBiRNN)]
    assert {module.layer_dropout for module in stacks} == {0.4}
    sequences = [module for module in house.modules() if isinstance(module, SequenceDropout)]
    assert all(module.variational for module in sequences)


@pytest.mark.parametrize("enlarged", [1.0, 3.0])
def test_first_scores_are_near_0(batch: SpanBatch, enlarged: float) -> None:
    """Simple recurrent units keep the variance, and layers that are normalised bound it."""
    torch.manual_seed(0)
    house = HouseReader(SIZES).eval()
    for parameter in house.final.parameters():
        parameter.detach().mul_(enlarged)
    logits = house(batch)
    for scores in (logits.start_logits, logits.end_logits):
        assert scores[batch.context_mask].std() < 2
