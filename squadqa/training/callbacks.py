"""What a training needs beside its steps: going on where it stopped, and keeping time."""

import ctypes
import math
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint

LAST = "last.ckpt"
BEST = "best.ckpt"


class RandomStates(pl.Callback):
    """Keeps the states of all random generators in checkpoints, so that a resumed run draws on.

    Of several processes those of the first are kept: resumed, all draw on from them.
    """

    def state_dict(self) -> dict[str, Any]:
        """Give the states (called by Lightning)."""
        kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
        return {
            "python": random.getstate(),
            "numpy": [kind, torch.from_numpy(np.array(keys, np.int64)), position, has_gauss, gauss],
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the states until training starts (called by Lightning)."""
        self._loaded: dict[str, Any] | None = state_dict

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Set the generators to the loaded states (called by Lightning)."""
        state = getattr(self, "_loaded", None)
        if state is None:
            return
        version, internal, gauss = state["python"]
        random.setstate((version, tuple(internal), gauss))
        kind, keys, position, has_gauss, cached = state["numpy"]
        np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, cached))
        torch.set_rng_state(state["torch"].cpu())
        if state["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([value.cpu() for value in state["cuda"]])
        self._loaded = None


class TrainingClock(pl.Callback):
    """Counts seconds and questions of training, over all its sessions; evaluation not included.

    Args:
        budget_minutes: Training stops when it has taken so long; None never stops it.
    """

    def __init__(self, *, budget_minutes: float | None = None) -> None:
        self.budget_minutes = budget_minutes
        self.seconds = 0.0
        self.questions = 0
        self._recent: list[tuple[float, int]] = []
        self._since = 0.0

    @property
    def seconds_left(self) -> float:
        """Seconds of the budget that are left, infinite where there is none."""
        if self.budget_minutes is None:
            return math.inf
        return max(0.0, 60 * self.budget_minutes - self.seconds)

    @property
    def budget_spent(self) -> float:
        """Share of the budget that is spent, 0 to 1; 0 where there is none."""
        if self.budget_minutes is None:
            return 0.0
        return min(1.0, self.seconds / (60 * self.budget_minutes))

    @property
    def questions_per_second(self) -> float:
        """Rate over the whole training."""
        return self.questions / self.seconds if self.seconds else 0.0

    @property
    def recent_questions_per_second(self) -> float:
        """Rate over the last batches."""
        seconds = sum(took for took, _ in self._recent)
        return sum(questions for _, questions in self._recent) / seconds if seconds else 0.0

    def state_dict(self) -> dict[str, Any]:
        """Give the counts (called by Lightning)."""
        return {"seconds": self.seconds, "questions": self.questions}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the counts back (called by Lightning)."""
        self.seconds, self.questions = state_dict["seconds"], state_dict["questions"]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Train no more where a resumed training has spent its budget (called by Lightning)."""
        trainer.should_stop = trainer.should_stop or self.budget_spent == 1

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock (called by Lightning)."""
        self._since = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock again (called by Lightning)."""
        self._since = time.perf_counter()

    def on_train_batch_start(self, *_: Any) -> None:
        """Start the clock where a resumed epoch did not (called by Lightning)."""
        self._since = self._since or time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, _: int
    ) -> None:
        """Count a batch, the last one where the budget is spent (called by Lightning)."""
        now = time.perf_counter()
        took, questions = now - self._since, len(batch) * trainer.world_size
        if self.budget_minutes is not None:  # all processes have to stop behind the same batch
            took = trainer.strategy.broadcast(took)
        self._since = now
        self.seconds += took
        self.questions += questions
        self._recent = [*self._recent[-49:], (took, questions)]
        rate = self.recent_questions_per_second
        pl_module.log("train/questions_per_second", rate, rank_zero_only=True)
        trainer.should_stop = trainer.should_stop or self.budget_spent == 1


class HeldMemory(pl.Callback):
    """Keeps freed memory for the next batch, and gives it back when too much has gathered.

    glibc's allocator returns a batch's large tensors to the system and asks for them again at the
    next batch, page by page, which can take a third of a CPU's time. Keeping them saves that. But
    batches of ever other lengths leave holes between blocks, so what is kept is bounded. Elsewhere
    than on Linux with glibc this does nothing.

    Args:
        most_gib: What the process may hold beyond what it needs between batches, in GiB.
    """

    def __init__(self, *, most_gib: float = 2.0) -> None:
        self.most_bytes = most_gib * 2**30
        self._libc: ctypes.CDLL | None = None
        self._needed = 0  # bytes held when all that is free was given back

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start keeping freed memory (called by Lightning)."""
        with suppress(OSError, AttributeError):
            libc = ctypes.CDLL("libc.so.6")
            for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
                libc.mallopt(option, KEPT_BYTES)
            self._give_back(libc)
            self._libc = libc

    def on_train_batch_end(self, *_: Any) -> None:
        """Give memory back if too much is held (called by Lightning)."""
        if self._libc is not None and _held_bytes() - self._needed > self.most_bytes:
            self._give_back(self._libc)

    def _give_back(self, libc: ctypes.CDLL) -> None:
        libc.malloc_trim(0)
        self._needed = _held_bytes()


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # options of mallopt(3)
KEPT_BYTES = 2**30  # larger than any block of a batch


def _held_bytes() -> int:
    """Give what the process holds of memory, files mapped into it left out."""
    resident, shared = Path("/proc/self/statm").read_text(encoding="ascii").split()[1:3]
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


class TrainingStopped(BaseException):
    """A signal stopped a training, after its step was finished and the checkpoint saved.

    Args:
        checkpoint: The checkpoint to resume from.
    """

    def __init__(self, checkpoint: Path) -> None:
        super().__init__(f"stopped; checkpoint {checkpoint}")
        self.checkpoint = checkpoint


class LastCheckpoint(Checkpoint):
    """Keeps `last.ckpt` up to date, and saves it when a signal asks training to stop.

    A `Checkpoint`, because Lightning calls those behind all other callbacks: what they have learned
    of a batch or an epoch is saved too.

    Ctrl+C (SIGINT) and SIGTERM finish the step, save, and raise `TrainingStopped`; a second one
    stops at once. What a kill -9 loses is at most `every_n_steps` steps and an evaluation.

    Nothing is saved between an epoch's last step and its evaluation, for Lightning would leave the
    evaluation out when it resumes from there; a signal that comes there stops behind it.

    Args:
        folder: Folder of checkpoints.
        every_n_steps: Optimiser steps between two saves.
    """

    def __init__(self, folder: Path, *, every_n_steps: int = 500) -> None:
        self.path = folder / LAST
        self.every_n_steps = every_n_steps
        self._signal: int | None = None
        self._handlers: dict[int, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen to signals (called by Lightning)."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._handle)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Stop listening (called by Lightning)."""
        self._restore()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Stop listening (called by Lightning)."""
        self._restore()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Save if it is time, or if a signal came (called by Lightning)."""
        if not trainer.is_last_batch:
            self._save(trainer, is_due=trainer.global_step % self.every_n_steps == 0)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save at the end of every epoch (called by Lightning)."""
        self._save(trainer, is_due=True)

    def _save(self, trainer: pl.Trainer, *, is_due: bool) -> None:
        stop = bool(self._signal)
        if trainer.world_size > 1:  # a signal may have come to one process only
            stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
        if stop or is_due:
            trainer.save_checkpoint(self.path)
        if stop:
            raise TrainingStopped(self.path)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._signal:
            self._restore()
            raise KeyboardInterrupt
        self._signal = number

    def _restore(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}
