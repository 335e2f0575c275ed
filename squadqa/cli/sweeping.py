"""The trials of a sweep: each a training with a run folder of its own, one after another."""

import csv
import io
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from squadqa.cli.console import bold, facts, table
from squadqa.cli.lightning import run as run_training
from squadqa.errors import SquadQAError
from squadqa.files import write_atomic
from squadqa.run_files import CHECKPOINTS, LAST, LOGS
from squadqa.training.run_lock import hold_folder
from squadqa.training.sweep import (
    FILE,
    Plain,
    Sweep,
    Trial,
    importances,
    next_values,
    open_sweep,
    require_optuna,
    write_sweep,
)

TABLE = "sweep.md"
"""The table of a sweep's folder."""

SHOWN = 10
"""Trials that are printed at the end: the best."""


def sweep(new: Sweep, folder: Path, *, trials: int, also_known: Sequence[str]) -> int:
    """Train the missing trials of a sweep, and print what came of them.

    Args:
        new: The sweep, without trials.
        folder: Its folder.
        trials: How many trials it has in the end.
        also_known: Options of the command, to suggest for a wrong one.

    Returns:
        The exit code: 0, or 1 if a signal stopped it.

    Raises:
        SquadQAError: A mistake of the user.
    """
    require_optuna()
    next_step = "Wait until it ends, stop it, or name another folder with --output."
    open_sweep(folder, new)  # a folder of other files gets no lock
    with hold_folder(folder, next_step=next_step):
        done = open_sweep(folder, new)
        write_sweep(folder, done)
        while len(done.trials) < trials:
            number = len(done.trials)
            values = next_values(done.ranges, done.trials, seed=done.seed)
            shown = ", ".join(f"{_short(name)} {value}" for name, value in values.items())
            _say(bold(f"{number + 1} of {trials}: {shown}", stream=sys.stderr))
            trial = _trained(number, values, done.config, folder, also_known)
            if trial is None:
                _say("Stopped; the same command goes on.")
                return 1
            done = replace(done, trials=(*done.trials, trial))
            write_sweep(folder, done)
            _write_table(folder, done)
            best = done.best
            _say(f"  held-out F1 {trial.score:.2f}, the best so far {best.score:.2f}"
                 if trial.score is not None and best is not None and best.score is not None
                 else "  no score")  # fmt: skip
    _print(folder, done)
    return 0


def _trained(
    number: int,
    values: dict[str, Plain],
    config: Sequence[str],
    folder: Path,
    also_known: Sequence[str],
) -> Trial | None:
    """Train one trial, or resume it; None if a signal stopped it.

    The values depend only on the trials before, so a run folder of this number is of this trial.
    """
    began = time.monotonic()
    run = folder / f"trial-{number + 1}"
    resumes = (run / CHECKPOINTS / LAST).is_file()
    if not resumes:
        shutil.rmtree(run, ignore_errors=True)
    line = ["fit", *config, f"--run_folder={run}", f"--resume={str(resumes).lower()}"]
    line += [f"--{name}={_written(value)}" for name, value in values.items()]
    try:
        with redirect_stdout(io.StringIO()):
            code = run_training(line, command="squadqa sweep", also_known=also_known)
    except SquadQAError:
        if number == 0:  # the options are wrong for every trial
            raise
        _say("  failed: these values cannot be trained")
        return Trial(number, values, None, (time.monotonic() - began) / 60, run.name)
    if code != 0:
        return None
    return Trial(number, values, best_f1(run), (time.monotonic() - began) / 60, run.name)


def best_f1(run: Path) -> float | None:
    """Return the best held-out F1 that a run logged, in percent; None if it logged none.

    Args:
        run: The run folder.
    """
    scores = []
    for path in run.glob(f"{LOGS}/version_*/metrics.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            scores += [float(row["val/f1"]) for row in csv.DictReader(file) if row.get("val/f1")]
    return max(scores, default=None)


def _written(value: Plain) -> str:
    return (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _rows(done: Sweep, most: int | None = None) -> list[list[str]]:
    """Return the trials as rows, the best first, after a row of headings."""
    order = sorted(done.trials, key=lambda one: -1 if one.score is None else -one.score - 2)
    head = ["trial", "F1", "minutes", *map(_short, done.ranges)]
    rows = [
        [
            one.run,
            "-" if one.score is None else f"{one.score:.2f}",
            f"{one.minutes:.1f}",
            *(str(one.values[name]) for name in done.ranges),
        ]
        for one in order[:most]
    ]
    return [head, *rows]


def _write_table(folder: Path, done: Sweep) -> None:
    """Write all trials, and what mattered, as a Markdown page."""
    head, *rows = _rows(done)
    lines = ["# Trials, the best first", "", " | ".join(["", *head, ""]).strip()]
    lines += ["| --- " + "| ---: " * (len(head) - 1) + "|"]
    lines += [" | ".join(["", *row, ""]).strip() for row in rows]
    if shares := importances(done.ranges, done.trials):
        lines += [
            "",
            "# What mattered",
            "",
            "| option | share of the differences |",
            "| --- | ---: |",
        ]
        lines += [f"| {name} | {100 * share:.0f} % |" for name, share in shares.items()]
    with write_atomic(folder / TABLE) as file:
        file.write("\n".join([*lines, ""]))


def _print(folder: Path, done: Sweep) -> None:
    head, *rows = table(_rows(done, SHOWN)).splitlines()
    print("\n".join([bold(head), *rows]))
    if shares := importances(done.ranges, done.trials):
        width = max(len(_short(name)) for name in shares)
        print(f"\n{bold('What mattered')} (share of the differences between good trials and all)")
        for name, share in shares.items():
            print(f"{_short(name):{width}}  {'█' * round(30 * share):30}  {100 * share:.0f} %")
    pairs = [("table", str(folder / TABLE)), ("trials", str(folder / FILE))]
    if done.best is not None:
        pairs.append(("best run", str(folder / done.best.run)))
    print(f"\n{facts(pairs)}", flush=True)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
