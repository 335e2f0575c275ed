"""The outputs of simple recurrent units on a GPU: one thread for each sequence, direction and unit.

The equations stand in `squadqa.nn.kernels.sru`. A thread walks along its sequence, from its own
beginning or its own end, and keeps the state in a register. The gradient's thread walks back, and
computes the gates again instead of reading them.

Importing this needs Triton, which torch's builds for CUDA bring along on Linux. Where the
environment has TRITON_INTERPRET=1 on import, Triton runs the kernels on a CPU, slowly: so they are
tested. They call only what Triton itself interprets, no functions of its library.

Letters: L length, B batch, H width of a direction, M products with x.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from squadqa.nn.kernels.precision import computes_in_float32

UNITS = 32
"""Units of a program: a warp, whose threads are one unit each."""


@triton.jit
def _forward(  # type: ignore[no-untyped-def]
    products,  # (L, B, 2, M, H)
    highway,  # (L, B, 2, H), if M is 3
    lengths,  # (B,)
    state_weight,  # (2, 2, H)
    bias,  # (2, 2, H)
    states,  # (L, B, 2, H), to fill
    outputs,  # (L, B, 2, H), to fill
    batch,
    size,
    scale: tl.constexpr,
    matrices: tl.constexpr,
    units: tl.constexpr,
):
    row = tl.program_id(0)  # of B * 2
    side = row % 2
    unit = tl.program_id(1) * units + tl.arange(0, units)
    real = unit < size
    v_f = tl.load(state_weight + side * 2 * size + unit, mask=real)
    v_r = tl.load(state_weight + (side * 2 + 1) * size + unit, mask=real)
    b_f = tl.load(bias + side * 2 * size + unit, mask=real)
    b_r = tl.load(bias + (side * 2 + 1) * size + unit, mask=real)
    length = tl.load(lengths + row // 2)
    state = tl.full((units,), 0, v_f.dtype)
    for step in range(length):
        token = tl.where(side == 0, step, length - 1 - step)
        place = (token * batch * 2 + row).to(tl.int64) * size + unit
        product = (token * batch * 2 + row).to(tl.int64) * matrices * size + unit
        x = tl.load(products + product, mask=real)
        x_f = tl.load(products + product + size, mask=real)
        x_r = tl.load(products + product + 2 * size, mask=real)
        if matrices == 4:
            carried = tl.load(products + product + 3 * size, mask=real)
        else:
            carried = tl.load(highway + place, mask=real) * scale
        forget = 1 / (1 + tl.exp(-(x_f + v_f * state + b_f)))
        reset = 1 / (1 + tl.exp(-(x_r + v_r * state + b_r)))
        state = forget * state + (1 - forget) * x
        tl.store(states + place, state, mask=real)
        tl.store(outputs + place, reset * state + (1 - reset) * carried, mask=real)


@triton.jit
def _backward(  # type: ignore[no-untyped-def]
    gradient,  # (L, B, 2, H)
    products,  # (L, B, 2, M, H)
    highway,  # (L, B, 2, H), if M is 3
    lengths,  # (B,)
    state_weight,  # (2, 2, H)
    bias,  # (2, 2, H)
    states,  # (L, B, 2, H)
    of_products,  # (L, B, 2, M, H), to fill
    of_highway,  # (L, B, 2, H), to fill if M is 3
    of_weight,  # (B, 2, 2, H), to fill
    of_bias,  # (B, 2, 2, H), to fill
    batch,
    size,
    scale: tl.constexpr,
    matrices: tl.constexpr,
    units: tl.constexpr,
):
    row = tl.program_id(0)  # of B * 2
    side = row % 2
    unit = tl.program_id(1) * units + tl.arange(0, units)
    real = unit < size
    v_f = tl.load(state_weight + side * 2 * size + unit, mask=real)
    v_r = tl.load(state_weight + (side * 2 + 1) * size + unit, mask=real)
    b_f = tl.load(bias + side * 2 * size + unit, mask=real)
    b_r = tl.load(bias + (side * 2 + 1) * size + unit, mask=real)
    length = tl.load(lengths + row // 2)
    back = tl.where(side == 0, -1, 1)  # from a token to the one read before it
    of_state = tl.full((units,), 0, v_f.dtype)
    of_v_f = tl.full((units,), 0, v_f.dtype)
    of_v_r = tl.full((units,), 0, v_f.dtype)
    of_b_f = tl.full((units,), 0, v_f.dtype)
    of_b_r = tl.full((units,), 0, v_f.dtype)
    for ago in range(length):
        step = length - 1 - ago
        token = tl.where(side == 0, step, ago)
        place = (token * batch * 2 + row).to(tl.int64) * size + unit
        product = (token * batch * 2 + row).to(tl.int64) * matrices * size + unit
        before = ((token + back) * batch * 2 + row).to(tl.int64) * size + unit
        has_before = unit < tl.where(step > 0, size, 0)
        state = tl.load(states + before, mask=has_before, other=0.0)
        new = tl.load(states + place, mask=real)
        x = tl.load(products + product, mask=real)
        x_f = tl.load(products + product + size, mask=real)
        x_r = tl.load(products + product + 2 * size, mask=real)
        if matrices == 4:
            carried = tl.load(products + product + 3 * size, mask=real)
        else:
            carried = tl.load(highway + place, mask=real) * scale
        of_output = tl.load(gradient + place, mask=real)
        forget = 1 / (1 + tl.exp(-(x_f + v_f * state + b_f)))
        reset = 1 / (1 + tl.exp(-(x_r + v_r * state + b_r)))

        of_new = of_state + of_output * reset
        of_r = of_output * (new - carried) * reset * (1 - reset)
        of_f = of_new * (state - x) * forget * (1 - forget)
        of_carried = of_output * (1 - reset)
        of_state = of_new * forget + of_f * v_f + of_r * v_r
        of_v_f += of_f * state
        of_v_r += of_r * state
        of_b_f += of_f
        of_b_r += of_r
        tl.store(of_products + product, of_new * (1 - forget), mask=real)
        tl.store(of_products + product + size, of_f, mask=real)
        tl.store(of_products + product + 2 * size, of_r, mask=real)
        if matrices == 4:
            tl.store(of_products + product + 3 * size, of_carried, mask=real)
        else:
            tl.store(of_highway + place, of_carried * scale, mask=real)
    own = row * 2 * size + unit
    tl.store(of_weight + own, of_v_f, mask=real)
    tl.store(of_weight + own + size, of_v_r, mask=real)
    tl.store(of_bias + own, of_b_f, mask=real)
    tl.store(of_bias + own + size, of_b_r, mask=real)


def _grid(batch: int, size: int) -> tuple[int, int]:
    return batch * 2, -(-size // UNITS)


@computes_in_float32
class TritonOutputs(torch.autograd.Function):
    """All outputs by one kernel, and their gradient by another; arguments as `sru`'s."""

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
        _, batch, _, matrices, size = products.shape
        products = products.contiguous()
        carried = products if highway is None else highway.contiguous()
        lengths = mask.sum(dim=1, dtype=torch.int32)
        inputs = (products, carried, lengths, state_weight.contiguous(), bias.contiguous())
        states = torch.empty_like(products[..., 0, :], memory_format=torch.contiguous_format)
        outputs = torch.zeros_like(states)  # padding stays 0
        ctx.numbers = (batch, size, scale, matrices, UNITS)
        _forward[_grid(batch, size)](*inputs, states, outputs, *ctx.numbers, num_warps=1)
        ctx.has_highway = highway is not None
        ctx.save_for_backward(*inputs, states)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        products, carried, _, state_weight, _, states = ctx.saved_tensors
        batch, size, *_ = ctx.numbers
        of_products = torch.zeros_like(products)  # padding stays 0
        of_highway = torch.zeros_like(carried) if ctx.has_highway else of_products
        of_weight, of_bias = products.new_empty(2, batch, *state_weight.shape)
        _backward[_grid(batch, size)](
            gradients[0].contiguous(),
            *ctx.saved_tensors,
            of_products,
            of_highway,
            of_weight,
            of_bias,
            *ctx.numbers,
            num_warps=1,
        )
        return (
            of_products,
            of_highway if ctx.has_highway else None,
            None,
            of_weight.sum(dim=0),
            of_bias.sum(dim=0),
            None,
        )
