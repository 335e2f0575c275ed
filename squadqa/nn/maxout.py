"""Maxout layers. Letters: B batch, L length, D width of the input, H units, P pieces of a unit."""

import torch
from torch import Tensor, nn

from squadqa.nn.kernels.available import has_fast_bfloat16
from squadqa.nn.kernels.maxout import maxout, maxout_product


class Maxout(nn.Module):
    """Units that are each the largest of several linear pieces: max over p of (W_p x + b_p).

    Reference: Goodfellow et al., 2013, Maxout Networks (arXiv 1302.4389), section 3.

    Args:
        input_size: D.
        output_size: H.
        pool_size: P, at most 256.
        bfloat16: Compute pieces in bfloat16 in training, where the processor is fast at it.
    """

    def __init__(
        self, input_size: int, output_size: int, *, pool_size: int, bfloat16: bool = False
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.in_bfloat16 = bfloat16
        self.pieces = nn.Linear(input_size, pool_size * output_size)

    def product(self, sequence: Tensor) -> Tensor:
        """Compute W x of (B, L, D), for calls that differ in their shift alone: (B, L, P * H).

        It has no gradient: what `forward` returns has.
        """
        return maxout_product(sequence, self.pieces.weight, precision=self._precision())

    def forward(
        self,
        sequence: Tensor,
        *,
        shift: Tensor | None = None,
        product: Tensor | None = None,
        rows: Tensor | None = None,
    ) -> Tensor:
        """Compute the largest pieces.

        Args:
            sequence: (B, L, D).
            shift: (B, P * H) what to add to every step's pieces; None adds nothing.
            product: (B', L, P * H) from `product`; None computes it in parts, without keeping it.
            rows: (B,) which of B' sequences of `product` each one is; None if they are the same.

        Returns:
            (B, L, H).
        """
        weight, bias = self.pieces.weight, self.pieces.bias
        shape = sequence.shape[:2]
        if shift is None and product is None:  # all steps are alike: one sequence
            sequence, shift = sequence.flatten(0, 1)[None], bias[None]
        else:
            shift = bias.expand(sequence.shape[0], -1) if shift is None else shift + bias
        largest = maxout(
            sequence,
            weight,
            shift,
            units=self.output_size,
            precision=self._precision(),
            product=product,
            rows=rows,
        )
        return largest.view(*shape, -1)

    def _precision(self) -> torch.dtype:
        weight = self.pieces.weight
        if self.training and self.in_bfloat16 and has_fast_bfloat16(weight.device):
            return torch.bfloat16
        return weight.dtype
