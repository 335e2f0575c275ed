"""What is timed of training steps, in stages."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from squadqa.benchmark import steps as module_under_test
from squadqa.benchmark.record import PHASES
from squadqa.benchmark.steps import Stage, StepTimer
from tests.support.small_training import Questions, span_module, trainer


class Clock:
    """Stands still but when told, and counts how often somebody waited for the device."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.waited = 0
        clock = SimpleNamespace(perf_counter=lambda: self.now, process_time=lambda: self.now / 2)
        monkeypatch.setattr(module_under_test, "time", clock)
        monkeypatch.setattr(module_under_test, "waiting_for", lambda device: self.wait)

    def wait(self) -> None:
        self.waited += 1


def step(timer: StepTimer, clock: Clock, one: Any, *, questions: int = 4) -> None:
    """A step: 1 s of data, 2 forward, 4 backward, 8 for the optimiser."""
    calls = (
        timer.on_train_batch_start,
        timer.on_before_backward,
        timer.on_after_backward,
        lambda: timer.on_train_batch_end(one, None, None, range(questions), 0),  # type: ignore[arg-type]
    )
    for number, call in enumerate(calls):
        clock.now += 2**number
        call()


def test_stages_follow_each_other_by_steps_and_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, one = Clock(monkeypatch), SimpleNamespace(should_stop=False)
    stages = [Stage(0, 1), Stage(20, 1), Stage(0, 2, waits=True)]
    timer = StepTimer(stages, device=torch.device("cpu"))
    timer.on_train_start(one, None)  # type: ignore[arg-type]
    for _ in range(3):
        step(timer, clock, one)
    assert clock.waited == 1 + 2 * 2, "only where a stage begins and ends"
    assert not one.should_stop
    for questions in (6, 2):
        step(timer, clock, one, questions=questions)
    assert clock.waited == 5 + 2 * 4 + 1
    assert one.should_stop
    step(timer, clock, one)  # Lightning may call for a step more
    assert [stage.steps for stage in stages] == [1, 2, 2]
    assert [stage.questions for stage in stages] == [4, 8, 8]
    assert stages[1].taken == 30 and stages[1].cpu_seconds == 15
    assert stages[1].per_second == pytest.approx(8 / 30)
    assert stages[2].shares == pytest.approx(
        {"data": 1 / 15, "forward": 2 / 15, "backward": 4 / 15, "optimizer": 8 / 15}
    )


def test_every_phase_of_a_real_training_is_timed(tmp_path: Any) -> None:
    stages = [Stage(0, 1), Stage(0, 6)]
    timer = StepTimer(stages, device=torch.device("cpu"))
    run = trainer(tmp_path, max_epochs=9, callbacks=[timer], limit_val_batches=0)
    run.fit(span_module(), Questions())
    assert run.global_step == 7, "the training ends with the last stage, inside an epoch"
    assert stages[1].questions == 12
    assert set(stages[1].shares) == set(PHASES)
    assert all(seconds > 0 for seconds in stages[1].phases.values())
    assert sum(stages[1].phases.values()) == pytest.approx(stages[1].taken, rel=0.2)


def test_the_kernels_of_a_gpu_are_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: what began them on the CPU carries their time, too."""
    clock, one = Clock(monkeypatch), SimpleNamespace(should_stop=False)
    gpu, cpu = torch.autograd.DeviceType.CUDA, torch.autograd.DeviceType.CPU
    kernels = [(gpu, False, 2e6), (gpu, False, 1e6), (gpu, True, 3e6), (cpu, False, 3e6)]
    events = [
        SimpleNamespace(device_type=kind, is_user_annotation=named, self_device_time_total=time)
        for kind, named, time in kernels
    ]
    done: list[str] = []
    profiler = SimpleNamespace(
        start=lambda: done.append("start"),
        stop=lambda: done.append("stop"),
        key_averages=lambda: events,
    )
    monkeypatch.setattr(torch.profiler, "profile", lambda activities: profiler)
    stages = [Stage(0, 1), Stage(0, 2, profiles=True)]
    timer = StepTimer(stages, device=torch.device("cpu"))
    timer.on_train_start(one, None)  # type: ignore[arg-type]
    step(timer, clock, one)
    assert done == ["start"]
    step(timer, clock, one)
    step(timer, clock, one)
    assert done == ["start", "stop"] and one.should_stop
    assert [stage.busy_seconds for stage in stages] == [0, 3]
