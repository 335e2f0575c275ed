"""Timing of training steps, in stages: to warm up, to measure the rate, to time a step's phases.

A GPU computes while the CPU goes on, so that a phase of a step can be timed only by waiting for the
GPU, which slows the step down. So the rate is measured without waiting, and the phases afterwards;
on a CPU one stage measures both.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytorch_lightning as pl
import torch

from squadqa.benchmark.record import PHASES
from squadqa.benchmark.yardstick import waiting_for


@dataclass
class Stage:
    """Some training steps in a row.

    Args:
        seconds: How long they should take.
        least_steps: How many there are at least, 1 or more.
        waits: Wait for the device after each phase.
        profiles: Sum the time of the device's kernels.
        steps: Steps done.
        questions: Questions in them.
        taken: Seconds that they took.
        cpu_seconds: Time of all processors that the process took.
        phases: Seconds of each phase.
        busy_seconds: Time of the device's kernels, in a stage that profiles.
    """

    seconds: float
    least_steps: int
    waits: bool = False
    profiles: bool = False
    steps: int = 0
    questions: int = 0
    taken: float = 0.0
    cpu_seconds: float = 0.0
    phases: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    busy_seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Questions per second."""
        return self.questions / self.taken

    @property
    def shares(self) -> dict[str, float]:
        """Share of each phase."""
        total = sum(self.phases.values())
        return {name: seconds / total for name, seconds in self.phases.items()}


class StepTimer(pl.Callback):
    """Times the steps of a training in stages, and ends it after the last.

    Args:
        stages: The stages, in order.
        device: The device of the training.
    """

    def __init__(self, stages: list[Stage], *, device: torch.device) -> None:
        self.stages = stages
        self._wait: Callable[[], None] = waiting_for(device)
        self._left = list(stages)
        self._begun = self._cpu_begun = self._since = 0.0
        self._profiler: torch.profiler.profile | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin the first stage (called by Lightning)."""
        self._begin()

    def on_train_batch_start(self, *_: Any) -> None:
        """End the phase of data (called by Lightning)."""
        self._mark("data")

    def on_before_backward(self, *_: Any) -> None:
        """End the forward phase (called by Lightning)."""
        self._mark("forward")

    def on_after_backward(self, *_: Any) -> None:
        """End the backward phase (called by Lightning)."""
        self._mark("backward")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, _: int
    ) -> None:
        """Count the step, and end the stage when it is due (called by Lightning)."""
        if not self._left:
            return
        self._mark("optimizer")
        stage = self._left[0]
        stage.steps += 1
        stage.questions += len(batch)
        is_long_enough = time.perf_counter() - self._begun >= stage.seconds
        if stage.steps >= stage.least_steps and is_long_enough:
            self._end()
            trainer.should_stop = not self._left

    def _mark(self, phase: str) -> None:
        if not self._left:
            return
        if self._left[0].waits:
            self._wait()
        now = time.perf_counter()
        self._left[0].phases[phase] += now - self._since
        self._since = now

    def _begin(self) -> None:
        self._wait()
        if self._left[0].profiles:
            self._profiler = torch.profiler.profile(
                activities=[torch.profiler.ProfilerActivity.CUDA]
            )
            self._profiler.start()
        self._cpu_begun = time.process_time()
        self._begun = self._since = time.perf_counter()

    def _end(self) -> None:
        self._wait()
        stage = self._left.pop(0)
        stage.taken = time.perf_counter() - self._begun
        stage.cpu_seconds = time.process_time() - self._cpu_begun
        if self._profiler is not None:
            self._profiler.stop()
            # Operations of the CPU carry the time of the kernels that they began once more.
            kernels = [
                event
                for event in self._profiler.key_averages()
                if event.device_type == torch.autograd.DeviceType.CUDA
                and not event.is_user_annotation
            ]
            stage.busy_seconds = sum(event.self_device_time_total for event in kernels) / 1e6
            self._profiler = None
        if self._left:
            self._begin()
