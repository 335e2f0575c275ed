"""Learning-rate schedules over the optimiser steps of a whole training."""

import math
from typing import Literal

Decay = Literal["none", "linear", "cosine"]

FLOOR = 0.01
"""Share of the learning rate that a decay ends at."""


def learning_rate_factor(step: int, *, total_steps: int, warmup_steps: int, decay: Decay) -> float:
    """Give the share of the learning rate that a step trains with.

    Args:
        step: Optimiser steps done.
        total_steps: Steps of the whole training.
        warmup_steps: Steps over which the rate rises from zero.
        decay: How the rate falls, from the end of the warm-up to the end of training.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if decay == "none":
        return 1.0
    done = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
    falling = 1 - done if decay == "linear" else (1 + math.cos(math.pi * done)) / 2
    return FLOOR + (1 - FLOOR) * falling
