"""Memory and disk: what a training needs, by a trial of it, and what there is."""

import shutil
from contextlib import suppress
from pathlib import Path

from squadqa.cli.trial import GIB, Trial
from squadqa.errors import ConfigError, OutputError

MEMORY, CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def check_memory(trial: Trial, batch_size: int) -> str:
    """Compare the memory of a batch with what there is.

    Args:
        trial: What a trial measured for it.
        batch_size: Questions of the batch.

    Returns:
        Both, in words.

    Raises:
        ConfigError: It does not fit.
    """
    need, there = trial.held_gib + trial.batch_gib, memory_gib(on_gpu=trial.on_gpu)
    if need > there:
        raise ConfigError(
            f"a batch of {batch_size:,} questions on the longest contexts needs about "
            f"{need:,.1f} GiB of memory, and there are {there:,.1f}",
            hint=f"About {fitting(trial, batch_size, there):,} questions fit.",
            next_step="Set a smaller --batch-size.",
        )
    return f"about {need:,.1f} of {there:,.1f} GiB, for a batch on the longest contexts"


def fitting(trial: Trial, batch_size: int, there: float) -> int:
    """Return how many questions of a batch fit into memory, 1 or more.

    Args:
        trial: What a trial measured for a batch of `batch_size`.
        batch_size: Questions of that batch.
        there: Memory that there is, in GiB.
    """
    return max(1, int((there - trial.held_gib) / trial.batch_gib * batch_size))


def memory_gib(*, on_gpu: bool) -> float:
    """Return the memory that a training may take, in GiB.

    Args:
        on_gpu: Whether it is the GPU's, rather than the machine's.
    """
    if on_gpu:
        import torch

        return float(torch.cuda.mem_get_info()[1] / GIB)
    try:
        lines = dict(line.split(":", 1) for line in MEMORY.read_text("ascii").splitlines())
        there = int(lines["MemAvailable"].split()[0]) * 1024 + _resident()
    except (OSError, KeyError, ValueError):
        return float("inf")
    with suppress(OSError, ValueError):  # no limit is "max"
        there = min(there, int((CGROUP / "memory.max").read_text("ascii")))
    return there / GIB


def _resident() -> int:
    """Return the bytes that this process holds already."""
    fields = Path("/proc/self/statm").read_text("ascii").split()
    return int(fields[1]) * 4096


def check_disk(need: float, run: Path, cache: Path) -> str:
    """Compare what a training writes with what is left of the disks.

    Args:
        need: Bytes that it writes, at most.
        run: Its run folder.
        cache: The folder of prepared data.

    Returns:
        Both, in words.

    Raises:
        OutputError: It does not fit.
    """
    for folder in (run, cache):
        there = free_bytes(folder)
        if need > there:
            raise OutputError(
                f'the training writes up to {need / GIB:,.2f} GiB, and the disk of "{folder}" has '
                f"{there / GIB:,.2f} left",
                next_step="Free space there, or name other folders by --run and --data.cache_dir.",
            )
    return f"up to {need / GIB:,.2f} of {free_bytes(run) / GIB:,.1f} GiB"


def free_bytes(folder: Path) -> int:
    """Return the bytes that are left on the disk of a folder, which may not exist yet.

    Args:
        folder: The folder.
    """
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    return shutil.disk_usage(there).free
