"""Learning-rate schedules: over the optimiser steps of a whole training, or by what they bring."""

import math
from typing import Any, Literal

from squadqa.errors import ConfigError

Decay = Literal["none", "linear", "cosine", "plateau"]

FLOOR = 0.01
"""Share of the learning rate that a decay over steps ends at."""


def learning_rate_factor(
    step: int, *, total_steps: float, warmup_steps: int, decay: Decay, budget_spent: float = 0.0
) -> float:
    """Give the share of the learning rate that a step trains with.

    Args:
        step: Optimiser steps done.
        total_steps: Steps of the whole training, infinite where only its time is limited.
        warmup_steps: Steps over which the rate rises from zero.
        decay: How the rate falls, from the end of the warm-up to the end of training; "plateau"
            leaves that to `Plateau`.
        budget_spent: Share of the training's time that is over, where that is limited; the rate
            has fallen as far as steps or time tell, whichever ends first.
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
    """Cuts the learning rate each time that evaluations in a row bring nothing better.

    PyTorch's `ReduceLROnPlateau` does the same, but sets the rate itself, so that no warm-up can
    stand beside it, and Lightning steps it behind the epoch's last checkpoint.

    Args:
        factor: Share of the rate that a cut leaves, between 0 and 1.
        patience: Evaluations in a row without a better score that a cut waits for.

    Raises:
        ConfigError: One of them is out of its range.
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
        self.share = 1.0  # of the learning rate, that is left
        self.best = -math.inf
        self.waited = 0  # evaluations since the best, or since the last cut

    def update(self, score: float) -> None:
        """Take note of an evaluation.

        Args:
            score: What it came to, the higher the better.
        """
        if score > self.best:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited == self.patience:
            self.share, self.waited = self.share * self.factor, 0

    def state_dict(self) -> dict[str, Any]:
        """Give what the evaluations came to so far, as plain values."""
        return {"share": self.share, "best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self.share, self.best, self.waited = state["share"], state["best"], state["waited"]
