"""The outputs of simple recurrent units that read sequences in both directions.

With x a step's input, c the state before it, and for each direction

    f = sigmoid(W_f x + v_f * c + b_f)                     the forget gate
    r = sigmoid(W_r x + v_r * c + b_r)                     the reset gate
    c' = f * c + (1 - f) * W x                             the new state
    h = r * c' + (1 - r) * alpha x                         the output

The products with x are computed for all steps beforehand. What is left of a step concerns each unit
alone. Where x is not as wide as the output, another product W_h x takes the place of alpha x.

Reference: Lei, Zhang, Wang, Dai and Artzi, 2018, Simple Recurrent Units for Highly Parallelizable
Recurrence (arXiv 1709.02755), section 3; alpha is from section 3.2.

Here a step is three operations, and its gradient one. No state depends on the reset gates and the
outputs, so these wait until all states are known. On padding f is 1 and the state stays: so the
backward direction starts at each sequence's own end, and nothing has to be turned around. On a GPU
`squadqa.nn.kernels.sru_triton` does the same in one kernel.

Letters: L length, B batch, H width of a direction, M products with x: W, W_f, W_r and maybe W_h.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from squadqa.nn.kernels import available
from squadqa.nn.kernels.directions import Directions
from squadqa.nn.kernels.precision import computes_in_float32

OPERATORS = ("torch.ops.aten.sigmoid_backward.grad_input",)
"""What the fast form needs."""


def sru_plain(
    products: Tensor,
    highway: Tensor | None,
    mask: Tensor,
    state_weight: Tensor,
    bias: Tensor,
    *,
    scale: float,
) -> Tensor:
    """Step by step, by the equations above; shapes as in `sru`."""
    states_of = available.exportable(_states_plain)
    directions = Directions(mask)

    def to_steps(tokens: Tensor) -> Tensor:
        """Take (L, B, 2, ...) as (2, L, B, ...), in the order in which each direction reads."""
        steps = directions.to_steps(tokens.transpose(0, 1).flatten(2))
        return steps.unflatten(3, tokens.shape[3:])

    x, x_f, x_r, *x_h = to_steps(products).unbind(3)  # (2, L, B, H) each
    carried = x_h[0] if highway is None else scale * to_steps(highway)  # (2, L, B, H)
    v_f, v_r = state_weight[:, :, None].unbind(1)  # (2, 1, H) each
    b_f, b_r = bias[:, :, None].unbind(1)
    states = states_of(x, x_f + b_f[:, None], v_f, mask)  # (2, L, B, H)
    before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], dim=1)
    reset = (x_r + v_r[:, None] * before + b_r[:, None]).sigmoid()
    outputs = reset * states + (1 - reset) * carried
    sequence = directions.to_sequence(outputs)  # (B, L, 2H)
    return sequence.transpose(0, 1).unflatten(2, (2, -1))


def _states_plain(x: Tensor, x_f: Tensor, v_f: Tensor, mask: Tensor) -> Tensor:
    """Compute the states after every step, (2, L, B, H), as no state depends on the rest."""
    state = torch.zeros_like(x[:, 0])  # (2, B, H)
    states: list[Tensor] = []
    for t in range(mask.shape[1]):  # the length as ONNX knows it
        forget = (x_f.select(1, t) + v_f * state).sigmoid()
        state = forget * state + (1 - forget) * x.select(1, t)
        states.append(state)
    return torch.stack(states, dim=1)


def _around_steps(states: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """View (L + 1, B, H) states of a direction as the (L, B, H) before and after each token."""
    return (states[1:], states[:-1]) if side else (states[:-1], states[1:])


def _in_reading_order(side: int, *tokens: Tensor) -> list[tuple[Tensor, ...]]:
    """List the slices of (L, B, H) tensors in the order in which a direction reads them."""
    steps = list(zip(*(each.unbind(0) for each in tokens), strict=True))
    return steps[::-1] if side else steps


@computes_in_float32
class SRUOutputs(torch.autograd.Function):
    """All outputs at once, with a gradient of its own; arguments as `sru`'s."""

    @staticmethod
    def forward(
        ctx: Any,
        products: Tensor,
        highway: Tensor | None,
        mask: Tensor,
        state_weight: Tensor,
        bias: Tensor,
        scale: float,
    ) -> Tensor:
        length, batch, _, _, size = products.shape
        padding = ~mask.t()[:, :, None]  # (L, B, 1)
        states = products.new_empty(2, length + 1, batch, size)
        forgets, resets = products.new_empty(2, 2, length, batch, size)
        outputs = products.new_empty(length, batch, 2, size)
        for side in range(2):
            x, x_f, x_r, *x_h = products[:, :, side].unbind(2)  # (L, B, H) each
            (v_f, v_r), (b_f, b_r) = state_weight[side], bias[side]  # (H,) each
            before, after = _around_steps(states[side], side)
            states[side, length * side].zero_()  # before any step
            forget, reset, output = forgets[side], resets[side], outputs[:, :, side]
            torch.add(x_f, b_f, out=forget).masked_fill_(padding, torch.inf)
            for f, x_t, c, new in _in_reading_order(side, forget, x, before, after):
                torch.lerp(x_t, c, f.addcmul_(v_f, c).sigmoid_(), out=new)
            torch.addcmul(x_r, v_r, before, out=reset).add_(b_r).sigmoid_()
            if highway is None:
                torch.lerp(x_h[0], after, reset, out=output)
            else:
                torch.mul(highway[:, :, side], scale, out=output).lerp_(after, reset)
        ctx.save_for_backward(products, highway, state_weight, states, forgets, resets)
        ctx.scale = scale
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        products, highway, state_weight, states, forgets, resets = ctx.saved_tensors
        sigmoid_backward = torch.ops.aten.sigmoid_backward
        of_products = torch.empty_like(products)
        of_highway = None if highway is None else torch.empty_like(highway)
        of_weight, of_bias = torch.empty_like(state_weight), torch.empty_like(state_weight)
        for side in range(2):
            gradient, forget, reset = gradients[0][:, :, side], forgets[side], resets[side]
            x, _, _, *x_h = products[:, :, side].unbind(2)  # (L, B, H) each
            of_x, of_f, of_r, *of_h = of_products[:, :, side].unbind(2)
            v_f, v_r = state_weight[side]  # (H,) each
            before, after = _around_steps(states[side], side)

            # The output's parts.
            if highway is None:
                kept = after - x_h[0]
            else:
                kept = torch.sub(after, highway[:, :, side], alpha=ctx.scale)
            sigmoid_backward.grad_input(kept.mul_(gradient), reset, grad_input=of_r)
            of_states = torch.empty_like(states[side])  # (L + 1, B, H)
            of_states[len(gradient) * side].zero_()
            of_before, of_after = _around_steps(of_states, side)
            torch.mul(gradient, reset, out=of_after)
            if of_highway is None:
                torch.sub(gradient, of_after, out=of_h[0])
            else:
                torch.sub(gradient, of_after, out=of_highway[:, :, side]).mul_(ctx.scale)
            of_before.addcmul_(of_r, v_r)

            # From each state to the one before it: through f * c, and through f.
            through_f = sigmoid_backward(before - x, forget)  # (L, B, H), times a state's gradient
            slope = torch.addcmul(forget, through_f, v_f)
            steps = _in_reading_order(side, of_before, of_after, slope)
            for of_c, of_new, step_slope in reversed(steps):
                of_c.addcmul_(of_new, step_slope)

            torch.addcmul(of_after, of_after, forget, value=-1, out=of_x)
            torch.mul(of_after, through_f, out=of_f)
            for gate, of_gate in enumerate((of_f, of_r)):
                of_bias[side, gate] = of_gate.sum(dim=(0, 1))
                of_weight[side, gate] = (of_gate * before).sum(dim=(0, 1))
        return of_products, of_highway, None, of_weight, of_bias, None


def sru(
    products: Tensor,
    highway: Tensor | None,
    mask: Tensor,
    state_weight: Tensor,
    bias: Tensor,
    *,
    scale: float,
) -> Tensor:
    """Compute the outputs of both directions.

    Args:
        products: (L, B, 2, M, H) W x, W_f x, W_r x and, without `highway`, W_h x, of each token for
            both directions.
        highway: (L, B, 2, H) each direction's part of x, if all x are as wide as the output.
        mask: (B, L) bool, True on a token.
        state_weight: (2, 2, H) v_f and v_r of both directions.
        bias: (2, 2, H) b_f and b_r of both directions.
        scale: alpha; `highway` is multiplied by it.

    Returns:
        (L, B, 2, H); what stands on padding means nothing.
    """
    inputs = (products, highway, mask, state_weight, bias)
    outputs: Tensor
    if products.is_cuda and available.has_triton():
        from squadqa.nn.kernels.sru_triton import TritonOutputs

        outputs = TritonOutputs.apply(*inputs, scale)
    elif available.supports_fast_form(products, operators=OPERATORS):
        outputs = SRUOutputs.apply(*inputs, scale)
    else:
        outputs = sru_plain(*inputs, scale=scale)
    return outputs
