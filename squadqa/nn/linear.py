"""Products with a weight at the speed a CPU has. Letters: B batch, L length, D width."""

import torch.nn.functional as F
from torch import Tensor

SMALLEST_BATCH = 16
"""Sequences from which on torch convolves with oneDNN, whatever the number of threads."""


def linear(sequence: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply each step with a weight, as `torch.nn.functional.linear` does, but faster on a CPU.

    torch has matrices multiplied by MKL, which on processors that are not Intel's stops at half
    their speed, and convolutions by oneDNN, which does not: so this is a convolution of width 1
    over an image of one row, its features last as they lie in memory.

    Args:
        sequence: (B, L, D).
        weight: (D', D).
        bias: (D',).

    Returns:
        (B, L, D').
    """
    if sequence.is_cuda or len(sequence) < SMALLEST_BATCH:
        return F.linear(sequence, weight, bias)
    image = sequence.transpose(1, 2)[:, :, None]  # (B, D, 1, L)
    product = F.conv2d(image, weight[:, :, None, None]).squeeze(2).transpose(1, 2)  # (B, L, D')
    # A convolution's own gradient of its bias takes longer than all else.
    return product if bias is None else product + bias
