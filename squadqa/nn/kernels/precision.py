"""Fast forms in mixed precision."""

from typing import TypeVar

import torch

from squadqa.nn.kernels.available import FAST_DEVICES

Function = TypeVar("Function", bound=type[torch.autograd.Function])


def computes_in_float32(function: Function) -> Function:
    """Let an autograd function compute in float32 where mixed precision is on.

    Its products of matrices, if any, then stay in float32 too; those that are worth less precision
    stand outside of it.

    Args:
        function: The function; it is changed.
    """
    for device in FAST_DEVICES:
        forward = torch.amp.custom_fwd(
            function.forward, device_type=device, cast_inputs=torch.float32
        )
        function.forward = staticmethod(forward)  # type: ignore[method-assign]
        backward = torch.amp.custom_bwd(function.backward, device_type=device)
        function.backward = staticmethod(backward)  # type: ignore[method-assign]
    return function
