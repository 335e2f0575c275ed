"""A callback that writes down when each training step ended; `rates.py` gives it to a training."""

import json
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


class StepTimes(pl.Callback):
    """Writes the steps' times when a training ends.

    Args:
        file: JSON file to write: a list of [seconds, CPU seconds, questions], one for each batch.
            Only differences of the seconds mean anything.
    """

    def __init__(self, file: str) -> None:
        self.file = Path(file)
        self._ends: list[tuple[float, float, int]] = []

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, _: int
    ) -> None:
        """Note the time (called by Lightning)."""
        self._ends.append((time.perf_counter(), time.process_time(), len(batch)))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the file (called by Lightning)."""
        self.file.write_text(json.dumps(self._ends), encoding="utf-8")
