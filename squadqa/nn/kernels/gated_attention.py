"""The states of R-Net's matching: a GRU that at each step attends to a memory, through a gate.

With u_t a step of the sequence, m_j a step of the memory and h the GRU's state before it:

    s_j = v . tanh(W_q m_j + W_p u_t + W_v h)              for every step of the memory
    y = [u_t; sum over j of softmax(s)_j m_j]
    h' = GRU(y * sigmoid(W_g y), h)

Reference: Wang, Yang, Wei, Chang and Zhou, 2017, R-Net: Machine Reading Comprehension with
Self-Matching Networks (Microsoft Research Asia), section 3.2, equations 4 to 6.

Letters: B batch, L steps of the sequence, M steps of the memory, D width of the sequence, E width
of the memory, H hidden width.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from squadqa.nn.kernels import available
from squadqa.nn.kernels.additive_scores import exponential, reciprocals
from squadqa.nn.kernels.directions import Directions
from squadqa.nn.kernels.gru import (
    STEP_OPERATORS,
    gru_step,
    gru_step_backward,
    gru_step_plain,
    new_state_first,
    projection_gradients,
)
from squadqa.nn.kernels.precision import computes_in_float32
from squadqa.nn.kernels.products import linear
from squadqa.nn.masking import mask_logits

OPERATORS = (*STEP_OPERATORS, "torch.ops.aten.sigmoid_backward")
"""What the fast form needs."""


@dataclass(frozen=True)
class GatedAttentionWeights:
    """The weights of both directions, the forward one's first.

    Args:
        keys: (2, H, E) W_q.
        queries: (2, H, D) W_p.
        state_queries: (2, H, H) W_v.
        score: (2, 1, H) v.
        gate: (2, D + E, D + E) W_g.
        inputs: (2, 3H, D + E) the GRU's, of its input: reset gate, update gate, new state.
        inputs_bias: (2, 3H) likewise.
        state: (2, 3H, H) the GRU's, of its state.
        state_bias: (2, 3H) likewise.
    """

    keys: Tensor
    queries: Tensor
    state_queries: Tensor
    score: Tensor
    gate: Tensor
    inputs: Tensor
    inputs_bias: Tensor
    state: Tensor
    state_bias: Tensor


def gated_attention_rnn_plain(
    sequence: Tensor,
    mask: Tensor,
    memory: Tensor,
    memory_mask: Tensor,
    weights: GatedAttentionWeights,
) -> Tensor:
    """Step by step, by the equations above; shapes as in `gated_attention_rnn`."""
    directions = Directions(mask)
    steps = directions.to_steps(sequence.repeat(1, 1, 2))  # (2, L, B, D)
    states = available.exportable(_states_plain)(
        steps,
        steps @ weights.queries[:, None].transpose(2, 3),  # (2, L, B, H)
        memory @ weights.keys[:, None].transpose(2, 3),  # (2, B, M, H)
        memory,
        mask_logits(torch.zeros_like(memory[:, :, 0]), memory_mask),  # (B, M)
        weights.state_queries.transpose(1, 2),  # (2, H, H)
        weights.score.transpose(1, 2)[:, None],  # (2, 1, H, 1)
        weights.gate.transpose(1, 2),  # (2, D + E, D + E)
        weights.inputs.transpose(1, 2),  # (2, D + E, 3H)
        weights.inputs_bias[:, None],  # (2, 1, 3H)
        weights.state.transpose(1, 2),  # (2, H, 3H)
        weights.state_bias[:, None],  # (2, 1, 3H)
        mask,
    )
    return directions.to_sequence(states)


def _states_plain(
    steps: Tensor,
    queries: Tensor,
    keys: Tensor,
    memory: Tensor,
    penalties: Tensor,
    state_queries: Tensor,
    score: Tensor,
    gate: Tensor,
    input_weight: Tensor,
    input_bias: Tensor,
    state_weight: Tensor,
    state_bias: Tensor,
    mask: Tensor,
) -> Tensor:
    """Compute the states after every step, (2, L, B, H); padding of the memory is 0 and fined."""
    state = torch.zeros_like(queries[:, 0])  # (2, B, H): h
    states: list[Tensor] = []
    for t in range(mask.shape[1]):  # the length as ONNX knows it
        query = queries.select(1, t) + torch.matmul(state, state_queries)  # (2, B, H)
        pairs = (keys + query.unsqueeze(2)).tanh()  # (2, B, M, H)
        scores = torch.matmul(pairs, score).squeeze(3) + penalties  # (2, B, M)
        attention = torch.softmax(scores, dim=2)
        attended = torch.matmul(attention.unsqueeze(2), memory).squeeze(2)  # (2, B, E)
        y = torch.cat([steps.select(1, t), attended], dim=2)  # (2, B, D + E)
        gated = y * torch.matmul(y, gate).sigmoid()
        inputs = torch.matmul(gated, input_weight) + input_bias  # (2, B, 3H)
        state = gru_step_plain(inputs, state, state_weight, state_bias)
        states.append(state)
    return torch.stack(states, dim=1)


def _steps(*sequences: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Walk along (2, L, ...) tensors side by side."""
    return zip(*(sequence.unbind(1) for sequence in sequences), strict=True)


@computes_in_float32
class GatedAttentionStates(torch.autograd.Function):
    """All states, from what was computed for all steps at once; records no step's operations."""

    @staticmethod
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


def gated_attention_rnn_fast(
    sequence: Tensor,
    mask: Tensor,
    memory: Tensor,
    memory_mask: Tensor,
    weights: GatedAttentionWeights,
) -> Tensor:
    """Compute for all steps at once what does not depend on the state, then step."""
    directions = Directions(mask)
    gate_of_sequence, gate_of_memory = weights.gate.split(
        [sequence.shape[2], memory.shape[2]], dim=2
    )  # (2, D + E, D), (2, D + E, E)

    def steps(weight: Tensor) -> Tensor:
        return directions.to_steps(linear(sequence, weight.flatten(0, 1)))

    def of_memory(weight: Tensor) -> Tensor:
        return memory @ weight[:, None].transpose(2, 3)  # (2, B, M, ...)

    states: Tensor = GatedAttentionStates.apply(
        directions.to_steps(sequence.repeat(1, 1, 2)),  # (2, L, B, D)
        steps(weights.queries),  # (2, L, B, H)
        steps(gate_of_sequence),  # (2, L, B, D + E)
        of_memory(weights.keys),  # (2, B, M, H)
        torch.cat([memory.expand(2, -1, -1, -1), of_memory(gate_of_memory)], dim=3),
        memory_mask,
        weights.score.transpose(1, 2),  # (2, H, 1)
        weights.state_queries.transpose(1, 2),  # (2, H, H)
        weights.inputs.transpose(1, 2),  # (2, D + E, 3H)
        weights.inputs_bias[:, None],  # (2, 1, 3H)
        new_state_first(weights.state.transpose(1, 2)),  # (2, H, 3H)
        new_state_first(weights.state_bias[:, None]),  # (2, 1, 3H)
    )
    return directions.to_sequence(states)


def gated_attention_rnn(
    sequence: Tensor,
    mask: Tensor,
    memory: Tensor,
    memory_mask: Tensor,
    weights: GatedAttentionWeights,
) -> Tensor:
    """Compute the states of both directions.

    Args:
        sequence: (B, L, D).
        mask: (B, L) bool, True on a step.
        memory: (B, M, E).
        memory_mask: (B, M) bool, True on a step.
        weights: Of both directions.

    Returns:
        (B, L, 2H), the directions side by side; what stands on padding means nothing.
    """
    memory = memory * memory_mask[:, :, None]
    is_fast = available.supports_fast_form(sequence, operators=OPERATORS)
    compute = gated_attention_rnn_fast if is_fast else gated_attention_rnn_plain
    return compute(sequence, mask, memory, memory_mask, weights)
