"""Layers computed token by token by their papers' equations, as references for fast ones."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from squadqa.batch import SpanBatch
from squadqa.models import SpanReader
from squadqa.nn.attention import Coattention
from squadqa.nn.fusion import FullyAwareFusion
from squadqa.nn.gated_attention import GatedAttention
from squadqa.nn.gated_attention_rnn import GatedAttentionCell, GatedAttentionRNN
from squadqa.nn.match import MatchLSTMLayer
from squadqa.nn.pointer import AdditivePooling, AnswerPointer, HighwayMaxout
from squadqa.nn.rnn import StackedBiRNN
from squadqa.nn.similarity import AdditiveSimilarity
from squadqa.nn.sru import SRU

Reader = TypeVar("Reader", bound=SpanReader)


def assert_same_scores(
    reader: Reader,
    batch: SpanBatch,
    read: Callable[[Reader, SpanBatch, int], tuple[Tensor, Tensor]],
    *,
    normalized: bool = False,
) -> None:
    """Check that a reader's scores of every token equal those of `read`, by the equations.

    With `normalized`, the scores of `read` are log-probabilities.
    """
    with torch.no_grad():
        logits = reader(batch)
        for row in range(len(batch)):
            scored = (logits.start_logits, logits.end_logits)
            for fast, expected in zip(scored, read(reader, batch, row), strict=True):
                scores = fast[row, : len(expected)]
                scores = scores.log_softmax(0) if normalized else scores
                assert scores.allclose(expected, atol=1e-4)
                assert expected.std() > 0.05


def assert_same_gradients(
    reader: SpanReader, batch: SpanBatch, rows: list[tuple[Tensor, Tensor]]
) -> None:
    """Check that the gradients of a reader's loss equal those of the equations."""
    parameters = [each for each in reader.parameters() if each.requires_grad]
    fast = torch.autograd.grad(reader.loss(reader(batch), batch).sum(), parameters)
    loss = torch.zeros(())
    for (start, end), first, last in zip(
        rows, batch.start_positions, batch.end_positions, strict=True
    ):
        loss = loss - start[first] - end[last]
    for one, other in zip(fast, torch.autograd.grad(loss, parameters), strict=True):
        assert one.allclose(other, rtol=1e-3, atol=1e-4 * other.abs().max().item())


def lstm(cell: nn.LSTM, inputs: list[Tensor]) -> list[Tensor]:
    """The states h_t of an LSTM: one layer, one direction."""
    state = memory = torch.zeros(cell.hidden_size)
    states = []
    for x in inputs:
        read = cell.weight_ih_l0 @ x + cell.bias_ih_l0
        read = read + cell.weight_hh_l0 @ state + cell.bias_hh_l0
        let_in, keep, new, let_out = read.chunk(4)
        memory = keep.sigmoid() * memory + let_in.sigmoid() * new.tanh()
        state = let_out.sigmoid() * memory.tanh()
        states.append(state)
    return states


def bilstm(rnn: StackedBiRNN, inputs: list[Tensor]) -> list[Tensor]:
    """The outputs of a stack's last layer, both directions of a step joined."""
    for forward, back in zip(rnn.forwards, rnn.backwards, strict=True):
        assert isinstance(forward, nn.LSTM)
        assert isinstance(back, nn.LSTM)
        backwards = lstm(back, inputs[::-1])[::-1]
        inputs = [torch.cat(pair) for pair in zip(lstm(forward, inputs), backwards, strict=True)]
    return inputs


def coattention(
    attention: Coattention, context: list[Tensor], question: list[Tensor]
) -> list[Tensor]:
    """C^D of one question, column by column, by section 2.2 of the DCN paper."""
    weight, bias = attention.projection.weight, attention.projection.bias
    d = [*context, attention.context_sentinel]
    q = [(weight @ each + bias).tanh() for each in [*question, attention.question_sentinel]]
    affinity = [[(d_t @ q_j).item() for q_j in q] for d_t in d]
    context_seen = []  # C^Q: each question word's own softmax over the context
    for j in range(len(q)):
        weights = torch.tensor([row[j] for row in affinity]).softmax(0)
        context_seen.append(sum(a * d_t for a, d_t in zip(weights, d, strict=True)))
    outputs = []  # C^D: each context word's own softmax over the question
    for t in range(len(context)):
        weights = torch.tensor(affinity[t]).softmax(0)
        pairs = [torch.cat([q_j, c_j]) for q_j, c_j in zip(q, context_seen, strict=True)]
        outputs.append(sum(a * pair for a, pair in zip(weights, pairs, strict=True)))
    return outputs


def highway_maxout(pointer: HighwayMaxout, u: Tensor, state: Tensor) -> float:
    """The score of one token, by equations 9 to 13 of the DCN paper."""
    units, pool_size = pointer.first.output_size, len(pointer.scores.bias)
    r = (pointer.state.weight @ state).tanh()
    first = torch.cat([pointer.first.pieces.weight, pointer.first_state.weight], dim=1)

    def layer(weight: Tensor, bias: Tensor, x: Tensor, count: int) -> Tensor:
        """The units of one layer; the pieces of each are `count` rows apart."""
        units = []
        for unit in range(count):
            places = range(unit, pool_size * count, count)
            units.append(max((weight[place] @ x + bias[place]).item() for place in places))
        return torch.tensor(units)

    m1 = layer(first, pointer.first.pieces.bias, torch.cat([u, r]), units)
    m2 = layer(pointer.second.pieces.weight, pointer.second.pieces.bias, m1, units)
    return layer(pointer.scores.weight, pointer.scores.bias, torch.cat([m1, m2]), 1).item()


def gru_step(cell: nn.GRU, x: Tensor, state: Tensor) -> Tensor:
    """The next state of a GRU with one layer and direction."""
    of_x = cell.weight_ih_l0 @ x + cell.bias_ih_l0
    of_state = cell.weight_hh_l0 @ state + cell.bias_hh_l0
    size = len(state)
    reset, update = (of_x + of_state)[: 2 * size].sigmoid().split(size)
    new = (of_x[2 * size :] + reset * of_state[2 * size :]).tanh()
    return (1 - update) * new + update * state


def gru(cell: nn.GRU, inputs: list[Tensor]) -> list[Tensor]:
    """The states h_t of a GRU: one layer, one direction."""
    states = [torch.zeros(cell.hidden_size)]
    for x in inputs:
        states.append(gru_step(cell, x, states[-1]))
    return states[1:]


def bigru(rnn: StackedBiRNN, inputs: list[Tensor]) -> list[list[Tensor]]:
    """The outputs of each layer of a stack, both directions of a step joined."""
    layers = []
    for forward, back in zip(rnn.forwards, rnn.backwards, strict=True):
        assert isinstance(forward, nn.GRU)
        assert isinstance(back, nn.GRU)
        backwards = gru(back, inputs[::-1])[::-1]
        inputs = [torch.cat(pair) for pair in zip(gru(forward, inputs), backwards, strict=True)]
        layers.append(inputs)
    return layers


def sru(cell: SRU, inputs: list[Tensor], carried: list[Tensor]) -> list[Tensor]:
    """The outputs h_t of one direction of an SRU, by equations 1 to 4 of its paper.

    What a direction carries to its outputs is its part of the inputs, if there is one.
    """
    state = torch.zeros(cell.hidden_size)
    (v_f, v_r), (b_f, b_r) = cell.state_weight, cell.bias
    outputs = []
    for x, part in zip(inputs, carried, strict=True):
        new, x_f, x_r, *x_h = (cell.weight @ x).split(cell.hidden_size)
        forget = (x_f + v_f * state + b_f).sigmoid()
        reset = (x_r + v_r * state + b_r).sigmoid()
        state = forget * state + (1 - forget) * new
        highway = x_h[0] if x_h else 3**0.5 * part
        outputs.append(reset * state + (1 - reset) * highway)
    return outputs


def bisru(rnn: StackedBiRNN, inputs: list[Tensor]) -> list[Tensor]:
    """The outputs of a stack's last layer, both directions of a step joined."""
    for forward, back in zip(rnn.forwards, rnn.backwards, strict=True):
        assert isinstance(forward, SRU)
        assert isinstance(back, SRU)
        firsts, seconds = zip(*(x.tensor_split(2) for x in inputs), strict=True)
        forwards = sru(forward, inputs, list(firsts))
        backwards = sru(back, inputs[::-1], list(seconds)[::-1])[::-1]
        inputs = [torch.cat(pair) for pair in zip(forwards, backwards, strict=True)]
    return inputs


def weighted(scores: list[Tensor], values: list[Tensor]) -> Tensor:
    """The sum of values, weighted by the softmax of their scores."""
    weights = torch.stack(scores).softmax(0)
    return torch.stack([a * each for a, each in zip(weights, values, strict=True)]).sum(0)


def gated(gate: nn.Linear, x: Tensor, seen: Tensor) -> Tensor:
    """[x; c]*, by equation 6 of the R-Net paper."""
    joined = torch.cat([x, seen])
    return (gate.weight @ joined).sigmoid() * joined


def gated_attention(
    layer: GatedAttention, sequence: list[Tensor], memory: list[Tensor]
) -> list[Tensor]:
    """The RNN's input in each step, if it does not depend on the RNN's state."""
    similarity = layer.similarity
    read = []
    for x in sequence:
        scores = []
        for m in memory:
            query, key = similarity.queries.weight @ x, similarity.keys.weight @ m
            if isinstance(similarity, AdditiveSimilarity):
                scores.append(similarity.score.weight[0] @ (query + key).tanh())
            else:
                scores.append(query.relu() @ key.relu() / len(query) ** 0.5)
        read.append(gated(layer.gate, x, weighted(scores, memory)))
    return read


def gated_attention_rnn(
    layer: GatedAttentionRNN, sequence: list[Tensor], memory: list[Tensor]
) -> list[Tensor]:
    """v^P, by equations 4 to 6 of the R-Net paper, both directions of a step joined."""

    def read(cell: GatedAttentionCell, sequence: list[Tensor]) -> list[Tensor]:
        states = [torch.zeros(cell.rnn.hidden_size)]
        for u in sequence:
            query = cell.queries.weight @ u + cell.state_queries.weight @ states[-1]
            scores = [cell.score.weight[0] @ (cell.keys.weight @ m + query).tanh() for m in memory]
            inputs = gated(cell.gate, u, weighted(scores, memory))
            states.append(gru_step(cell.rnn, inputs, states[-1]))
        return states[1:]

    forwards = read(layer.forwards, sequence)
    backwards = read(layer.backwards, sequence[::-1])[::-1]
    return [torch.cat(pair) for pair in zip(forwards, backwards, strict=True)]


def additive_pooling(pooling: AdditivePooling, sequence: list[Tensor]) -> Tensor:
    """r^Q, by equation 11 of the R-Net paper."""
    keys = [pooling.keys.weight @ x + pooling.keys.bias for x in sequence]
    return weighted([pooling.score.weight[0] @ key.tanh() for key in keys], sequence)


def answer_pointer(
    pointer: AnswerPointer, context: list[Tensor], state: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """The scores of start and end, by equations 9 and 10 of the R-Net paper."""

    def scores(state: Tensor) -> list[Tensor]:
        query = pointer.query.weight @ state + pointer.keys.bias
        return [pointer.score.weight[0] @ (pointer.keys.weight @ h + query).tanh() for h in context]

    start, cell = scores(state), pointer.cell
    seen = weighted(start, context)
    of_seen, of_state = cell.weight_ih @ seen + cell.bias_ih, cell.weight_hh @ state + cell.bias_hh
    if isinstance(cell, nn.LSTMCell):
        let_in, _, new, let_out = (of_seen + of_state).chunk(4)
        return start, scores(let_out.sigmoid() * (let_in.sigmoid() * new.tanh()).tanh())
    reset, update, _ = (of_seen + of_state).sigmoid().chunk(3)
    new = (of_seen.chunk(3)[2] + reset * of_state.chunk(3)[2]).tanh()
    return start, scores((1 - update) * new + update * state)


def match_lstm(
    layer: MatchLSTMLayer, context: list[Tensor], question: list[Tensor]
) -> list[Tensor]:
    """H^r, by equations 2 to 6 of the Match-LSTM paper, both directions of a token joined."""
    weight, state_weight, bias, state_bias = layer.rnn.parameters()
    w = layer.score.weight[0]

    def read(context: list[Tensor]) -> list[Tensor]:
        state = memory = torch.zeros(layer.rnn.hidden_size)
        states = []
        for p in context:
            query = layer.queries.weight @ p + layer.queries.bias
            query = query + layer.state_queries.weight @ state
            scores = [w @ (layer.keys.weight @ q + query).tanh() for q in question]
            z = torch.cat([p, weighted(scores, question)])
            let_in, keep, new, let_out = (
                weight @ z + bias + state_weight @ state + state_bias
            ).chunk(4)
            memory = keep.sigmoid() * memory + let_in.sigmoid() * new.tanh()
            state = let_out.sigmoid() * memory.tanh()
            states.append(state)
        return states

    forwards, backwards = read(context), read(context[::-1])[::-1]
    return [torch.cat(pair) for pair in zip(forwards, backwards, strict=True)]


def fully_aware_fusion(
    layer: FullyAwareFusion,
    history: Tensor,
    encoded: Tensor,
    memory_history: Tensor,
    levels: list[Tensor],
    *,
    to_itself: bool = False,
) -> Tensor:
    """What `FullyAwareFusion` gives for each step, token by token: W [x; a_1; ...; a_K]."""
    compared = layer.compared.weight.chunk(layer.num_levels)
    importance = layer.importance.chunk(layer.num_levels)
    outputs = []
    for step, (x, own) in enumerate(zip(history, encoded, strict=True)):
        places = [place for place in range(len(memory_history)) if place != step or not to_itself]
        parts = [own]
        for u, d, level in zip(compared, importance, levels, strict=True):
            scores = [(u @ x).relu() @ (d * (u @ memory_history[y]).relu()) for y in places]
            shares = torch.stack(scores).softmax(0) if places else []
            found = torch.zeros_like(level[0])
            for share, y in zip(shares, places, strict=True):
                found = found + share * level[y]
            parts.append(found)
        joined = layer.joined.weight @ torch.cat(parts) + layer.joined.bias
        outputs.append((joined - joined.mean()) / (joined.var(unbiased=False) + 1e-5).sqrt())
    return torch.stack(outputs)
