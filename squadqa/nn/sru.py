"""Simple recurrent units, whose steps multiply no matrix.

Reference: Lei, Zhang, Wang, Dai and Artzi, 2018, Simple Recurrent Units for Highly Parallelizable
Recurrence (arXiv 1709.02755), section 3; the equations stand in `squadqa.nn.kernels.sru`.

Letters: B batch, L length, D width of the input, H width of a direction.
"""

import math

import torch
from torch import Tensor, nn

from squadqa.nn.kernels.products import linear
from squadqa.nn.kernels.sru import sru

SCALE = math.sqrt(3)
"""alpha, which keeps the variance of the outputs that of the inputs: sqrt(1 + 2 exp(b_r)), with
b_r = 0."""


class SRU(nn.Module):
    """The weights of one of two directions.

    They are drawn as in the paper: products with x have the variance of x, but those of the gates
    half of it, and `v * c` the other half, as in the authors' code; W_h x has the variance of
    alpha x.

    Args:
        input_size: D.
        hidden_size: H. An input of width 2H is carried to the output as it is, one half by each
            direction; of any other width, through W_h.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        variances = [1.0, 0.5, 0.5]  # of W x, W_f x, W_r x
        if input_size != 2 * hidden_size:
            variances.append(SCALE**2)  # of W_h x
        self.weight = nn.Parameter(torch.empty(len(variances) * hidden_size, input_size))
        self.state_weight = nn.Parameter(torch.empty(2, hidden_size))  # v_f, v_r
        self.bias = nn.Parameter(torch.zeros(2, hidden_size))  # b_f, b_r
        for part, variance in zip(self.weight.chunk(len(variances)), variances, strict=True):
            _draw(part, variance / input_size)
        _draw(self.state_weight, 0.5)


def _draw(weight: Tensor, variance: float) -> None:
    bound = math.sqrt(3 * variance)  # of even odds with that variance
    nn.init.uniform_(weight.detach(), -bound, bound)


def read_both_directions(forwards: SRU, backwards: SRU, sequence: Tensor, mask: Tensor) -> Tensor:
    """Encode padded sequences in both directions.

    Args:
        forwards: Weights of the forward direction.
        backwards: Weights of the backward direction.
        sequence: (B, L, D).
        mask: (B, L) bool, True on a token.

    Returns:
        (B, L, 2H), which lies in memory as (L, B, 2H); what stands on padding means nothing.
    """
    batch, length = mask.shape
    steps = sequence.transpose(0, 1).contiguous()  # (L, B, D)
    weight = torch.cat([forwards.weight, backwards.weight])  # (2MH, D)
    # Rows are multiplied alike in whatever shape; with B first most products are fast.
    products = linear(steps.view(batch, length, -1), weight).reshape(
        length, batch, 2, -1, forwards.hidden_size
    )  # (L, B, 2, M, H)
    carries = products.shape[3] == 3
    outputs = sru(
        products,
        steps.unflatten(2, (2, -1)) if carries else None,
        mask,
        torch.stack([forwards.state_weight, backwards.state_weight]),  # (2, 2, H)
        torch.stack([forwards.bias, backwards.bias]),  # (2, 2, H)
        scale=SCALE,
    )
    return outputs.flatten(2).transpose(0, 1)
