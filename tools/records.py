"""What is recorded of trainings to compare two checkouts, and the comparison.

A record holds numbers as `float.hex` writes them: equal texts are equal numbers, to the last bit.
"""

import csv
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TRAIN_LOSS, OTHER_LOSSES = "train/loss", ("val/loss", "test/loss")
"""Columns of a run's metrics.csv."""

HEADER = "| configuration | losses | largest difference | predictions |\n| --- | --- | --- | --- |"


@dataclass(frozen=True)
class Record:
    """What one training of a configuration gave, or why it gave nothing.

    Args:
        losses: Loss of every step, and of the evaluations, as hexadecimal floats by their place:
            "step 1", ..., "val", "test".
        predictions: Answers to the test questions by id.
        skipped: Why it cannot be trained here, such as a package that is not installed.
        failed: Which error ended it.
    """

    losses: Mapping[str, str] = field(default_factory=dict)
    predictions: Mapping[str, str] = field(default_factory=dict)
    skipped: str = ""
    failed: str = ""


@dataclass(frozen=True)
class Setting:
    """What a number may depend on besides the code and the configuration.

    Args:
        steps: Optimiser steps.
        seed: Seed of weights, order and dropout.
        data: Checksum of the data's files.
        packages: Versions of Python and of the packages that compute.
        machine: The processor's name.
    """

    steps: int
    seed: int
    data: str
    packages: str
    machine: str


@dataclass(frozen=True)
class Comparison:
    """How two records of one configuration compare.

    Args:
        name: The configuration.
        losses: What is to say about the losses.
        difference: Largest absolute difference of two losses; None where there are none to compare.
        predictions: What is to say about the predictions.
        is_same: Whether nothing differs.
    """

    name: str
    losses: str
    difference: float | None
    predictions: str
    is_same: bool

    @property
    def row(self) -> str:
        """A row of the table under `HEADER`."""
        difference = "" if self.difference is None else f"{self.difference:.3g}"
        cells = [self.name, self.losses, difference, self.predictions]
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def compare(name: str, old: Record | None, new: Record | None) -> Comparison:
    """Compare what two checkouts gave for a configuration.

    A configuration that only the new one has is told, and is no difference: there is nothing that
    it could differ from.

    Args:
        name: The configuration.
        old: The old checkout's record; None where it has no such configuration.
        new: The new checkout's record, likewise.
    """
    if old is None or new is None:
        which = "new" if old is None else "old"
        return Comparison(name, f"only in {which}", None, "", is_same=old is None)
    if old.skipped and new.skipped:
        return Comparison(name, f"skipped: {new.skipped}", None, "", is_same=True)
    stopped = [
        f"{side} {what}: {why}"
        for side, record in (("old", old), ("new", new))
        for what, why in (("skipped", record.skipped), ("failed", record.failed))
        if why
    ]
    if stopped:
        return Comparison(name, "; ".join(stopped), None, "", is_same=False)
    places = list(dict.fromkeys([*old.losses, *new.losses]))
    unequal = [place for place in places if old.losses.get(place) != new.losses.get(place)]
    ids = old.predictions.keys() | new.predictions.keys()
    wrong = sum(old.predictions.get(each) != new.predictions.get(each) for each in ids)
    return Comparison(
        name,
        f"{len(unequal)} of {len(places)} differ, first: {unequal[0]}"
        if unequal
        else f"{len(places)} equal",
        max((_difference(old.losses.get(p), new.losses.get(p)) for p in unequal), default=0.0),
        f"{wrong} of {len(ids)} differ" if wrong else f"{len(ids)} equal",
        is_same=not unequal and not wrong,
    )


def read_run(run: Path, *, steps: int) -> Record:
    """Read what a training wrote into its run folder.

    Args:
        run: The run folder.
        steps: Optimiser steps that it was to take.

    Raises:
        ValueError: The run folder does not hold every step's loss and every prediction.
    """
    logs = sorted(run.glob("logs/**/metrics.csv"))
    if len(logs) != 1:
        raise ValueError(f"{len(logs)} files logs/**/metrics.csv in the run folder")
    losses = read_losses(logs[0].read_text(encoding="utf-8"))
    expected = [f"step {number + 1}" for number in range(steps)] + ["val", "test"]
    if missing := [place for place in expected if place not in losses]:
        raise ValueError(f"metrics.csv has no loss of {', '.join(missing)}")
    predictions = json.loads((run / "predictions.json").read_text(encoding="utf-8"))
    if not predictions:
        raise ValueError("predictions.json is empty")
    return Record(losses, predictions)


def read_losses(text: str) -> dict[str, str]:
    """Read the losses from Lightning's log.

    Args:
        text: The content of metrics.csv.

    Returns:
        Hexadecimal floats by place, as in `Record`.

    Raises:
        ValueError: The losses are rounded, so that equal texts need not be equal numbers.
    """
    losses = {}
    for row in csv.DictReader(text.splitlines()):
        if row.get(TRAIN_LOSS):
            value = float(row[TRAIN_LOSS])
            # Losses are computed in 32 bits. One with fewer digits than that takes is most likely
            # none of the numbers that 32 bits can hold.
            if math.isfinite(value) and struct.unpack("f", struct.pack("f", value))[0] != value:
                raise ValueError(f"the loss {row[TRAIN_LOSS]} in metrics.csv is rounded")
            losses[f"step {int(row['step']) + 1}"] = value.hex()
        for column in OTHER_LOSSES:
            if row.get(column):
                losses[column.partition("/")[0]] = float(row[column]).hex()
    return losses


def to_json(commit: str, setting: Setting, records: Mapping[str, Record]) -> str:
    """Write records as a JSON text that `from_json` reads.

    Args:
        commit: The commit whose records they are.
        setting: What they depend on besides.
        records: The records by configuration.
    """
    plain = {name: asdict(record) for name, record in records.items()}
    return json.dumps({"commit": commit, "setting": asdict(setting), "records": plain}, indent=1)


def from_json(text: str) -> tuple[str, Setting, dict[str, Record]]:
    """Read what `to_json` wrote: the commit, the setting, and the records by configuration.

    Args:
        text: The JSON text.

    Raises:
        ValueError: It is no such text.
    """
    try:
        content: dict[str, Any] = json.loads(text)
        records = {name: Record(**plain) for name, plain in content["records"].items()}
        return content["commit"], Setting(**content["setting"]), records
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not written by --save-old: {error}") from error


def _difference(old: str | None, new: str | None) -> float:
    """Give how far two hexadecimal floats are apart; infinity where that is no number."""
    if old is None or new is None:
        return math.inf
    difference = abs(float.fromhex(old) - float.fromhex(new))
    return math.inf if math.isnan(difference) else difference
