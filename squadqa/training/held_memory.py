"""Memory that a training on a CPU keeps between its batches."""

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


class HeldMemory(pl.Callback):
    """Keeps freed memory for the next batch, and gives it back when too much has gathered.

    glibc's allocator returns a batch's large tensors to the system and asks for them again at the
    next batch, page by page, which can take a third of a CPU's time. Keeping them saves that.
    Since batches differ in length, holes are left between the blocks that are kept, so what is
    kept is bounded. It is a setting of the whole process. Elsewhere than on Linux with glibc this
    does nothing.

    Args:
        most_gib: What the process may hold beyond what it needs between batches, in GiB; 0 leaves
            the allocator as it is.
    """

    def __init__(self, *, most_gib: float = 2.0) -> None:
        self.most_bytes = most_gib * 2**30
        self._libc: ctypes.CDLL | None = None
        self._needed = 0  # bytes held when all that is free was given back

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start keeping freed memory (called by Lightning)."""
        if not self.most_bytes:
            return
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


def _held_bytes(statm: Path = Path("/proc/self/statm")) -> int:
    """Give what the process holds of memory, files mapped into it left out."""
    resident, shared = statm.read_text(encoding="ascii").split()[1:3]
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
