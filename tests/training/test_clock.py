"""The time that a training counts."""

from types import SimpleNamespace

import pytest
import torch

from squadqa.training import clock as module_under_test
from squadqa.training.clock import TrainingClock
from tests.support.trainers import Trainer


def clock_at(monkeypatch: pytest.MonkeyPatch, *times: float) -> None:
    ticks = iter(times)
    monkeypatch.setattr(module_under_test.time, "perf_counter", lambda: next(ticks))


def test_the_clock_counts_training_without_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert isinstance(logged["train/questions_per_second"], torch.Tensor), "no copy to a GPU"

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
