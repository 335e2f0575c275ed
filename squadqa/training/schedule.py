"""Learning-rate schedules: over the steps or time of a training, or by its scores."""

import math
from typing import Any, Literal

from squadqa.errors import ConfigError

Decay = Literal["none", "linear", "cosine", "plateau"]

FLOOR = 0.01
"""Share of the learning rate at the end of a decay over steps."""


def learning_rate_factor(
    step: int, *, total_steps: float, warmup_steps: int, decay: Decay, budget_spent: float = 0.0
) -> float:
    """Return the share of the learning rate in a step.

    Args:
        step: Optimiser steps done.
        total_steps: Steps of the whole training; infinite if only its time is limited.
        warmup_steps: Steps during which the rate rises from zero.
        decay: How the rate falls from the end of the warm-up to the end of training; with "plateau"
            only `Plateau` lowers it.
        budget_spent: Share of the training's time that is over, if time is limited. The decay
            follows steps or time, whichever is further.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if decay in ("none", "plateau"):
        return 1.0
    done = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
    done = max(done, budget_spent)
    falling = 1 - done if decay == "linear" else (1 + math.cos(math.pi * done)) / 2
    return FLOOR + (1 - FLOOR) * falling


class Plateau:
    """Cuts the learning rate whenever several evaluations in a row bring no better score.

    PyTorch's `ReduceLROnPlateau` does the same, but sets the rate itself, which excludes a warm-up,
    and Lightning calls it after the epoch's last checkpoint.

    Args:
        factor: A cut multiplies the rate by this, between 0 and 1.
        patience: Number of evaluations in a row without a better score before a cut.

    Raises:
        ConfigError: A value is out of its range.
    """

    def __init__(self, *, factor: float, patience: int) -> None:
        if not 0 < factor < 1:
            raise ConfigError(
                f"model.plateau_factor cannot be {factor}",
                hint="It is between 0 and 1: 0.1 cuts the learning rate to a tenth.",
            )
        if patience < 1:
            raise ConfigError(
                f"model.plateau_patience cannot be {patience}", hint="It is 1 or more."
            )
        self.factor = factor
        self.patience = patience
        self.share = 1.0  # remaining share of the learning rate
        self.best = -math.inf
        self.waited = 0  # evaluations since the best one, or since the last cut

    def update(self, score: float) -> None:
        """Record an evaluation, and cut the rate if it is due.

        Args:
            score: Its score, higher is better.
        """
        if score > self.best:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited == self.patience:
            self.share, self.waited = self.share * self.factor, 0

    def state_dict(self) -> dict[str, Any]:
        """Return the record of evaluations so far, as plain values."""
        return {"share": self.share, "best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.share, self.best, self.waited = state["share"], state["best"], state["waited"]
