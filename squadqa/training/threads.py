"""The number of threads that a training on a CPU computes with."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

INTERVAL = 2.0
"""Seconds over which the load is measured."""

STAT = Path("/proc/stat")
"""Where Linux counts the time of every core."""


@dataclass(frozen=True)
class Load:
    """What the cores that this process may use have done so far.

    Args:
        clock: Seconds of the clock.
        busy: Seconds that these cores have worked, all together.
        own: Seconds of these that this process used.
    """

    clock: float
    busy: float
    own: float

    @classmethod
    def now(cls) -> Load | None:
        """Read the counters; None where the system has none."""
        try:
            cores = {f"cpu{number}" for number in os.sched_getaffinity(0)}
            lines = STAT.read_text(encoding="ascii").splitlines()
        except (AttributeError, OSError):  # outside Linux
            return None
        ticks = 0
        for name, user, nice, system, *_ in (line.split() for line in lines if line[:3] == "cpu"):
            ticks += (int(user) + int(nice) + int(system)) * (name in cores)
        return cls(time.perf_counter(), ticks / os.sysconf("SC_CLK_TCK"), time.process_time())

    def cores_of_others(self, since: Load) -> float:
        """Return how many cores other programs have used on average since an earlier reading."""
        used = (self.busy - since.busy) - (self.own - since.own)
        return max(0.0, used / (self.clock - since.clock))


class SharedCores(pl.Callback):
    """Leaves cores to other programs that use them while a model trains on a CPU.

    The threads of an operation wait for each other. If another program uses one of two cores, one
    thread alone is faster than two of which one is always late. The load is measured every few
    seconds, so the number grows again when the other program ends.

    Sums depend in their last bits on the number of threads: trainings are equal bit by bit only
    where the number is given, or one from the start. Outside Linux the number is never changed.

    Args:
        threads: Number of threads, whatever the load; None chooses by the load.
    """

    def __init__(self, *, threads: int | None = None) -> None:
        self.threads = threads
        self._most = 1
        self._before: Load | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Set the number that is given, or begin to measure the load (called by Lightning)."""
        self._most = torch.get_num_threads()
        alone = trainer.strategy.root_device.type == "cpu" and trainer.world_size == 1
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        elif alone and self._most > 1:
            self._before = Load.now()

    def on_train_batch_start(self, *_: Any) -> None:
        """Choose the number anew from time to time (called by Lightning)."""
        before = self._before
        if before is None or time.perf_counter() - before.clock < INTERVAL:
            return
        self._before = now = Load.now()
        if now is not None:
            taken = round(now.cores_of_others(since=before))
            torch.set_num_threads(max(1, self._most - taken))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Set the number from before the training (called by Lightning)."""
        torch.set_num_threads(self._most)
        self._before = None
