"""Permissions that bind the tests' own process too, and small or read-only disks.

Tests often run as root, which may read and write everything. Linux calls that right a capability,
which a thread can lay down and take up again.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_VERSION = 0x20080522  # of the structures below, with 64 bits for capabilities
_OVERRIDE = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("process", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


@contextmanager
def bound_by_permissions() -> Iterator[None]:
    """Obey the permissions of files in the block, also as root; skip the test where that fails."""
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root obeys no permissions on this system")
    libc, header, sets = ctypes.CDLL(None), _Header(_VERSION, 0), (_Sets * 2)()
    _require(libc.capget(ctypes.byref(header), sets))
    held = sets[0].effective
    sets[0].effective = held & ~_OVERRIDE
    _require(libc.capset(ctypes.byref(header), sets))
    try:
        yield
    finally:
        sets[0].effective = held
        _require(libc.capset(ctypes.byref(header), sets))


def _require(status: int) -> None:
    if status != 0:
        pytest.skip("the capabilities of this process cannot be changed")


@contextmanager
def small_disk(place: Path, *, kib: int = 64, read_only: bool = False) -> Iterator[Path]:
    """Mount a disk in memory at a folder that is made; skip the test where that is not allowed.

    Args:
        place: The folder.
        kib: Its size, in KiB.
        read_only: Whether nothing can be written there.
    """
    place.mkdir()
    options = f"size={kib}k" + (",ro" if read_only else "")
    try:
        line = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        done = subprocess.run(line, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode != 0:
        pytest.skip(f"a disk in memory cannot be mounted: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
