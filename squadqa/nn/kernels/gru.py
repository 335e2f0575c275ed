"""The states of a gated recurrent unit that reads sequences in both directions at once.

With x the input of a step, projected beforehand for all steps, and h the state before it:

    r = sigmoid(x_r + U_r h + c_r)              the reset gate
    z = sigmoid(x_z + U_z h + c_z)              the update gate
    n = tanh(x_n + r * (U_n h + c_n))           the new state
    h' = (1 - z) * n + z * h

Reference: Cho et al., 2014, Learning Phrase Representations using RNN Encoder-Decoder
(arXiv 1406.1078), section 2.3, as `torch.nn.GRU` has it: the reset gate comes after the product.

On a CPU torch steps through one direction at a time and records each of a step's dozen operations.
Here a step is five operations for both directions, and its gradient eight. For R-Net's widths, 32
sequences of 150 tokens, forward and backward, that takes 49 ms where torch takes 93 (84 and 183 of
900-wide input).

Letters: B batch, L length, H width of a direction.
"""

from typing import Any

import torch
from torch import Tensor

from squadqa.nn.kernels import available
from squadqa.nn.kernels.precision import computes_in_float32

STEP_OPERATORS = (
    "torch.ops.aten.tanh_backward.grad_input",
    "torch.ops.aten.sigmoid_backward.grad_input",
)
"""What a step's own gradient needs."""


def gru_step_plain(inputs: Tensor, state: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute the next state.

    Args:
        inputs: (2, B, 3H) projected input of the reset gate, the update gate and the new state.
        state: (2, B, H).
        weight: (2, H, 3H) of the state, in the same order.
        bias: (2, 1, 3H) likewise.

    Returns:
        (2, B, H). Instead of the two directions there may be any number of cells.
    """
    size = weight.shape[1]
    of_state = torch.matmul(state, weight) + bias
    both = inputs + of_state
    reset = both[:, :, :size].sigmoid()
    update = both[:, :, size : 2 * size].sigmoid()
    new = (inputs[:, :, 2 * size :] + reset * of_state[:, :, 2 * size :]).tanh()
    return (1 - update) * new + update * state


def gru_states_plain(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Step by step, each by `gru_step_plain`; shapes as in `gru_states`."""
    state = inputs.new_zeros(2, inputs.shape[2], weight.shape[1])
    states = []
    for step_inputs in inputs.unbind(1):
        state = gru_step_plain(step_inputs, state, weight, bias)
        states.append(state)
    return torch.stack(states, dim=1)


def new_state_first(weight: Tensor) -> Tensor:
    """Move the last third of (2, ..., 3H), the new state's, to the front.

    The fast step keeps [U_n h + c_n; r; z; n] for its gradient. In this order the first 3H are what
    the product with the state gives, and one operation fills them.
    """
    return weight.roll(weight.shape[-1] // 3, dims=-1)


def gru_step(inputs: Tensor, state: Tensor, weight: Tensor, bias: Tensor, kept: Tensor) -> Tensor:
    """Compute the next state, without recording the operations.

    Args:
        inputs: (2, B, 3H) projected input of the reset gate, the update gate and the new state.
        state: (2, B, H).
        weight: (2, H, 3H) of the state, `new_state_first`.
        bias: (2, 1, 3H) likewise.
        kept: (2, B, 4H), filled with what `gru_step_backward` reads.

    Returns:
        (2, B, H).
    """
    size = state.shape[-1]
    recurrent, reset, update, new = kept.chunk(4, dim=-1)
    torch.baddbmm(bias, state, weight, out=kept[..., : 3 * size])
    kept[..., size : 3 * size].add_(inputs[..., : 2 * size]).sigmoid_()
    torch.addcmul(inputs[..., 2 * size :], reset, recurrent, out=new).tanh_()
    return torch.lerp(new, state, update)


def gru_step_backward(gradient: Tensor, state: Tensor, kept: Tensor, out: Tensor) -> Tensor:
    """Compute the gradients of one step.

    Args:
        gradient: (2, B, H) of the next state.
        state: (2, B, H) before the step.
        kept: (2, B, 4H) from `gru_step`.
        out: (2, B, 4H), filled with the gradients of [U_n h; reset; update; new] before their
            nonlinearities: the first 3H are those of the product with the state, the last 3H those
            of `inputs`.

    Returns:
        (2, B, H), the part of the state's gradient that does not go through the product.
    """
    size = state.shape[-1]
    recurrent, reset, update, new = kept.chunk(4, dim=-1)
    of_recurrent, of_reset, of_update, of_new = out.chunk(4, dim=-1)
    gates, of_gates = kept[..., size : 3 * size], out[..., size : 3 * size]
    carried = gradient * update
    torch.ops.aten.tanh_backward.grad_input(gradient - carried, new, grad_input=of_new)
    torch.mul(of_new, recurrent, out=of_reset)
    torch.mul(gradient, state - new, out=of_update)
    torch.ops.aten.sigmoid_backward.grad_input(of_gates, gates, grad_input=of_gates)
    torch.mul(of_new, reset, out=of_recurrent)
    return carried


def projection_gradients(inputs: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the gradients of a weight and a bias that (2, L, B, D) was projected by.

    Args:
        inputs: (2, L, B, D) what was projected.
        outputs: (2, L, B, D') gradients of the result.

    Returns:
        (2, D, D') and (2, 1, D').
    """
    outputs = outputs.flatten(1, 2)  # (2, L * B, D')
    weight = inputs.flatten(1, 2).transpose(1, 2) @ outputs
    return weight, outputs.sum(dim=1, keepdim=True)


@computes_in_float32
class GRUStates(torch.autograd.Function):
    """All states at once, with a gradient of its own; weight and bias `new_state_first`."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        size = weight.shape[1]
        kept = inputs.new_empty(*inputs.shape[:3], 4 * size)
        states = [inputs.new_zeros(2, inputs.shape[2], size)]
        for step_inputs, step_kept in zip(inputs.unbind(1), kept.unbind(1), strict=True):
            states.append(gru_step(step_inputs, states[-1], weight, bias, step_kept))
        joined = torch.stack(states, dim=1)
        ctx.save_for_backward(joined, kept, weight)
        return joined[:, 1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        states, kept, weight = ctx.saved_tensors
        size, back = weight.shape[1], weight.transpose(1, 2)
        projected = torch.empty_like(kept)
        gradient = torch.zeros_like(states[:, 0])
        before = states[:, :-1]
        sequences = (gradients[0], before, kept, projected)
        steps = list(zip(*(sequence.unbind(1) for sequence in sequences), strict=True))
        for from_above, state, step_kept, out in reversed(steps):
            carried = gru_step_backward(gradient + from_above, state, step_kept, out)
            gradient = torch.baddbmm(carried, out[..., : 3 * size], back)
        return projected[..., size:], *projection_gradients(before, projected[..., : 3 * size])


def gru_states(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute the states after every step.

    Args:
        inputs: (2, L, B, 3H) projected inputs of the reset gate, the update gate and the new state,
            of the steps of both directions.
        weight: (2, H, 3H) of the state, in the same order.
        bias: (2, 1, 3H) likewise.

    Returns:
        (2, L, B, H).
    """
    if not available.supports_fast_form(inputs, operators=STEP_OPERATORS):
        return gru_states_plain(inputs, weight, bias)
    states: Tensor = GRUStates.apply(inputs, new_state_first(weight), new_state_first(bias))
    return states
