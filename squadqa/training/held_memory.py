"""Freed memory that a training on a CPU keeps between batches."""

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


class HeldMemory(pl.Callback):
    """Keeps freed memory for the next batch, and returns it to the system when it becomes too much.

    glibc's allocator returns a batch's large tensors to the system and asks for them again at the
    next batch, page by page, which can take a third of a CPU's time. Keeping them saves that time.
    Since batches differ in length, the kept blocks leave holes, so the amount of kept memory is
    limited. The setting affects the whole process. On a GPU, which has an allocator of its own, and
    without Linux and glibc this does nothing.

    Args:
        most_gib: Memory that the process may keep beyond its need between batches, in GiB; 0 leaves
            the allocator unchanged. A batch that needed more than this would need it again, so a
            little more than what one batch needed is always kept.
    """

    def __init__(self, *, most_gib: float = 2.0) -> None:
        self.most_bytes = most_gib * 2**30
        self._libc: ctypes.CDLL | None = None
        self._needed = 0  # bytes in use when all free memory was returned
        self._is_first = False  # whether the next batch is the first since then
        self._largest = 0.0  # bytes that one batch needed, as far as is known

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start keeping freed memory (called by Lightning)."""
        if not self.most_bytes or trainer.strategy.root_device.type != "cpu":
            return
        with suppress(OSError, AttributeError):
            libc = ctypes.CDLL("libc.so.6")
            for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
                libc.mallopt(option, KEPT_BYTES)
            self._give_back(libc)
            self._libc = libc

    def on_train_batch_end(self, *_: Any) -> None:
        """Return memory to the system if too much is kept (called by Lightning)."""
        if self._libc is None:
            return
        kept = _held_bytes() - self._needed
        if self._is_first:
            self._is_first, self._largest = False, max(self._largest, kept)
        if kept > max(self.most_bytes, MARGIN * self._largest):
            self._give_back(self._libc)
            self._is_first = True  # not at the start: the first batch also makes what stays

    def _give_back(self, libc: ctypes.CDLL) -> None:
        libc.malloc_trim(0)
        self._needed = _held_bytes()


MARGIN = 1.25
"""How much more than one batch needed is kept at least: the next one may be longer."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # options of mallopt(3)
KEPT_BYTES = 2**30  # larger than any block of a batch


def _held_bytes(statm: Path = Path("/proc/self/statm")) -> int:
    """Return the memory of the process in bytes, without files mapped into it."""
    resident, shared = statm.read_text(encoding="ascii").split()[1:3]
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
