"""How long things take, and how much memory, on this machine: what no test asks for.

`python tools/bench.py` trains two models on the sample for some seconds each and asks them;
`python tools/bench.py runs/drqa` asks a run of yours. One thread, so that figures of busy machines
compare. Each figure is the best of several but for trainings, which run once. Programs are measured
before this one grows, for Linux counts what a program's parent held as the program's own.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import squadqa
from squadqa.evaluation.results import read_result

if TYPE_CHECKING:
    from squadqa.inference.answering import Answerer

REPEATS = 3
TRAINED = ("drqa", "logistic")
"""Configurations that are trained on the sample: a reader and a scorer."""

LIMIT = 640
"""Questions that a training has: 20 batches."""

CONTEXT_WORDS = 150
ASKED = 20
"""Questions to take the median of."""


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


def bench_training(folder: Path, name: str) -> Path:
    """Train a model on a part of the sample; give its run folder."""
    run = folder / "runs" / name
    line = ["-m", "squadqa.cli.main", "train", "--config", f"configs/{name}.yaml"]
    line += ["--data", "sample", "--run", str(run), "--epochs", "1", "--wandb", "off"]
    done = measure(sys.executable, *line, "--data.limit_train", LIMIT, folder=folder)
    rate = read_result(run / "results.json").examples_per_second or 0.0
    show(f"training {name} on {LIMIT} questions, all of it", f"{done.seconds:.1f} s", done.gib)
    show("  its steps", f"{rate:.0f} questions/s")
    return run


def bench_answers(folder: Path) -> None:
    """Measure what a run takes to answer one question."""
    begun = time.perf_counter()
    run = squadqa.load(folder, device="cpu")
    texts = contexts()
    run.answer(next(texts), "Who built the mill?")
    show(f"{folder.name}: open it and answer once", f"{time.perf_counter() - begun:.2f} s")
    new = median_ms(lambda: ask(run, next(texts), "Who built the mill?"))
    show("  a question about another text", f"{new:.1f} ms")
    context, numbers = next(texts), iter(range(10**6))
    same = median_ms(lambda: ask(run, context, f"Who was there in {next(numbers)}?"))
    show("  another question about the same text", f"{same:.1f} ms")


def ask(run: "Answerer", context: str, question: str) -> None:
    """Ask a question."""
    run.answer(context, question)


def median_ms(run: Callable[[], None]) -> float:
    """Give the median time of some runs, after a first one, in milliseconds."""
    run()
    taken = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begun)
    return 1000 * statistics.median(taken)


def contexts() -> Iterator[str]:
    """Texts of 150 words, made of the sample's, each one once."""
    from squadqa.data.squad import find_source, read_squad

    words = " ".join(read_squad(find_source("sample")).contexts).split()
    for start in range(0, len(words) - CONTEXT_WORDS, 50):
        yield " ".join(words[start : start + CONTEXT_WORDS])


def main(arguments: list[str]) -> int:
    """Measure everything, or the answers of the runs that are named."""
    if arguments:
        for name in arguments:
            bench_answers(Path(name))
        return 0
    folder = Path(tempfile.mkdtemp(prefix="squadqa-bench-"))
    try:
        bench_starts(folder)
        bench_preparing(folder)
        for run in [bench_training(folder, name) for name in TRAINED]:
            bench_answers(run)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    os.environ.update(OMP_NUM_THREADS="1", WANDB_MODE="offline", HF_HUB_OFFLINE="1")
    sys.exit(main(sys.argv[1:]))
