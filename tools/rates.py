"""Measure the training rates of two checkouts in the same minutes.

    python tools/rates.py OLD NEW --config drqa match_lstm --data squad --cache data/cache

trains each configuration for some steps with the old checkout, the new one, the old one again and
so on, each time in a process of its own with the same data and seed, and prints the medians of the
questions per second and their ratio. What else the machine does changes a rate more than most
changes of the code do: only rates taken in turns can be compared. The last column is the ratio by
the time that the processors spent on the training, on which other work has far less influence; it
leaves out what a training waits for, and with several threads it counts their waiting as work.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from checkouts import Checkout, RunFailedError, open_checkout

ROUNDS = 5

SECONDS = 40.0
"""Seconds of training steps that one measurement should take, where no number of steps is given."""

WARM_UP = 5
"""Steps before the clock starts: the first ones allocate memory."""

PILOT_STEPS = 10
"""Steps, after the warm-up, that tell how many the measurements need."""

TIMEOUT = 3600
"""Seconds that one training may take; the first one may have to prepare the data."""

SEED = 1

HEADER = (
    "| configuration | steps | old questions/s | new questions/s | new / old | each round | CPU |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
)


class StepEnd(NamedTuple):
    """The end of a training step.

    Args:
        seconds: When it was, by the clock.
        cpu_seconds: What the process had spent of the processors' time by then.
        questions: How many questions the step had.
    """

    seconds: float
    cpu_seconds: float
    questions: int


@dataclass(frozen=True)
class Rates:
    """How fast a training was.

    Args:
        by_clock: Questions a second.
        by_cpu: Questions a second of the processors' time.
    """

    by_clock: float
    by_cpu: float


@dataclass(frozen=True)
class Workload:
    """What both checkouts train.

    Args:
        config: Name of the configuration.
        extra: Names of parts to put on top of it.
        data: Folder or name of the data.
        limit_train: Train on the first so many questions only; None takes all.
        cache: Folder of prepared data.
        threads: Threads of a process.
    """

    config: str
    extra: tuple[str, ...]
    data: str
    limit_train: int | None
    cache: Path
    threads: int

    def ends(self, checkout: Checkout, *, steps: int) -> list[StepEnd]:
        """Train with a checkout; give when each step ended.

        Args:
            checkout: The checkout.
            steps: Optimiser steps.

        Raises:
            RunFailedError: The training failed.
        """
        with tempfile.TemporaryDirectory(prefix="rates-") as work:
            times = Path(work) / "times.json"
            callback = {"class_path": "step_times.StepTimes", "init_args": {"file": str(times)}}
            options = checkout.config_options(self.config, extra=self.extra)
            for option, value in (
                ("--data.train", self.data),
                ("--data.test", self.data),
                ("--data.limit_train", self.limit_train),
                ("--trainer.max_steps", steps),
                ("--trainer.max_epochs", -1),
                ("--trainer.limit_val_batches", 1),  # they are not what is measured
                ("--trainer.limit_test_batches", 1),
                ("--trainer.callbacks", json.dumps([callback])),
                ("--seed_everything", SEED),
            ):
                options += [] if value is None else [option, str(value)]
            checkout.fit(
                options,
                run=Path(work) / "run",
                cache=self.cache,
                threads=self.threads,
                path=[Path(__file__).parent],
                timeout=TIMEOUT,
            )
            return [StepEnd(*end) for end in json.loads(times.read_text(encoding="utf-8"))]


def rates(ends: Sequence[StepEnd], *, warm_up: int = WARM_UP) -> Rates:
    """Give the rates of the steps after the warm-up.

    Args:
        ends: When each step ended.
        warm_up: Steps to leave out, 1 or more: the clock starts when the last of them ends.

    Raises:
        ValueError: There is no step after the warm-up.
    """
    if len(ends) <= warm_up:
        raise ValueError(f"{len(ends)} steps, of which {warm_up} are the warm-up")
    questions = sum(end.questions for end in ends[warm_up:])
    first, last = ends[warm_up - 1], ends[-1]
    return Rates(
        questions / (last.seconds - first.seconds),
        questions / (last.cpu_seconds - first.cpu_seconds),
    )


def steps_for(seconds: float, pilot: Sequence[StepEnd], *, warm_up: int = WARM_UP) -> int:
    """Give how many steps, warm-up included, take about so many seconds.

    Args:
        seconds: How long the steps after the warm-up should take.
        pilot: When each step of a short training ended.
        warm_up: Steps of the warm-up.
    """
    measured = len(pilot) - warm_up
    per_step = (pilot[-1].seconds - pilot[warm_up - 1].seconds) / measured
    return warm_up + max(measured, round(seconds / per_step))


def row(name: str, steps: int, rounds: Sequence[tuple[Rates, Rates]]) -> str:
    """Give a row of the table under `HEADER`.

    Args:
        name: The configuration.
        steps: Optimiser steps of each measurement.
        rounds: The old and the new rates of each round.
    """
    old, new = (median(one.by_clock for one in side) for side in zip(*rounds, strict=True))
    old_cpu, new_cpu = (median(one.by_cpu for one in side) for side in zip(*rounds, strict=True))
    ratios = sorted(after.by_clock / before.by_clock for before, after in rounds)
    spread = f"{ratios[0]:.3f} to {ratios[-1]:.3f}"
    cells = [name, f"{steps}", f"{old:.1f}", f"{new:.1f}", f"{new / old:.3f}", spread]
    return f"| {' | '.join([*cells, f'{new_cpu / old_cpu:.3f}'])} |"


def measure(
    old: Checkout,
    new: Checkout,
    workload: Workload,
    *,
    rounds: int,
    steps: int | None,
    seconds: float,
) -> str:
    """Measure one configuration, the old and the new checkout in turns; give the table's row.

    Args:
        old: The old checkout.
        new: The new one.
        workload: What they train.
        rounds: How often each is measured.
        steps: Optimiser steps of a measurement; None takes as many as take `seconds`.
        seconds: Seconds of training steps of a measurement.

    Raises:
        RunFailedError: A training failed.
        ValueError: There are too few steps.
    """
    name = " + ".join([workload.config, *workload.extra])
    if steps is None:
        pilot = workload.ends(old, steps=WARM_UP + PILOT_STEPS)
        steps = steps_for(seconds, pilot)
    measured: list[tuple[Rates, Rates]] = []
    for number in range(rounds):
        before, after = (rates(workload.ends(each, steps=steps)) for each in (old, new))
        measured.append((before, after))
        told = f"{before.by_clock:.1f} and {after.by_clock:.1f} questions/s"
        print(f"{name}: round {number + 1}, {steps} steps, {told}", file=sys.stderr, flush=True)
    return row(name, steps, measured)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure two checkouts.

    Args:
        arguments: The command line after the program's name; None takes the process's own.

    Returns:
        The exit code: 0, or 1 where a training failed.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        old = open_checkout(options.old, options.python_old)
        new = open_checkout(options.new, options.python_new)
        known = old.config_files().keys() & new.config_files().keys()
        for name in [*options.config, *options.extra]:
            if name not in known:
                both = ", ".join(sorted(known))
                raise ValueError(f'not in both checkouts: "{name}"; known: {both}')
        if options.steps is not None and options.steps <= WARM_UP:
            raise ValueError(f"--steps cannot be {options.steps}: {WARM_UP} are the warm-up")
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(
        f"old {old.commit}, new {new.commit}, {options.threads} thread(s)\n\n{HEADER}", flush=True
    )
    data = Path(options.data)
    for config in options.config:
        workload = Workload(
            config,
            tuple(options.extra),
            str(data.resolve()) if data.exists() else options.data,
            options.limit_train,
            Path(options.cache).resolve(),
            options.threads,
        )
        try:
            told = measure(
                old,
                new,
                workload,
                rounds=options.rounds,
                steps=options.steps,
                seconds=options.seconds,
            )
            print(told, flush=True)
        except (RunFailedError, ValueError, OSError) as error:
            print(f"{config}: {error}", file=sys.stderr)
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python {os.path.join('tools', 'rates.py')}",
        description="Measure the training rates of two checkouts in turns.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("old", metavar="OLD", help="the old checkout")
    add("new", metavar="NEW", help="the new checkout")
    add("--config", metavar="NAME", nargs="+", required=True, help="such as drqa match_lstm")
    add("--extra", metavar="NAME", nargs="+", default=[], help="such as vectors/glove_and_spacy")
    add("--data", metavar="SOURCE", required=True, help="folder of the data, or its name")
    add("--cache", metavar="FOLDER", required=True, help="prepared data, filled where it is not")
    add("--rounds", metavar="N", type=int, default=ROUNDS, help=f"default: {ROUNDS}")
    add("--steps", metavar="N", type=int, help="of each measurement (default: see --seconds)")
    add("--seconds", metavar="S", type=float, default=SECONDS, help=f"default: {SECONDS:.0f}")
    add("--limit-train", metavar="N", type=int, help="train on the first so many questions only")
    add("--threads", metavar="N", type=int, default=1, help="of a process (default: 1)")
    add("--python-old", metavar="FILE", help="OLD's interpreter (default: its .venv's, or this)")
    add("--python-new", metavar="FILE", help="NEW's interpreter, likewise")
    return parser


if __name__ == "__main__":
    sys.exit(main())
