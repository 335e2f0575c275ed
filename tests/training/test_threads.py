"""Threads leave cores to other programs, and come back."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from squadqa.training import threads
from squadqa.training.threads import Load, SharedCores

MOST = 4


class Machine:
    """A machine of four cores, whose clock and load a test sets."""

    def __init__(self) -> None:
        self.load: Load | None = Load(clock=100.0, busy=50.0, own=20.0)

    def run(self, seconds: float, *, own: float, others: float) -> None:
        """Let time pass, while this process and others use so many cores."""
        before = self.load
        assert before is not None
        self.load = Load(
            before.clock + seconds,
            before.busy + (own + others) * seconds,
            before.own + own * seconds,
        )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(Load, "now", classmethod(lambda cls: made.load))
    monkeypatch.setattr(
        threads.time, "perf_counter", lambda: made.load.clock if made.load else 100.0
    )
    return made


@pytest.fixture(autouse=True)
def chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The numbers of threads that were set, the last one in force; the first is the usual one."""
    numbers = [MOST]
    monkeypatch.setattr(torch, "get_num_threads", lambda: numbers[-1])
    monkeypatch.setattr(torch, "set_num_threads", numbers.append)
    yield numbers


def started(device: str = "cpu", *, processes: int = 1, number: int | None = None) -> SharedCores:
    cores = SharedCores(threads=number)
    strategy = SimpleNamespace(root_device=torch.device(device))
    trainer: Any = SimpleNamespace(strategy=strategy, world_size=processes)
    cores.on_train_start(trainer, None)  # type: ignore[arg-type]
    return cores


@pytest.mark.parametrize(
    ("others", "expected"),
    [(0.0, 4), (0.4, 4), (0.7, 3), (1.0, 3), (2.2, 2), (3.4, 1), (4.0, 1)],
)
def test_cores_that_others_use_are_left_to_them(
    machine: Machine, chosen: list[int], others: float, expected: int
) -> None:
    cores = started()
    machine.run(2.5, own=MOST - others, others=others)
    cores.on_train_batch_start()
    assert chosen[-1] == expected


def test_the_number_grows_again_when_the_others_end(machine: Machine, chosen: list[int]) -> None:
    cores = started()
    for others in (2.0, 2.0, 0.0):
        machine.run(3, own=MOST - others, others=others)
        cores.on_train_batch_start()
    assert chosen == [4, 2, 2, 4]


def test_a_short_burst_changes_nothing(machine: Machine, chosen: list[int]) -> None:
    cores = started()
    machine.run(0.5, own=1, others=3)
    cores.on_train_batch_start()
    assert chosen == [MOST]
    machine.run(7.5, own=4, others=0)  # 0.2 cores on average
    cores.on_train_batch_start()
    assert chosen[-1] == MOST


@pytest.mark.parametrize("how", [{"device": "cuda"}, {"processes": 2}])
def test_other_trainings_keep_their_number(
    machine: Machine, chosen: list[int], how: dict[str, Any]
) -> None:
    cores = started(**how)
    machine.run(60, own=1, others=3)
    cores.on_train_batch_start()
    assert chosen == [MOST]


def test_a_given_number_stays_and_ends_with_the_training(
    machine: Machine, chosen: list[int]
) -> None:
    cores = started(number=2)
    machine.run(60, own=1, others=3)
    cores.on_train_batch_start()
    assert chosen == [MOST, 2]
    cores.on_train_end(None, None)  # type: ignore[arg-type]
    assert chosen[-1] == MOST


def test_without_counters_the_number_stays(machine: Machine, chosen: list[int]) -> None:
    machine.load = None
    started().on_train_batch_start()
    assert chosen == [MOST]


def test_what_the_system_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = threads.os.sysconf("SC_CLK_TCK")
    stat = tmp_path / "stat"
    stat.write_text(
        f"cpu  {9 * ticks} 0 0 0\ncpu0 {2 * ticks} {ticks} {ticks} 7 0\ncpu1 {5 * ticks} 0 0 0\n"
        "intr 1\n"
    )
    monkeypatch.setattr(threads, "STAT", stat)
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda process: {0})
    load = Load.now()
    assert load is not None
    assert load.busy == 4.0
    monkeypatch.setattr(threads, "STAT", tmp_path / "missing")
    assert Load.now() is None
