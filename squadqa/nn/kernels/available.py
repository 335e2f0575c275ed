"""Which of the operators that torch does not promise to keep are there.

Some fast forms call operators without a public name, which another version of torch may lack. That
must not stop anybody: a kernel names the operators that it needs, each is looked for once, and
where one is missing the kernel's plain form computes the same.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

FAST_DEVICES = ("cpu", "cuda")
"""Types of the devices that the fast forms are written and checked for."""

CPU_BFLOAT16_CHECKS = ("torch.cpu._is_avx512_bf16_supported", "torch.cpu._is_amx_tile_supported")
"""Functions that tell whether the processor has instructions for bfloat16."""


@cache
def _find(name: str) -> Any:
    found: Any = torch
    for part in name.split(".")[1:]:
        found = getattr(found, part, None)
    return found


def has(name: str) -> bool:
    """Tell whether torch has what a dotted name says, such as "torch.ops.aten.sigmoid_backward"."""
    return _find(name) is not None


def supports_fast_form(tensor: Tensor, *, operators: Sequence[str] = ()) -> bool:
    """Tell whether a kernel's fast form can compute on a tensor's device with this torch.

    No fast form can be written as ONNX.

    Args:
        tensor: Any of the kernel's inputs.
        operators: Dotted names of the operators that the fast form needs and torch may lack.
    """
    on_device = tensor.device.type in FAST_DEVICES and not is_exporting()
    return on_device and all(map(has, operators))


def is_exporting() -> bool:
    """Tell whether a model is being written as ONNX, which knows torch's plain operators alone."""
    return torch.onnx.is_in_onnx_export()


def exportable(loop: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Compile a plain form's loop over steps while a model is being written as ONNX.

    Otherwise the model would have the steps of one example, one after the other, and read no text
    of another length.

    Args:
        loop: A function of tensors with type hints, in the part of Python that torch compiles.

    Returns:
        The loop, compiled or as it is.
    """
    return _compiled(loop) if is_exporting() else loop


@cache
def _compiled(loop: Callable[..., Tensor]) -> Callable[..., Tensor]:
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        # There is no other way to keep a loop in what `torch.onnx.export` traces.
        compiled: Callable[..., Tensor] = torch.jit.script(loop)
    return compiled


@cache
def has_triton() -> bool:
    """Tell whether Triton is there, in which the kernels for GPUs are written."""
    return find_spec("triton") is not None


def has_fast_bfloat16(device: torch.device) -> bool:
    """Tell whether a device multiplies matrices of bfloat16 faster than those of float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    checks = [_find(name) for name in CPU_BFLOAT16_CHECKS if has(name)]
    return device.type == "cpu" and any(check() for check in checks)
