"""A model's losses and gradients on a device, compared with those on the CPU."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from squadqa.nn.dropout import SequenceDropout

LOSSES, GRADIENTS = 2e-5, 2e-4
"""Largest difference of float32 results, relative and absolute: sums are in another order."""


def without_dropout(model: nn.Module) -> nn.Module:
    """The model as in training, but for dropout; cuDNN's RNNs have gradients in training only."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, SequenceDropout):
            module.probability = 0.0
    return model.train()


def results(model: nn.Module, loss: Callable[[nn.Module], Tensor]) -> dict[str, Tensor]:
    """The losses, and the gradients of their sum by the parameters' names, on the CPU."""
    model.zero_grad()
    losses = loss(model)
    losses.sum().backward()
    gradients = {
        name: weight.grad.cpu()
        for name, weight in model.named_parameters()
        if weight.grad is not None
    }
    return {"losses": losses.detach().cpu(), **gradients}


def assert_same_on(
    device: torch.device, model: nn.Module, inputs: Any, loss: Callable[[nn.Module, Any], Tensor]
) -> None:
    """Check that a device gives the losses and gradients that the CPU gives.

    Args:
        device: The device.
        model: The model, on the CPU.
        inputs: A tensor or a batch, which has `to`.
        loss: Computes the losses of the inputs; they must not be all the same.
    """
    model = without_dropout(model)
    expected = results(model, lambda own: loss(own, inputs))
    assert expected["losses"].std() > 0
    there = deepcopy(model).to(device)
    found = results(there, lambda own: loss(own, inputs.to(device)))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        tolerance = LOSSES if name == "losses" else GRADIENTS * max(1.0, float(value.abs().max()))
        torch.testing.assert_close(
            found[name],
            value,
            rtol=tolerance,
            atol=tolerance,
            msg=lambda text, name=name: f"{name}: {text}",
        )
