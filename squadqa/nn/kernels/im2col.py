"""A convolution over rows, each with its neighbours, as one matrix product.

The receptive fields are copied into columns X (R, KD), and with the kernel W (F, KD)

    Y = X W^T + b

Reference: Chellapilla, Puri and Simard, 2006, High Performance Convolutional Neural Networks for
Document Processing.

Letters: R rows, K width of the kernel, D width of a row, F filters.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from squadqa.nn.kernels import available
from squadqa.nn.kernels.products import product


def _columns(rows: Tensor, windows: Tensor) -> Tensor:
    """Copy (R, D) rows into the windows (R, K) that they stand in, giving (R, KD)."""
    # The last row is for what stands outside of words.
    return F.embedding(windows, F.pad(rows, (0, 0, 0, 1))).flatten(1)


def convolve_windows_plain(
    rows: Tensor, weight: Tensor, bias: Tensor | None, windows: Tensor
) -> Tensor:
    """Let autograd derive the gradients; shapes as in `convolve_windows`."""
    return F.linear(_columns(rows, windows), weight.transpose(1, 2).flatten(1), bias)


class Im2Col(torch.autograd.Function):
    """The same, with its gradients written out.

    dW = dY^T X, db = dY^T 1 and dX = dY W; a row's gradient is the sum of what its up to K copies
    in X get. Copy k of row r stands in the window around row r + K // 2 - k: so each row gathers
    its sum from the windows around it, where autograd would add it up from scattered places.
    """

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None, windows: Tensor
    ) -> Tensor:
        columns = _columns(rows, windows)  # (R, KD)
        kernel = weight.transpose(1, 2).flatten(1)  # (F, KD)
        ctx.save_for_backward(columns, kernel, windows)
        convolved = product(columns, kernel)  # (R, F)
        return convolved if bias is None else convolved.add_(bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        columns, kernel, windows = ctx.saved_tensors
        width = windows.shape[1]
        needs_rows, needs_weight, needs_bias, _ = ctx.needs_input_grad
        of_rows = of_weight = of_bias = None
        if needs_rows:
            of_columns = product(F.pad(gradient, (0, 0, 0, 1)), kernel.T)  # (R + 1, KD), 0 outside
            copies = windows * width + torch.arange(width - 1, -1, -1, device=windows.device)
            of_copies = of_columns.view(len(of_columns) * width, -1)  # ((R + 1)K, D)
            of_rows = F.embedding_bag(copies, of_copies, mode="sum")  # (R, D)
        if needs_weight:
            of_weight = (gradient.T @ columns).view(len(kernel), width, -1).transpose(1, 2)
        if needs_bias:
            of_bias = gradient.sum(dim=0)
        return of_rows, of_weight, of_bias, None


def convolve_windows(rows: Tensor, weight: Tensor, bias: Tensor | None, windows: Tensor) -> Tensor:
    """Convolve rows.

    Args:
        rows: (R, D).
        weight: (F, D, K).
        bias: (F,).
        windows: (R, K) int64, the rows around each row, R where there is none: row r has row
            r + k - K // 2 or none in place k.

    Returns:
        (R, F).
    """
    if not available.supports_fast_form(rows):
        return convolve_windows_plain(rows, weight, bias, windows)
    if torch.is_autocast_enabled(rows.device.type):
        kind = torch.get_autocast_dtype(rows.device.type)
        rows, weight, bias = rows.to(kind), weight.to(kind), bias if bias is None else bias.to(kind)
    convolved: Tensor = Im2Col.apply(rows, weight, bias, windows)
    return convolved
