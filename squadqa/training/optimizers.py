"""Fused optimisers where the device has them.

A fused optimiser updates all weights in one kernel. Torch has these kernels for some optimisers and
some devices only: that of Adagrad, say, was for CPUs alone for years. A configuration asks for one
(`fused: true`), and gets the ordinary form, with the same results, where there is none.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import nn


@cache
def has_fused_form(kind: type[torch.optim.Optimizer], device: torch.device) -> bool:
    """Tell whether torch has the fused form of an optimiser on a device, by one step of it.

    Args:
        kind: The optimiser's class.
        device: The device of the weights.
    """
    weight = nn.Parameter(torch.zeros(1, device=device))
    weight.grad = torch.zeros_like(weight)
    try:
        kind([weight], fused=True).step()  # type: ignore[call-arg]
    except (RuntimeError, NotImplementedError, TypeError):
        return False
    return True


def asked_for_fused(optimizer: torch.optim.Optimizer) -> list[bool]:
    """Tell for each group of parameters whether its configuration asks for the fused form."""
    return [bool(group.get("fused")) for group in optimizer.param_groups]


def fit_to_device(optimizer: torch.optim.Optimizer, asked: Sequence[bool]) -> None:
    """Use the fused form where it was asked for and exists, and the ordinary form elsewhere.

    A checkpoint says which form the training had where it was saved, so this has to be called
    after an optimiser's state was loaded, too.

    Args:
        optimizer: The optimiser.
        asked: For each group of parameters, whether its configuration asks for the fused form.
    """
    kind: Any = type(optimizer)
    is_any_fused = False
    for group, wanted in zip(optimizer.param_groups, asked, strict=True):
        if "fused" not in group:
            continue
        devices = {weight.device for weight in group["params"]}
        is_fused = wanted and all(has_fused_form(kind, device) for device in devices)
        if not (wanted or group["fused"]):
            continue
        group["fused"] = is_fused or None
        is_any_fused |= is_fused
        for weight in group["params"]:
            count = optimizer.state.get(weight, {}).get("step")
            if isinstance(count, torch.Tensor) and not group.get("capturable"):
                # The fused kernel counts steps on the device, the ordinary form on the CPU.
                home = weight.device if is_fused else torch.device("cpu")
                optimizer.state[weight]["step"] = count.to(home)
    if any(asked):
        # Torch looks at these once, when it makes an optimiser.
        optimizer._step_supports_amp_scaling = is_any_fused  # type: ignore[attr-defined]
        optimizer._need_device_dtype_check_for_fused = is_any_fused  # type: ignore[attr-defined]
