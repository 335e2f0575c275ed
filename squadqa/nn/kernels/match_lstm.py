"""The match-LSTM's states: an LSTM that at each step of a text attends to another text.

With p_i a context token, q_j a question token, h and c the LSTM's state and memory before it:

    s_j = w . tanh(W_q q_j + W_p p_i + b_p + W_r h)        for every question token
    z = [p_i; sum over j of softmax(s)_j q_j]
    h', c' = LSTM(z, h, c)

Reference: Wang and Jiang, 2017, Machine Comprehension Using Match-LSTM and Answer Pointer (arXiv
1608.07905), section 2.2. The paper adds a scalar to all s_j, which softmax cancels.

Letters: B batch, C context tokens, Q question tokens, D width of the encodings, H hidden width,
R rows of a step, two for each example: its directions; N pairs of a row with a question token.

One file, as the fast form has the plain one beside it: its fallback, and its reference in tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from squadqa.nn.kernels import available
from squadqa.nn.kernels.additive_scores import exponential
from squadqa.nn.kernels.directions import Directions
from squadqa.nn.kernels.precision import computes_in_float32
from squadqa.nn.kernels.products import accumulator, linear, product
from squadqa.nn.masking import mask_logits

OPERATORS = (
    "torch.embedding_bag",
    "torch.ops.aten._embedding_bag_per_sample_weights_backward",
    "torch.ops.aten._softmax_backward_data",
    "torch.ops.aten.sigmoid_backward",
    "torch.ops.aten.sigmoid_backward.grad_input",
)
"""What the fast form needs."""


@dataclass(frozen=True)
class MatchWeights:
    """The weights of a match-LSTM, the same in both directions.

    Args:
        keys: (H, D) W_q.
        queries: (H, D) W_p.
        queries_bias: (H,) b_p.
        state_queries: (H, H) W_r.
        score: (H,) w.
        inputs: (4H, 2D) the LSTM's, of z: input gate, forget gate, new value, output gate.
        state: (4H, H) the LSTM's, of h.
        bias: (4H,) the LSTM's.
    """

    keys: Tensor
    queries: Tensor
    queries_bias: Tensor
    state_queries: Tensor
    score: Tensor
    inputs: Tensor
    state: Tensor
    bias: Tensor


def match_lstm_plain(
    context: Tensor,
    context_mask: Tensor,
    question: Tensor,
    question_mask: Tensor,
    weights: MatchWeights,
) -> Tensor:
    """Step by step, by the equations above; shapes as in `match_lstm`."""
    directions = Directions(context_mask)
    steps = directions.to_steps(context.repeat(1, 1, 2))  # (2, C, B, D)
    states = available.exportable(_states_plain)(
        steps,
        F.linear(steps, weights.queries, weights.queries_bias),  # (2, C, B, H)
        F.linear(question, weights.keys),  # (B, Q, H)
        question * question_mask[:, :, None],
        mask_logits(torch.zeros_like(question[:, :, 0]), question_mask),  # (B, Q)
        weights.state_queries,
        weights.score,
        weights.inputs,
        weights.bias,
        weights.state,
        context_mask,
    )
    return directions.to_sequence(states)


def _states_plain(
    steps: Tensor,
    queries: Tensor,
    keys: Tensor,
    question: Tensor,
    penalties: Tensor,
    state_queries: Tensor,
    score: Tensor,
    inputs: Tensor,
    bias: Tensor,
    state_weight: Tensor,
    context_mask: Tensor,
) -> Tensor:
    """Compute the states after every step, (2, C, B, H); padding of the question is 0 and fined."""
    state = torch.zeros_like(queries[:, 0])  # (2, B, H): h
    memory = torch.zeros_like(state)  # (2, B, H): c
    states: list[Tensor] = []
    for i in range(context_mask.shape[1]):  # the length as ONNX knows it
        query = queries.select(1, i) + F.linear(state, state_queries)  # (2, B, H)
        scores = torch.matmul((keys + query.unsqueeze(2)).tanh(), score)  # (2, B, Q)
        attention = torch.softmax(scores + penalties, dim=2)
        attended = torch.matmul(attention.unsqueeze(2), question).squeeze(2)  # (2, B, D)
        z = torch.cat([steps.select(1, i), attended], dim=2)  # (2, B, 2D)
        gates = F.linear(z, inputs, bias) + F.linear(state, state_weight)
        let_in, keep, new, let_out = gates.chunk(4, dim=2)  # (2, B, H) each
        memory = keep.sigmoid() * memory + let_in.sigmoid() * new.tanh()
        state = let_out.sigmoid() * memory.tanh()
        states.append(state)
    return torch.stack(states, dim=1)


class _Pairs:
    """Each row of a step with each token of its question: what attention is made of.

    They stand packed: a batch's longest question is twice as long as its questions on average.

    Args:
        question_mask: (B, Q) bool, True on a token.
    """

    def __init__(self, question_mask: Tensor) -> None:
        self.question_mask = question_mask
        mask = question_mask.repeat_interleave(2, dim=0)  # (R, Q)
        lengths, width = mask.sum(dim=1), mask.shape[1]
        self.places = mask.flatten().nonzero().squeeze(1)  # (N,) in (R, Q)
        self.rows = self.places // width  # (N,) in R
        self.tokens = self.rows // 2 * width + self.places % width  # (N,) in (B, Q)
        self.starts = lengths.cumsum(0) - lengths  # (R,) first pair of each row
        self.every = torch.arange(len(self.places), device=mask.device)  # (N,)

    def sums(self, values: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
        """Sum each row's pairs.

        Args:
            values: (V, D).
            chosen: (N,) the pairs' rows in `values`.
            weights: (N,) of the pairs.

        Returns:
            (R, D).
        """
        return torch.embedding_bag(values, chosen, self.starts, False, 0, False, weights)[0]

    def products(self, values: Tensor, chosen: Tensor, sums: Tensor) -> Tensor:
        """Compute the gradient (N,) of the weights from that of the `sums` (R, D)."""
        products: Tensor = torch.ops.aten._embedding_bag_per_sample_weights_backward(
            sums, values, chosen, self.starts, self.rows, 0
        )
        return products


def _reciprocals(query: Tensor, keys: Tensor, rows: Tensor, one: Tensor, out: Tensor) -> Tensor:
    """Compute 1 / (1 + e^2(query + key)) of all pairs (N, H), from the powers (R, H) and (N, H)."""
    torch.index_select(query, 0, rows, out=out)
    return torch.addcmul(one, keys, out, out=out).reciprocal_()


def _steps(*sequences: Tensor, backwards: bool = False) -> Iterator[tuple[Tensor, ...]]:
    """Walk along the first dimension of tensors, side by side."""
    steps = [sequence.unbind() for sequence in sequences]
    return zip(*(step[::-1] for step in steps) if backwards else steps, strict=True)


@computes_in_float32
class MatchStates(torch.autograd.Function):
    """All states, from what was computed for all steps at once; records no step's operations.

    As tanh(x) is 1 - 2r with r = 1 / (1 + e^2x), and softmax takes no notice of a constant, scores
    w . tanh(query + key) are taken as -2w . r, the power as the product of two: on a CPU r costs a
    tenth of a tanh. The gradient computes r again, so that memory does not grow with C * Q * H.

    The LSTM's tanh are sigmoids too: tanh(x) = 2 sigmoid(2x) - 1. Its new value and the query
    therefore come doubled: `match_lstm` doubles the weights that they are made by.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        keys: Tensor,
        values: Tensor,
        weight: Tensor,
        score: Tensor,
        question_mask: Tensor,
        order: Tensor,
    ) -> Tensor:
        """Step through both directions.

        Args:
            ctx: What the gradient needs.
            inputs: (B, C, 5H) the context's part of [input gate; forget gate; new value; output
                gate; query].
            keys: (B, Q, H) not doubled.
            values: (B, Q, 4H) the question's part of the first four, where it is attended to.
            weight: (5H, H) of the state's part.
            score: (H,) w.
            question_mask: (B, Q) bool, True on a token.
            order: (C * R,) which row of (B, C, 2), directions side by side, a step's row is.

        Returns:
            (B, C, 2H).
        """
        batch, length, width = inputs.shape
        rows, size = 2 * batch, len(score)
        inverse, slope, pairs = order.argsort(), -2 * score, _Pairs(question_mask)
        keys = exponential(keys).flatten(0, 1).index_select(0, pairs.tokens)  # (N, H)
        values = values.flatten(0, 1)  # (B * Q, 4H)
        buffer, one = torch.empty_like(keys), keys.new_ones(())
        scores = keys.new_full((rows, question_mask.shape[1]), torch.finfo(keys.dtype).min / 4)
        add_product = accumulator(weight, rows=rows)

        joined = inputs.flatten(0, 1).index_select(0, order // 2).view(length, rows, width)
        memories = inputs.new_zeros(length + 1, rows, size)  # with a minus: it saves operations
        states = torch.zeros_like(memories)
        squashed = torch.empty_like(states[1:])
        attention = inputs.new_empty(length, *scores.shape)
        for step in _steps(
            joined,
            joined[:, :, : 4 * size],
            *joined.split(size, dim=2),
            *(memories[:-1], memories[1:]),
            *(states[:-1], states[1:]),
            *(squashed, attention),
        ):
            projected, gates, let_in, keep, new, let_out, query, *after = step
            memory, next_memory, state, next_state, squash, attend = after
            add_product(projected, state)
            reciprocals = _reciprocals(query.exp_(), keys, pairs.rows, one, out=buffer)
            scores.view(-1).index_copy_(0, pairs.places, reciprocals.mv(slope))
            torch.softmax(scores, 1, out=attend)
            weights = attend.view(-1).index_select(0, pairs.places)  # (N,)
            gates.add_(pairs.sums(values, pairs.tokens, weights)).sigmoid_()
            # The new value's tanh is 2 * new - 1, the memory's 1 - 2 * squash.
            torch.addcmul(let_in, let_in, new, value=-2, out=next_memory)
            next_memory.addcmul_(keep, memory)
            torch.mul(next_memory, 2, out=squash).sigmoid_()
            torch.addcmul(let_out, let_out, squash, value=-2, out=next_state)
        ctx.pairs = pairs
        ctx.save_for_backward(
            keys,
            values,
            weight,
            slope,
            order,
            inverse,
            joined,
            memories,
            states,
            squashed,
            attention,
        )
        return states[1:].flatten(0, 1).index_select(0, inverse).view(batch, length, 2 * size)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        keys, values, weight, slope, order, inverse, *saved = ctx.saved_tensors
        joined, memories, states, squashed, attention = saved
        pairs, (length, rows, width), size = ctx.pairs, joined.shape, len(slope)
        buffer, one, zero = torch.empty_like(keys), keys.new_ones(()), keys.new_zeros(())
        descent = -slope
        of_keys, of_slope = torch.zeros_like(keys), torch.zeros_like(slope)
        of_attend = torch.zeros_like(attention[0])
        of_memory = torch.zeros_like(memories[0])
        add_product = accumulator(weight.t(), rows=rows)

        of_joined = torch.empty_like(joined)
        of_states = torch.zeros_like(states)
        torch.index_select(
            gradients[0].reshape(-1, size), 0, order, out=of_states[1:].flatten(0, 1)
        )
        for step in _steps(
            joined[:, :, : 4 * size],
            *joined.split(size, dim=2),
            *(memories[:-1], squashed, attention),
            of_joined,
            of_joined[:, :, : 4 * size],
            *of_joined.split(size, dim=2),
            *(of_states[:-1], of_states[1:]),
            backwards=True,
        ):
            gates, let_in, keep, new, let_out, query, memory, squash, attend, *outputs = step
            of_projected, of_gates, of_in, of_keep, of_new, of_out, of_query, *outputs = outputs
            of_state, of_next_state = outputs
            torch.addcmul(of_next_state, of_next_state, squash, value=-2, out=of_out)
            of_squash = torch.ops.aten.sigmoid_backward(of_next_state * let_out, squash)
            of_memory.sub_(of_squash, alpha=4)
            torch.addcmul(of_memory, of_memory, new, value=-2, out=of_in)
            torch.mul(of_memory, memory, out=of_keep)
            torch.addcmul(zero, of_memory, let_in, value=-2, out=of_new)
            of_memory.mul_(keep)
            torch.ops.aten.sigmoid_backward.grad_input(of_gates, gates, grad_input=of_gates)

            of_weights = pairs.products(values, pairs.tokens, of_gates)  # (N,)
            of_attend.view(-1).index_copy_(0, pairs.places, of_weights)
            of_scores = torch.ops.aten._softmax_backward_data(of_attend, attend, 1, attend.dtype)
            of_scores = of_scores.view(-1).index_select(0, pairs.places)  # (N,)
            reciprocals = _reciprocals(query, keys, pairs.rows, one, out=buffer)
            of_slope.addmv_(reciprocals.t(), of_scores)
            slopes = reciprocals.addcmul_(reciprocals, reciprocals, value=-1)
            of_keys.addcmul_(slopes, of_scores[:, None])
            torch.mul(pairs.sums(slopes, pairs.every, of_scores), descent, out=of_query)
            add_product(of_state, of_projected)

        of_rows = of_joined.flatten(0, 1)
        forwards, backwards = inverse.view(-1, 2).unbind(1)
        of_inputs = of_rows.index_select(0, forwards).add_(of_rows.index_select(0, backwards))
        batch, tokens = rows // 2, attention.shape[2]
        of_keys = values.new_zeros(batch * tokens, size).index_add_(0, pairs.tokens, of_keys)
        of_values = values.new_zeros(batch, tokens, 4 * size)
        for row in range(2):
            of_gates = of_joined[:, row::2, : 4 * size].transpose(0, 1)  # (B, C, 4H)
            of_values.baddbmm_(attention[:, row::2].permute(1, 2, 0), of_gates)
        # Only a question without tokens has attention on padding.
        of_values.masked_fill_(~pairs.question_mask[:, :, None], 0.0)
        of_weight = product(states[:-1].flatten(0, 1).t(), of_rows.t()).t()
        return (
            of_inputs.view(batch, length, width),
            of_keys.mul_(-2 * slope).view(batch, tokens, size),
            of_values,
            of_weight,
            -2 * of_slope,
            None,
            None,
        )


def match_lstm_fast(
    context: Tensor,
    context_mask: Tensor,
    question: Tensor,
    question_mask: Tensor,
    weights: MatchWeights,
) -> Tensor:
    """Compute for all steps at once what does not depend on the state, then step."""
    size = len(weights.score)
    factors = weights.score.new_ones(5, size)
    factors[2::2] = 2.0  # the new value's and the query's
    factors = factors.view(-1, 1)  # (5H, 1)
    of_context, of_question = weights.inputs.chunk(2, dim=1)  # (4H, D) each
    inputs = linear(
        context,
        torch.cat([of_context, weights.queries]) * factors,
        torch.cat([weights.bias, weights.queries_bias]) * factors.squeeze(1),
    )  # (B, C, 5H)
    keys = linear(question, weights.keys)  # (B, Q, H)
    values = linear(question, of_question * factors[: len(of_question)])  # (B, Q, 4H)
    order = Directions(context_mask).order.view(2, *context_mask.shape[::-1])  # (2, C, B)
    states: Tensor = MatchStates.apply(
        inputs,
        keys,
        values,
        torch.cat([weights.state, weights.state_queries]) * factors,
        weights.score,
        question_mask,
        order.permute(1, 2, 0).flatten(),
    )
    return states


def match_lstm(
    context: Tensor,
    context_mask: Tensor,
    question: Tensor,
    question_mask: Tensor,
    weights: MatchWeights,
) -> Tensor:
    """Compute the states of both directions.

    Args:
        context: (B, C, D).
        context_mask: (B, C) bool, True on a token.
        question: (B, Q, D).
        question_mask: (B, Q) bool, True on a token.
        weights: Of the match-LSTM.

    Returns:
        (B, C, 2H), the directions side by side; what stands on padding means nothing.
    """
    is_fast = available.supports_fast_form(context, operators=OPERATORS)
    compute = match_lstm_fast if is_fast else match_lstm_plain
    return compute(context, context_mask, question, question_mask, weights)
