"""Trainings that end at a score, and their seconds."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from squadqa.training import until as module_under_test
from squadqa.training.until import UntilF1
from tests.support.small_training import Questions, span_module, trainer
from tests.support.trainers import Trainer


def clock_at(monkeypatch: pytest.MonkeyPatch, *times: float) -> None:
    ticks = iter(times)
    monkeypatch.setattr(module_under_test.time, "perf_counter", lambda: next(ticks))


def evaluated(until: UntilF1, f1: float) -> Trainer:
    """A trainer after an evaluation."""
    one = Trainer(
        sanity_checking=False, state=SimpleNamespace(fn="fit"), callback_metrics={"val/f1": f1}
    )
    until.on_validation_end(one, None)  # type: ignore[arg-type]
    return one


def test_the_seconds_run_from_the_first_step_over_all_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock_at(monkeypatch, 100, 130, 1000, 1012)
    first = UntilF1(75)
    assert first.seconds == 0
    first.on_train_batch_start()
    first.on_train_batch_start()
    assert not evaluated(first, 74.99).should_stop
    saved = first.state_dict()
    assert saved == {"seconds": 30, "reached_after": None}

    second = UntilF1(75)
    second.load_state_dict(saved)
    second.on_train_batch_start()
    assert evaluated(second, 75).should_stop
    assert second.reached_after == 42
    evaluated(second, 90)
    assert second.reached_after == 42, "the first evaluation that reached it"


def test_a_session_after_the_last_trains_no_further() -> None:
    until = UntilF1(75)
    until.load_state_dict({"seconds": 9.0, "reached_after": 8.0})
    one = Trainer()
    until.on_fit_start(one, None)  # type: ignore[arg-type]
    assert one.should_stop


@pytest.mark.parametrize(("f1", "steps"), [(1e-9, 2), (100.0, 8)])
def test_training_ends_inside_an_epoch(tmp_path: Path, f1: float, steps: int) -> None:
    until = UntilF1(f1)
    options: dict[str, Any] = {"callbacks": [until], "val_check_interval": 2}
    run = trainer(tmp_path, **options)
    run.fit(span_module(), Questions())
    assert run.global_step == steps
    assert (until.reached_after is None) == (f1 == 100)
