"""R-Net's gated attention as the report has it: the RNN attends by the state it is in.

Reference: Wang, Yang, Wei, Chang and Zhou, 2017, R-Net: Machine Reading Comprehension with
Self-Matching Networks (Microsoft Research Asia), section 3.2.

Letters: B batch, L steps of the sequence, M steps of the memory, D width of the sequence, E width
of the memory, H hidden width.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.gru import (
    Directions,
    gru_step,
    gru_step_backward,
    projection_gradients,
    stacked,
    state_weights,
)
from squadqa.nn.linear import linear
from squadqa.nn.masking import mask_logits
from squadqa.nn.similarity import exponential, reciprocals


def _steps(*sequences: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Walk along (2, L, ...) tensors side by side."""
    return zip(*(sequence.unbind(1) for sequence in sequences), strict=True)


class _GatedAttentionSteps(torch.autograd.Function):
    """The states of `GatedAttentionRNN`, from all that no state changes."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cuda", cast_inputs=torch.float32)
    def forward(
        ctx: Any,
        sequence: Tensor,
        queries: Tensor,
        gates: Tensor,
        keys: Tensor,
        values: Tensor,
        memory_mask: Tensor,
        score: Tensor,
        query_weight: Tensor,
        input_weight: Tensor,
        input_bias: Tensor,
        weight: Tensor,
        bias: Tensor,
    ) -> Tensor:
        """Step through both directions.

        Args:
            ctx: What the gradient needs.
            sequence: (2, L, B, D) u.
            queries: (2, L, B, H) its part of the queries, W_p u.
            gates: (2, L, B, D + E) its part of the gates.
            keys: (2, B, M, H) of the memory.
            values: (2, B, M, E + D + E) the memory and its part of the gates, 0 on padding.
            memory_mask: (B, M) bool, True on a step.
            score: (2, H, 1) v.
            query_weight: (2, H, H) W_v.
            input_weight: (2, D + E, 3H) of the GRU's input.
            input_bias: (2, 1, 3H) likewise.
            weight: (2, H, 3H) of the GRU's state, as `gru_step` has it.
            bias: (2, 1, 3H) likewise.

        Returns:
            (2, L, B, H).
        """
        _, length, batch, size = sequence.shape
        memory_size = gates.shape[3] - size
        keys, flat_values = exponential(keys), values.flatten(0, 1)
        queries, gates, joined = queries.clone(), gates.clone(), torch.empty_like(gates)
        joined[..., :size] = sequence
        attention = gates.new_empty(2, length, batch, keys.shape[2])
        kept = gates.new_empty(2, length, batch, 4 * weight.shape[1])
        states = [gates.new_zeros(2, batch, weight.shape[1])]
        buffers = (queries, gates, joined, attention, kept)
        for query, gate, read, weights, step_kept in _steps(*buffers):
            query.baddbmm_(states[-1], query_weight)
            pairs = reciprocals(exponential(query)[:, :, None], keys)  # (2, B, M, H)
            scores = torch.bmm(pairs.flatten(1, 2), -2 * score).view_as(weights)
            torch.softmax(mask_logits(scores, memory_mask), dim=2, out=weights)
            attended = torch.bmm(weights.reshape(2 * batch, 1, -1), flat_values).view(2, batch, -1)
            read[..., size:] = attended[..., :memory_size]
            gate.add_(attended[..., memory_size:]).sigmoid_()
            inputs = torch.baddbmm(input_bias, read * gate, input_weight)
            states.append(gru_step(inputs, states[-1], weight, bias, step_kept))
        every_state = torch.stack(states, dim=1)
        ctx.save_for_backward(
            keys, values, score, query_weight, input_weight, weight, every_state, *buffers
        )
        return every_state[:, 1:]

    @staticmethod
    @torch.amp.custom_bwd(device_type="cuda")
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        keys, values, score, query_weight, input_weight, weight, states, *buffers = (
            ctx.saved_tensors
        )
        queries, gates, joined, attention, kept = buffers
        hidden, (_, length, batch, both) = weight.shape[1], gates.shape
        size = 2 * both - values.shape[3]
        flat_values = values.flatten(0, 1).transpose(1, 2)  # (2B, E + D + E, M)
        before, slope = states[:, :-1], 4 * score.transpose(1, 2)  # (2, 1, H)
        of_gru, of_queries = torch.empty_like(kept), torch.empty_like(queries)
        of_sequence = gates.new_empty(2, length, batch, size)
        of_attended = gates.new_empty(2, length, batch, values.shape[3])
        of_keys, of_score = torch.zeros_like(keys), torch.zeros_like(slope)
        gradient = torch.zeros_like(states[:, 0])
        inputs = _steps(gradients[0], before, *buffers)
        outputs = _steps(of_gru, of_queries, of_sequence, of_attended)
        for step_inputs, step_outputs in reversed(list(zip(inputs, outputs, strict=True))):
            from_above, state, query, gate, read, weights, step_kept = step_inputs
            of_step, of_query, of_token, of_seen = step_outputs
            carried = gru_step_backward(gradient + from_above, state, step_kept, of_step)
            of_gated = torch.bmm(of_step[..., hidden:], input_weight.transpose(1, 2))
            of_gate = torch.ops.aten.sigmoid_backward(of_gated * read, gate)
            of_gated.mul_(gate)
            of_token.copy_(of_gated[..., :size])
            torch.cat([of_gated[..., size:], of_gate], dim=2, out=of_seen)
            of_weights = torch.bmm(of_seen.reshape(2 * batch, 1, -1), flat_values).view_as(weights)
            of_scores = weights * (of_weights - (weights * of_weights).sum(dim=2, keepdim=True))
            pairs = reciprocals(exponential(query)[:, :, None], keys)  # (2, B, M, H)
            of_score.baddbmm_(of_scores.flatten(1)[:, None], pairs.flatten(1, 2), alpha=-2)
            slopes = torch.addcmul(pairs, pairs, pairs, value=-1).mul_(of_scores[..., None])
            of_keys += slopes
            torch.mul(slopes.sum(dim=2), slope, out=of_query)
            gradient = torch.baddbmm(carried, of_step[..., : 3 * hidden], weight.transpose(1, 2))
            gradient.baddbmm_(of_query, query_weight.transpose(1, 2))
        of_values = torch.bmm(
            attention.permute(0, 2, 3, 1).flatten(0, 1), of_attended.transpose(1, 2).flatten(0, 1)
        )
        return (
            of_sequence,
            of_queries,
            of_attended[..., -both:],
            of_keys.mul_(slope[:, :, None]),
            of_values.view_as(values),
            None,
            of_score.transpose(1, 2),
            projection_gradients(before, of_queries)[0],
            *projection_gradients(joined * gates, of_gru[..., hidden:]),
            *projection_gradients(before, of_gru[..., : 3 * hidden]),
        )


class GatedAttentionCell(nn.Module):
    """The weights of one direction of `GatedAttentionRNN`, under the report's letters.

    Args:
        size: D.
        memory_size: E.
        hidden_size: H.
    """

    def __init__(self, size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        joined = size + memory_size
        self.keys = nn.Linear(memory_size, hidden_size, bias=False)  # W_u^Q
        self.queries = nn.Linear(size, hidden_size, bias=False)  # W_u^P
        self.state_queries = nn.Linear(hidden_size, hidden_size, bias=False)  # W_v^P
        self.score = nn.Linear(hidden_size, 1, bias=False)  # v
        self.gate = nn.Linear(joined, joined, bias=False)  # W_g
        self.rnn = nn.GRU(joined, hidden_size)


class GatedAttentionRNN(nn.Module):
    """A bidirectional GRU that attends to a memory at each step, by the state it is in.

    At each step, with u the sequence and m the memory: s_j = v . tanh(W_q m_j + W_p u_t + W_v h);
    c is m weighted by the softmax of s; the GRU reads [u_t; c] * sigmoid(W_g [u_t; c]).

    Args:
        size: D.
        memory_size: E.
        hidden_size: H, of the attention and of a direction.
        dropout: Share of the sequence's and the memory's features dropped in training.
    """

    def __init__(
        self, size: int, memory_size: int, *, hidden_size: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.forwards = GatedAttentionCell(size, memory_size, hidden_size)
        self.backwards = GatedAttentionCell(size, memory_size, hidden_size)
        self.dropout = SequenceDropout(dropout, variational=True)
        self.output_size = 2 * hidden_size

    def forward(
        self, sequence: Tensor, mask: Tensor, memory: Tensor, memory_mask: Tensor
    ) -> Tensor:
        """Match with the memory.

        Args:
            sequence: (B, L, D).
            mask: (B, L) bool, True on a step.
            memory: (B, M, E).
            memory_mask: (B, M) bool, True on a step.

        Returns:
            (B, L, 2H); what stands on padding means nothing.
        """
        directions = Directions(mask)
        sequence = self.dropout(sequence)
        memory = self.dropout(memory) * memory_mask[:, :, None]
        gate_of_sequence, gate_of_memory = self._both("gate.weight").split(
            [sequence.shape[2], memory.shape[2]], dim=2
        )  # (2, D + E, D), (2, D + E, E)

        def steps(weight: Tensor) -> Tensor:
            return directions.to_steps(linear(sequence, weight.flatten(0, 1)))

        def of_memory(weight: Tensor) -> Tensor:
            return memory @ weight[:, None].transpose(2, 3)  # (2, B, M, ...)

        states: Tensor = _GatedAttentionSteps.apply(
            directions.to_steps(sequence.repeat(1, 1, 2)),  # (2, L, B, D)
            steps(self._both("queries.weight")),  # (2, L, B, H)
            steps(gate_of_sequence),  # (2, L, B, D + E)
            of_memory(self._both("keys.weight")),  # (2, B, M, H)
            torch.cat([memory.expand(2, -1, -1, -1), of_memory(gate_of_memory)], dim=3),
            memory_mask,
            self._both("score.weight").transpose(1, 2),  # (2, H, 1)
            self._both("state_queries.weight").transpose(1, 2),  # (2, H, H)
            self._both("rnn.weight_ih_l0").transpose(1, 2),  # (2, D + E, 3H)
            self._both("rnn.bias_ih_l0")[:, None],  # (2, 1, 3H)
            *state_weights(self.forwards.rnn, self.backwards.rnn),
        )
        return directions.to_sequence(states)

    def _both(self, name: str) -> Tensor:
        return stacked(self.forwards, self.backwards, name)
