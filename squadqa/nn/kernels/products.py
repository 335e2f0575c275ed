"""Products of matrices at the speed that a CPU has.

On a CPU torch multiplies matrices of float32 by MKL, which on processors that are not Intel's stops
at half their speed. It carries oneDNN too, which does not, and there are two ways to reach it. Both
are here, as neither can do the work of the other:

- `linear` needs a gradient. It asks for a convolution of width 1, whose gradient is oneDNN's own.
  Put together from `product`, it rounded otherwise and mostly took longer, up to 1.4 times.
- `product` and `accumulator` are for fast forms that write their gradients out, of single matrices
  and single steps. On one thread torch has oneDNN compute a convolution of a large batch alone, and
  it lays the weight out anew each time, so these use operators without a public name.

Letters: B batch, L length, N rows, D and E widths.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from squadqa.nn.kernels import available

SMALLEST_BATCH = 16
"""Sequences from which on torch convolves with oneDNN, whatever the number of threads."""

PRODUCT = "torch.ops.mkldnn._linear_pointwise"
"""Multiplies by oneDNN."""

LAYOUT = "torch.ops.mkldnn._reorder_linear_weight"
"""Lays a weight out for it."""


def linear(sequence: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply each step with a weight, as `torch.nn.functional.linear` does.

    The fast form is a convolution over an image of one row, whose features come last as they lie
    in memory. In mixed precision torch's own function goes by oneDNN and is up to a quarter faster.

    Args:
        sequence: (B, L, D).
        weight: (E, D).
        bias: (E,).

    Returns:
        (B, L, E).
    """
    is_plain = available.is_exporting() or torch.is_autocast_enabled("cpu")
    if sequence.device.type != "cpu" or is_plain or len(sequence) < SMALLEST_BATCH:
        return F.linear(sequence, weight, bias)
    image = sequence.transpose(1, 2)[:, :, None]  # (B, D, 1, L)
    multiplied = F.conv2d(image, weight[:, :, None, None]).squeeze(2).transpose(1, 2)  # (B, L, E)
    # A convolution's own gradient of its bias takes longer than all else.
    return multiplied if bias is None else multiplied + bias


def _suit_onednn(*matrices: Tensor) -> bool:
    precisions = {matrix.dtype for matrix in matrices}
    on_cpu = all(matrix.device.type == "cpu" for matrix in matrices)
    known = precisions == {torch.float32} or (
        precisions == {torch.bfloat16} and available.has_fast_bfloat16(matrices[0].device)
    )
    is_there = torch.backends.mkldnn.is_available() and available.has(PRODUCT)
    return is_there and on_cpu and known and not available.is_exporting()


def _multiply_by_onednn(inputs: Tensor, weight: Tensor) -> Tensor:
    multiplied: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, None, "none", [], "")
    return multiplied


def product(left: Tensor, right: Tensor) -> Tensor:
    """Multiply (N, D) with the transpose of (E, D), giving (N, E); without a gradient."""
    if _suit_onednn(left, right):
        return _multiply_by_onednn(left, right)
    return left @ right.t()


def accumulator(weight: Tensor, *, rows: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Make a function that adds the products of many inputs with one weight; without a gradient.

    Args:
        weight: (E, D), laid out once for all of them.
        rows: N, of each of the inputs.

    Returns:
        A function of sums (N, E) and inputs (N, D). It adds the inputs' product with the weight's
        transpose to the sums, in their place, and returns the sums.
    """
    if not (_suit_onednn(weight) and available.has(LAYOUT)):
        transposed = weight.t()
        return lambda sums, inputs: sums.addmm_(inputs, transposed)
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)
    return lambda sums, inputs: sums.add_(_multiply_by_onednn(inputs, packed))
