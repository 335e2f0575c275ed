"""Memory that is kept between batches, up to a limit."""

import mmap
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
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


def test_other_allocators_are_left_alone(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(held_memory.ctypes, "CDLL", missing)
    callback = HeldMemory(most_gib=0.0)
    callback.on_train_start(Trainer(), torch.nn.Module())  # type: ignore[arg-type]
    callback.on_train_batch_end()
    assert (memory.trims, memory.options) == (0, {})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports it")
def test_held_memory_counts_no_mapped_files(tmp_path: Path) -> None:
    path = tmp_path / "values"
    np.zeros(2**26, np.uint8).tofile(path)
    before = held_memory._held_bytes()
    mapped = np.memmap(path, np.uint8, "r")
    assert mapped[::4096].sum() == 0
    assert held_memory._held_bytes() - before < 2**25
    with mmap.mmap(-1, 2**26, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as taken:
        taken.write(bytes(range(256)) * 2**18)
        assert held_memory._held_bytes() - before > 2**25
