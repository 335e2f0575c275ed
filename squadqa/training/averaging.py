"""A moving average of a model's weights, for evaluation.

Reference: Polyak and Juditsky, 1992, Acceleration of Stochastic Approximation by Averaging; as an
exponential average with decay 0.999 in Seo et al., 2017 (BiDAF), section 4.1.
"""

from copy import deepcopy

import torch
from torch import nn

from squadqa.errors import ConfigError


class WeightAverage(nn.Module):
    """The exponential moving average of a model's weights, and of its running statistics.

    Early in training the average follows faster: after n steps the decay is at most (1 + n) / (10 +
    n), so that the random initial weights are soon forgotten. The caller counts the steps:
    PyTorch's `AveragedModel` keeps the count on the device and has to wait for it in each step.

    Args:
        model: The model; the average begins as a copy of it.
        decay: Share of the average that remains after a step, between 0 and 1.

    Raises:
        ConfigError: The decay is out of its range.
    """

    def __init__(self, model: nn.Module, *, decay: float) -> None:
        super().__init__()
        if not 0 < decay < 1:
            raise ConfigError(
                f"model.ema_decay cannot be {decay}",
                hint="It is between 0 and 1; papers use 0.999.",
            )
        self.decay = decay
        self.model = deepcopy(model).requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module, *, steps: int) -> None:
        """Move the average towards the weights.

        Args:
            model: The model that is trained.
            steps: Optimiser steps done, including the last one.
        """
        decay = min(self.decay, (1 + steps) / (10 + steps))
        for average, current in self._pairs(model):
            if average.is_floating_point():
                average.lerp_(current, 1 - decay)
            else:  # a count
                average.copy_(current)

    @torch.no_grad()
    def reset(self, model: nn.Module) -> None:
        """Start again as a copy of the model."""
        for average, current in self._pairs(model):
            average.copy_(current)

    def _pairs(self, model: nn.Module) -> list[tuple[torch.Tensor, torch.Tensor]]:
        return [
            *zip(self.model.parameters(), model.parameters(), strict=True),
            *zip(self.model.buffers(), model.buffers(), strict=True),
        ]
