"""Curves of trainings in the terminal, printed again with each news until they end."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from squadqa.cli.console import facts
from squadqa.evaluation.training_log import Curve, TrainingLog, read_training_log
from squadqa.inference.run_folder import find_run

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.-=+*%#"
WIDTH = 48
"""Characters of a curve."""


def show_live(folders: Sequence[Path], *, seconds: float) -> int:
    """Print the curves of runs, again and again while one of them trains.

    Args:
        folders: The run folders.
        seconds: Seconds between two looks.

    Returns:
        The exit code.

    Raises:
        CheckpointError: A folder is not a run's.
        DataError: A log cannot be read.
    """
    from squadqa.files import is_locked
    from squadqa.training.run_lock import LOCK

    for folder in folders:
        find_run(folder)
    shown = ""
    while True:
        is_training = any(is_locked(folder / LOCK) for folder in folders)
        text = "\n\n".join(curves_text(read_training_log(one), one.name) for one in folders)
        if text != shown:
            print(("\n" if shown else "") + text, flush=True)
            shown = text
        if not is_training:
            return 0
        time.sleep(seconds)


def curves_text(log: TrainingLog, name: str) -> str:
    """Draw curves as a line of blocks each, with their first, last and best values.

    Args:
        log: The course of a training.
        name: The run's name.
    """
    if not log.last_step:
        return f"{name}: nothing is logged yet"
    pairs = [
        (said, f"{spark(curve)}  {curve[0][1]:.{digits}f} to {curve[-1][1]:.{digits}f}")
        for said, curve, digits in (
            ("train loss", log.train_loss, 3),
            ("val loss", log.val_loss, 3),
            ("exact match", log.exact_match, 1),
            ("F1", log.f1, 1),
            ("learning rate", log.learning_rate, 6),
        )
        if curve
    ]
    best = log.best
    where = f"step {log.last_step:,}, epoch {log.epochs:,}"
    if best:
        where += f"; best F1 {best[1]:.1f} after step {best[0]:,}"
    return f"{name}: {where}\n{facts(pairs)}"


def spark(curve: Curve, *, width: int = WIDTH) -> str:
    """Draw a curve as one line of blocks, by steps from the first to the last.

    Args:
        curve: Steps and values, one or more.
        width: Characters of the line.
    """
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    blocks = BLOCKS if is_unicode else ASCII_BLOCKS
    low, high = (pick(value for _, value in curve) for pick in (min, max))
    first, last = curve[0][0], curve[-1][0]
    cells: list[list[float]] = [[] for _ in range(width)]
    for step, value in curve:
        cells[round((step - first) / max(1, last - first) * (width - 1))].append(value)
    line, value = "", curve[0][1]
    for cell in cells:
        value = sum(cell) / len(cell) if cell else value
        share = (value - low) / (high - low) if high > low else 0.5
        line += blocks[min(len(blocks) - 1, int(share * len(blocks)))]
    return line
