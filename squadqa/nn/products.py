"""Products of matrices without a gradient, at the speed a CPU has: for steps that have their own.

On a CPU torch has matrices of float32 multiplied by MKL, which on processors that are not Intel's
stops at half their speed, but carries oneDNN, which does not: its products of matrices have no
public name in torch, so they are used where torch has them. All else is torch's own product.

Letters: N rows, D and E widths.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def has_fast_bfloat16(device: torch.device) -> bool:
    """Tell whether a device multiplies matrices of bfloat16 faster than those of float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def _are_for_onednn(*matrices: Tensor) -> bool:
    precisions = {matrix.dtype for matrix in matrices}
    on_cpu = all(matrix.device.type == "cpu" for matrix in matrices)
    known = precisions == {torch.float32} or (
        precisions == {torch.bfloat16} and has_fast_bfloat16(matrices[0].device)
    )
    return torch.backends.mkldnn.is_available() and on_cpu and known


def _by_onednn(inputs: Tensor, weight: Tensor) -> Tensor:
    product: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, None, "none", [], "")
    return product


def product(left: Tensor, right: Tensor) -> Tensor:
    """Multiply (N, D) with the transpose of (E, D), giving (N, E)."""
    return _by_onednn(left, right) if _are_for_onednn(left, right) else left @ right.t()


def accumulator(weight: Tensor, *, rows: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Make what adds the products of many inputs with one weight.

    Args:
        weight: (E, D), laid out once for all of them.
        rows: N, of each of the inputs.

    Returns:
        A function of sums (N, E) and inputs (N, D): it adds the inputs' product with the weight's
        transpose to the sums, in their place, and gives them.
    """
    if not _are_for_onednn(weight):
        transposed = weight.t()
        return lambda sums, inputs: sums.addmm_(inputs, transposed)
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)
    return lambda sums, inputs: sums.add_(_by_onednn(inputs, packed))
