"""What goes on in a checkpoint, and how a signal is heard. Whole runs: test_resume.py."""

import mmap
import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from squadqa.training import callbacks
from squadqa.training.callbacks import (
    HeldMemory,
    LastCheckpoint,
    RandomStates,
    TrainingClock,
    TrainingStopped,
)


class Trainer(SimpleNamespace):
    """As much of a trainer as the callbacks use; it notes the steps it saved at."""

    def __init__(self, **values: Any) -> None:
        alone = SimpleNamespace(broadcast=lambda value: value)
        usual = {"world_size": 1, "global_step": 0, "is_last_batch": False, "should_stop": False}
        super().__init__(**{**usual, "strategy": alone, **values})
        self.saved: list[int] = []

    def save_checkpoint(self, path: Path) -> None:
        self.saved.append(self.global_step)


def draw() -> list[float]:
    return [random.random(), float(np.random.rand()), float(torch.rand(1))]


def test_random_states_go_on_where_they_were(tmp_path: Path) -> None:
    """Through a file that is read as weights only, as checkpoints are."""
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    draw()
    torch.save(RandomStates().state_dict(), tmp_path / "state")
    expected = draw()
    restored = RandomStates()
    restored.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    assert draw() != expected
    restored.on_train_start(None, None)  # type: ignore[arg-type]
    assert draw() == expected
    restored.on_train_start(None, None)  # type: ignore[arg-type]  # once is enough
    assert draw() != expected


def clock_at(monkeypatch: pytest.MonkeyPatch, *times: float) -> None:
    ticks = iter(times)
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: next(ticks))


def test_the_clock_counts_training_and_no_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, trainer = TrainingClock(), Trainer()
    logged: dict[str, float] = {}
    module = SimpleNamespace(log=lambda name, value, **_: logged.update({name: value}))

    def batch(size: int) -> None:
        clock.on_train_batch_end(trainer, module, None, range(size), 0)  # type: ignore[arg-type]

    clock_at(monkeypatch, 10, 12, 14, 100, 104)
    clock.on_train_epoch_start(trainer, module)  # type: ignore[arg-type]
    batch(4)
    batch(4)
    clock.on_validation_end(trainer, module)  # type: ignore[arg-type]
    batch(8)
    assert (clock.seconds, clock.questions) == (8, 16)
    assert clock.questions_per_second == logged["train/questions_per_second"] == 2

    resumed = TrainingClock()
    resumed.load_state_dict(clock.state_dict())
    clock_at(monkeypatch, 500, 508)
    resumed.on_train_batch_start()
    clock = resumed
    batch(8)
    assert (clock.seconds, clock.questions) == (16, 24)
    assert clock.recent_questions_per_second == 1


def test_the_clock_stops_a_training_whose_budget_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, module = TrainingClock(budget_minutes=0.5), SimpleNamespace(log=lambda *_, **__: None)
    trainer = Trainer()
    clock_at(monkeypatch, 0, 20, 500, 509, 511)
    clock.on_train_epoch_start(trainer, module)  # type: ignore[arg-type]
    clock.on_train_batch_end(trainer, module, None, range(4), 0)  # type: ignore[arg-type]
    clock.on_validation_end(trainer, module)  # type: ignore[arg-type]
    clock.on_train_batch_end(trainer, module, None, range(4), 0)  # type: ignore[arg-type]
    assert (clock.seconds, clock.seconds_left) == (29, 1)
    assert clock.budget_spent == pytest.approx(29 / 30)
    assert not trainer.should_stop
    clock.on_train_batch_end(trainer, module, None, range(4), 0)  # type: ignore[arg-type]
    assert (clock.budget_spent, clock.seconds_left, trainer.should_stop) == (1, 0, True)

    resumed, trainer = TrainingClock(budget_minutes=0.5), Trainer()
    resumed.load_state_dict(clock.state_dict())
    resumed.on_fit_start(trainer, module)  # type: ignore[arg-type]
    assert trainer.should_stop
    more, trainer = TrainingClock(budget_minutes=0.6), Trainer()
    more.load_state_dict(clock.state_dict())
    more.on_fit_start(trainer, module)  # type: ignore[arg-type]
    assert not trainer.should_stop


def test_a_clock_that_never_ran() -> None:
    assert TrainingClock().budget_spent == 0
    assert TrainingClock().questions_per_second == 0
    assert TrainingClock().recent_questions_per_second == 0


@pytest.fixture
def last(tmp_path: Path) -> Iterator[LastCheckpoint]:
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    handlers = {number: signal.signal(number, handler) for number, handler in usual.items()}
    made = LastCheckpoint(tmp_path, every_n_steps=3)
    made.on_train_start(None, None)  # type: ignore[arg-type]
    yield made
    made.teardown(None, None, "fit")  # type: ignore[arg-type]
    for number, handler in handlers.items():  # those of an earlier test of this process
        signal.signal(number, handler)


def batches(last: LastCheckpoint, trainer: Trainer, *steps: int) -> None:
    for step in steps:
        trainer.global_step = step
        last.on_train_batch_end(trainer, None)  # type: ignore[arg-type]


def test_saves_now_and_then_and_behind_each_epoch(last: LastCheckpoint) -> None:
    trainer = Trainer()
    batches(last, trainer, *range(1, 9))
    trainer.is_last_batch = True
    batches(last, trainer, 9)
    assert trainer.saved == [3, 6]
    last.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
    assert trainer.saved == [3, 6, 9]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_behind_the_step(last: LastCheckpoint, number: int) -> None:
    trainer = Trainer()
    os.kill(os.getpid(), number)
    with pytest.raises(TrainingStopped) as stopped:
        batches(last, trainer, 4)
    assert stopped.value.checkpoint == last.path
    assert trainer.saved == [4]


def test_in_an_epochs_last_batch_it_waits_for_the_evaluation(last: LastCheckpoint) -> None:
    trainer = Trainer(is_last_batch=True)
    os.kill(os.getpid(), signal.SIGTERM)
    batches(last, trainer, 6)
    assert trainer.saved == []
    with pytest.raises(TrainingStopped):
        last.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
    assert trainer.saved == [6]


def test_a_second_signal_stops_at_once(last: LastCheckpoint) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_to_another_process_stops_this_one(last: LastCheckpoint) -> None:
    asked = []

    def reduce(decision: bool, *, all: bool) -> bool:
        asked.append((decision, all))
        return True

    strategy = SimpleNamespace(reduce_boolean_decision=reduce)
    with pytest.raises(TrainingStopped):
        batches(last, Trainer(world_size=2, strategy=strategy), 1)
    assert asked == [(False, False)]


@pytest.mark.parametrize("end", ["teardown", "on_exception"])
def test_signals_are_given_back(last: LastCheckpoint, end: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert before == last._handle
    getattr(last, end)(None, None, None)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


# Memory


class Memory(SimpleNamespace):
    """A process' memory in GiB, and as much of its libc as is used."""

    def __init__(self) -> None:
        super().__init__(needed=1.0, free=0.0, options={}, trims=0)

    def mallopt(self, option: int, value: int) -> None:
        self.options[option] = value

    def malloc_trim(self, pad: int) -> None:
        self.free, self.trims = float(pad), self.trims + 1

    def held_bytes(self) -> int:
        return int((self.needed + self.free) * 2**30)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    memory = Memory()
    monkeypatch.setattr(callbacks.ctypes, "CDLL", lambda name: memory)
    monkeypatch.setattr(callbacks, "_held_bytes", memory.held_bytes)
    return memory


def test_freed_memory_is_kept_up_to_a_bound(memory: Memory) -> None:
    callback = HeldMemory(most_gib=2.0)
    callback.on_train_start(Trainer(), torch.nn.Module())  # type: ignore[arg-type]
    assert memory.options == {
        callbacks.M_TRIM_THRESHOLD: callbacks.KEPT_BYTES,
        callbacks.M_MMAP_THRESHOLD: callbacks.KEPT_BYTES,
    }
    assert memory.trims == 1
    trims = []
    for free in (1.0, 1.9, 2.1, 1.0, 2.0, 3.0):
        memory.free = free
        callback.on_train_batch_end()
        trims.append(memory.trims - 1)
    assert trims == [0, 0, 1, 1, 1, 2]


def test_what_is_needed_is_not_freed_memory(memory: Memory) -> None:
    """A process that needs much does not give back after every batch."""
    callback = HeldMemory(most_gib=2.0)
    callback.on_train_start(Trainer(), torch.nn.Module())  # type: ignore[arg-type]
    memory.needed = 9.0
    for _ in range(3):
        memory.free = 1.0
        callback.on_train_batch_end()
    assert memory.trims == 2


def test_other_allocators_are_left_alone(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(callbacks.ctypes, "CDLL", missing)
    callback = HeldMemory(most_gib=0.0)
    callback.on_train_start(Trainer(), torch.nn.Module())  # type: ignore[arg-type]
    callback.on_train_batch_end()
    assert (memory.trims, memory.options) == (0, {})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it so")
def test_held_memory_counts_no_mapped_files(tmp_path: Path) -> None:
    path = tmp_path / "values"
    np.zeros(2**26, np.uint8).tofile(path)
    before = callbacks._held_bytes()
    mapped = np.memmap(path, np.uint8, "r")
    assert mapped[::4096].sum() == 0
    assert callbacks._held_bytes() - before < 2**25
    with mmap.mmap(-1, 2**26, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as taken:
        taken.write(bytes(range(256)) * 2**18)
        assert callbacks._held_bytes() - before > 2**25
