"""A training that ends when it has reached a score, and how long that took."""

import time
from typing import Any

import pytorch_lightning as pl


class UntilF1(pl.Callback):
    """Ends a training after the first evaluation that reaches an F1.

    The time is that of a user who waits: from the first step, evaluations and checkpoints included,
    over all sessions. Time between sessions, and what a killed session did after its last
    checkpoint, does not count.

    Args:
        f1: The F1 to reach, in percent.
    """

    def __init__(self, f1: float) -> None:
        self.f1 = f1
        self.reached_after: float | None = None
        self._seconds = 0.0  # of earlier sessions
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the first step, over all sessions."""
        return self._seconds + (0.0 if self._since is None else time.perf_counter() - self._since)

    def state_dict(self) -> dict[str, Any]:
        """Return the times (called by Lightning)."""
        return {"seconds": self.seconds, "reached_after": self.reached_after}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the times (called by Lightning)."""
        self._seconds, self._since = state_dict["seconds"], None
        self.reached_after = state_dict["reached_after"]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Train no further if an earlier session reached the score (called by Lightning)."""
        trainer.should_stop = trainer.should_stop or self.reached_after is not None

    def on_train_batch_start(self, *_: Any) -> None:
        """Start the clock with the first step of the session (called by Lightning)."""
        if self._since is None:
            self._since = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop if the evaluation reached the score (called by Lightning)."""
        if trainer.sanity_checking or trainer.state.fn != "fit" or self.reached_after is not None:
            return
        if float(trainer.callback_metrics["val/f1"]) >= self.f1:
            self.reached_after = self.seconds
            trainer.should_stop = True
