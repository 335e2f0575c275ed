from typing import Any

import pytest
import torch
from torch import Tensor

from squadqa.nn.kernels import additive_scores, gated_attention, gru, match_lstm, sru
from squadqa.nn.kernels.precision import computes_in_float32


@computes_in_float32
class Square(torch.autograd.Function):
    """Squares, and notes in which precision."""

    seen: list[torch.dtype] = []

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        Square.seen.append((x @ x).dtype)
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        Square.seen.append((x @ x).dtype)
        return 2 * x * gradients[0]


def test_in_mixed_precision_values_and_gradients_are_of_float32() -> None:
    x = torch.full((2, 2), 3.0, dtype=torch.bfloat16, requires_grad=True)
    Square.seen.clear()
    with torch.autocast("cpu", torch.bfloat16):
        squared = Square.apply(x)
        (gradient,) = torch.autograd.grad(squared.sum(), x)
    assert Square.seen == [torch.float32, torch.float32]
    assert (squared.dtype, gradient.dtype) == (torch.float32, torch.bfloat16)
    assert gradient.eq(6).all()


def test_otherwise_the_precision_stays() -> None:
    x = torch.ones(2, 2, dtype=torch.float64, requires_grad=True)
    assert Square.apply(x).dtype == torch.float64


@pytest.mark.parametrize(
    "function",
    [
        additive_scores.AdditiveScores,
        gated_attention.GatedAttentionStates,
        gru.GRUStates,
        match_lstm.MatchStates,
        sru.SRUOutputs,
    ],
)
def test_every_recurrent_kernel_does_so(function: type[torch.autograd.Function]) -> None:
    assert function.forward.__wrapped__.__wrapped__
