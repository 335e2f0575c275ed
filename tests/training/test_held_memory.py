"""Memory that is kept between batches, up to a limit."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from squadqa.training import held_memory
from squadqa.training.held_memory import HeldMemory
from tests.support.trainers import Trainer


class Memory(SimpleNamespace):
    """A process's memory in GiB, and the functions of libc that are used."""

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
    monkeypatch.setattr(held_memory.ctypes, "CDLL", lambda name: memory)
    monkeypatch.setattr(held_memory, "_held_bytes", memory.held_bytes)
    return memory


def test_freed_memory_is_kept_up_to_a_limit(memory: Memory) -> None:
    callback = HeldMemory(most_gib=2.0)
    callback.on_train_start(Trainer(), torch.nn.Module())  # type: ignore[arg-type]
    assert memory.options == {
        held_memory.M_TRIM_THRESHOLD: held_memory.KEPT_BYTES,
        held_memory.M_MMAP_THRESHOLD: held_memory.KEPT_BYTES,
    }
    assert memory.trims == 1
    trims = []
    for free in (1.0, 1.9, 2.1, 1.0, 2.0, 3.0):
        memory.free = free
        callback.on_train_batch_end()
        trims.append(memory.trims - 1)
    assert trims == [0, 0, 1, 1, 1, 2]


def test_needed_memory_does_not_count_as_freed(memory: Memory) -> None:
    """A process that needs much memory does not return it after every batch."""
    callback = HeldMemory(most_gib=2.0)
    callback.on_train_start(Trainer(), torch.nn.Module())  # type: ignore[arg-type]
    memory.needed = 9.0
    for _ in range(3):
        memory.free = 1.0
        callback.on_train_batch_end()
    assert memory.trims == 2


def test_what_every_batch_needs_is_kept(memory: Memory) -> None:
    """Batches that need more than the limit would otherwise ask for all of it again, each time."""
    callback = HeldMemory(most_gib=2.0)
    callback.on_train_start(Trainer(), torch.nn.Module())  # type: ignore[arg-type]
    trims = []
    for free in (3.0, 3.0, 3.6, 3.8, 3.0, 3.7):
        memory.free = free
        callback.on_train_batch_end()
        trims.append(memory.trims - 1)
    assert trims == [1, 1, 1, 2, 2, 2]


def test_other_allocators_are_left_alone(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(held_memory.ctypes, "CDLL", missing)
    callback = HeldMemory(most_gib=0.0)
    callback.on_train_start(Trainer(), torch.nn.Module())  # type: ignore[arg-type]
    callback.on_train_batch_end()
    assert (memory.trims, memory.options) == (0, {})


def test_a_training_on_a_gpu_leaves_the_allocator_alone(memory: Memory) -> None:
    """Its batches are in the GPU's memory, so that kept memory would only be missing elsewhere."""
    callback = HeldMemory(most_gib=2.0)
    trainer = Trainer(strategy=SimpleNamespace(root_device=torch.device("cuda")))
    callback.on_train_start(trainer, torch.nn.Module())  # type: ignore[arg-type]
    callback.on_train_batch_end()
    assert (memory.trims, memory.options) == (0, {})


def test_held_memory_counts_no_mapped_files(tmp_path: Path) -> None:
    statm = tmp_path / "statm"  # proc(5): size, resident, shared and more, in pages
    statm.write_text("900 500 200 1 0 300 0\n", encoding="ascii")
    assert held_memory._held_bytes(statm) == 300 * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports it")
def test_the_system_reports_the_memory() -> None:
    assert held_memory._held_bytes() > 0
