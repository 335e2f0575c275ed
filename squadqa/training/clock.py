"""The clock of a training: how long it has taken, and when its time is up."""

import math
import time
from typing import Any

import pytorch_lightning as pl
import torch


class TrainingClock(pl.Callback):
    """Counts seconds and questions of training over all sessions, without evaluation.

    Args:
        budget_minutes: Training stops after this time; None: never.
    """

    def __init__(self, *, budget_minutes: float | None = None) -> None:
        self.budget_minutes = budget_minutes
        self.seconds = 0.0
        self.questions = 0
        self._recent: list[tuple[float, int]] = []
        self._since = 0.0

    @property
    def seconds_left(self) -> float:
        """Seconds of the budget that are left; infinite without a budget."""
        if self.budget_minutes is None:
            return math.inf
        return max(0.0, 60 * self.budget_minutes - self.seconds)

    @property
    def budget_spent(self) -> float:
        """Share of the budget that is spent, 0 to 1; 0 without a budget."""
        if self.budget_minutes is None:
            return 0.0
        return min(1.0, self.seconds / (60 * self.budget_minutes))

    @property
    def questions_per_second(self) -> float:
        """Questions per second over the whole training."""
        return self.questions / self.seconds if self.seconds else 0.0

    @property
    def recent_questions_per_second(self) -> float:
        """Questions per second over the last batches."""
        seconds = sum(took for took, _ in self._recent)
        return sum(questions for _, questions in self._recent) / seconds if seconds else 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return the counts (called by Lightning)."""
        return {"seconds": self.seconds, "questions": self.questions}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the counts (called by Lightning)."""
        self.seconds, self.questions = state_dict["seconds"], state_dict["questions"]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop a resumed training that has spent its budget (called by Lightning)."""
        trainer.should_stop = trainer.should_stop or self.budget_spent == 1

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock (called by Lightning)."""
        self._since = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock again (called by Lightning)."""
        self._since = time.perf_counter()

    def on_train_batch_start(self, *_: Any) -> None:
        """Start the clock if a resumed epoch did not (called by Lightning)."""
        self._since = self._since or time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, _: int
    ) -> None:
        """Count a batch; stop if the budget is spent (called by Lightning)."""
        now = time.perf_counter()
        took, questions = now - self._since, len(batch) * trainer.world_size
        if self.budget_minutes is not None:  # all processes must stop after the same batch
            took = trainer.strategy.broadcast(took)
        self._since = now
        self.seconds += took
        self.questions += questions
        self._recent = [*self._recent[-49:], (took, questions)]
        # As a tensor: Lightning copies a number to the device, and the step waits for the copy.
        rate = torch.tensor(self.recent_questions_per_second)
        pl_module.log("train/questions_per_second", rate, rank_zero_only=True)
        trainer.should_stop = trainer.should_stop or self.budget_spent == 1
