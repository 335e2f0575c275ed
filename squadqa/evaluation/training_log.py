"""The course of a training, from the CSV logs in its run folder: loss, scores, learning rate."""

import csv
import math
from dataclasses import dataclass, field
from pathlib import Path

from squadqa.errors import DataError
from squadqa.run_files import LOGS

COLUMNS = {
    "train_loss": "train/loss",
    "val_loss": "val/loss",
    "exact_match": "val/exact_match",
    "f1": "val/f1",
}
"""The logged name of each curve but the learning rate's."""

RATE = "lr-"
"""How the logged name of the learning rate begins; the optimiser's follows."""

METRICS = "metrics.csv"
"""The file of one session's scores; a resumed training has several sessions."""

Curve = list[tuple[int, float]]
"""Steps, and the value after each of them."""


@dataclass(frozen=True)
class TrainingLog:
    """The course of a training.

    Args:
        train_loss: Loss on train, in nats a question.
        learning_rate: The learning rate, of the first group of weights.
        val_loss: Loss on the validation questions.
        exact_match: Exact match on them, in percent.
        f1: F1 on them, in percent.
        epochs: Passes over train that have begun.
    """

    train_loss: Curve = field(default_factory=list)
    learning_rate: Curve = field(default_factory=list)
    val_loss: Curve = field(default_factory=list)
    exact_match: Curve = field(default_factory=list)
    f1: Curve = field(default_factory=list)
    epochs: int = 0

    @property
    def best(self) -> tuple[int, float] | None:
        """The step with the highest F1 and that F1; None before the first evaluation."""
        return max(self.f1, key=lambda point: (point[1], -point[0]), default=None)

    @property
    def last_step(self) -> int:
        """The last step that is logged."""
        curves = (self.train_loss, self.val_loss, self.f1, self.learning_rate)
        return max((curve[-1][0] for curve in curves if curve), default=0)


def read_training_log(folder: Path) -> TrainingLog:
    """Read the logs of a run folder.

    A resumed training logs again what came after its checkpoint; the later session counts.

    Args:
        folder: The run folder.

    Returns:
        The curves, each by rising steps; empty where nothing is logged yet.

    Raises:
        DataError: A log cannot be read, or is not one.
    """
    points: dict[str, dict[int, float]] = {name: {} for name in (*COLUMNS, "learning_rate")}
    epochs = 0
    for path in sorted((folder / LOGS).glob(f"version_*/{METRICS}"), key=_session):
        rows = _rows(path)
        begin = min((int(row["step"]) for row in rows), default=0)
        columns = _columns(rows)
        for some in points.values():
            for step in [step for step in some if step >= begin]:
                del some[step]
        for row in rows:
            epochs = max(epochs, int(row.get("epoch") or 0) + 1)
            for name, column in columns.items():
                value = float(row.get(column) or math.nan)
                if math.isfinite(value):
                    points[name][int(row["step"])] = value
    return TrainingLog(
        **{name: sorted(some.items()) for name, some in points.items()}, epochs=epochs
    )


def _session(path: Path) -> int:
    number = path.parent.name.rpartition("_")[2]
    return int(number) if number.isdecimal() else -1


def _columns(rows: list[dict[str, str]]) -> dict[str, str]:
    """The logged name of each curve."""
    rates = sorted(name for name in (rows[0] if rows else {}) if str(name).startswith(RATE))
    return {**COLUMNS, **({"learning_rate": rates[0]} if rates else {})}


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            int(row["step"])
            int(row.get("epoch") or 0)
            for column in _columns(rows).values():
                float(row.get(column) or 0)
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise DataError(
            f'cannot read the log of a training, "{path}": {error}',
            next_step="Put back the file that training wrote, or remove it.",
        ) from error
    return rows
