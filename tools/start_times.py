"""How long commands take to start and to prepare the sample, and how much memory.

`python tools/start_times.py`, which `make bench` runs. One thread, so that figures of busy machines
compare. Each figure is the best of several but for preparing, which runs once from nothing. Linux
counts what a program's parent held as the program's own, so this one imports little.
`squadqa bench` measures models.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPEATS = 3


@dataclass(frozen=True)
class Process:
    """A program that has run to its end.

    Args:
        seconds: How long that took.
        gib: The most memory that it held, in GiB.
    """

    seconds: float
    gib: float


def measure(*command: object, folder: Path) -> Process:
    """Run a program, and stop everything if it fails."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*map(str, command)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    if code := os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(map(str, command))} ended with {code}\n{said.decode()}")
    return Process(seconds, usage.ru_maxrss / 2**20)


def best(run: Callable[[], Process]) -> Process:
    """Run something several times, and give the quickest."""
    return min((run() for _ in range(REPEATS)), key=lambda process: process.seconds)


def show(what: str, figure: str, gib: float | None = None) -> None:
    """Print a line of the table."""
    memory = f"{gib:6.2f} GiB" if gib is not None else ""
    print(f"{what:52} {figure:>18} {memory}".rstrip(), flush=True)


def bench_starts(folder: Path) -> None:
    """Measure how long commands take that do nothing heavy."""
    for what, arguments in (
        ("import squadqa", ["-c", "import squadqa"]),
        ("squadqa --help", ["-m", "squadqa.cli.main", "--help"]),
        ("squadqa train --help", ["-m", "squadqa.cli.main", "train", "--help"]),
    ):
        process = best(lambda line=arguments: measure(sys.executable, *line, folder=folder))  # type: ignore[misc]
        show(what, f"{process.seconds:.2f} s", process.gib)


def bench_preparing(folder: Path) -> None:
    """Measure preparing the sample, from nothing and again."""
    line = [sys.executable, "-m", "squadqa.cli.main", "prepare", "sample", "--annotate"]
    first = measure(*line, folder=folder)
    show("squadqa prepare sample --annotate", f"{first.seconds:.1f} s", first.gib)
    again = best(lambda: measure(*line, folder=folder))
    show("the same again, from the cache", f"{again.seconds:.1f} s", again.gib)


def main() -> int:
    """Measure everything."""
    with tempfile.TemporaryDirectory(prefix="squadqa-starts-") as folder:
        bench_starts(Path(folder))
        bench_preparing(Path(folder))
    return 0


if __name__ == "__main__":
    os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1")
    sys.exit(main())
