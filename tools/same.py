"""Show that a refactoring changes nothing: train with two checkouts, compare every loss.

    python tools/same.py OLD NEW

trains every complete configuration, and every part on its base, for a few steps on the sample data
with both checkouts, each by its own command line, and compares the loss of every step, the losses
of the evaluations and the predictions, all to the last bit. It prints a table, and ends with exit
code 1 where anything differs.

    python tools/same.py OLD --save-old old.json
    python tools/same.py old.json NEW

keeps the old checkout's records, so that later comparisons train with the new one only.
"""

import argparse
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from checkouts import Checkout, RunFailedError, chosen_names, open_checkout
from records import HEADER, Comparison, Record, Setting, compare, from_json, read_run, to_json

STEPS = 20
"""Default number of optimiser steps: enough for a difference in one gradient to reach a loss."""

SEED = 1

TIMEOUT = 1800
"""Seconds that one training may take. The slowest takes a minute on one idle core."""

NOT_INSTALLED = "is not installed"
"""Part of the message of a training that needs a package that is not there."""

PACKAGES = (
    "import platform, importlib.metadata as m; print('Python', platform.python_version(), "
    "*(f'{name} {m.version(name)}' for name in ('torch', 'numpy', 'pytorch-lightning', 'spacy')))"
)
"""A program that prints the versions that numbers depend on."""


class SavedSide:
    """Records that were kept in a file.

    Args:
        file: The file, as --save-old writes it.
    """

    def __init__(self, file: Path) -> None:
        self.commit, self.setting, self._records = from_json(file.read_text(encoding="utf-8"))
        self.names = list(self._records)

    def record(self, name: str) -> Record:
        """Give the record of a configuration."""
        return self._records[name]


class TrainedSide:
    """Records of trainings with a checkout, made when they are asked for.

    Args:
        checkout: The checkout.
        steps: Optimiser steps of a training.
        cache: Folder of prepared data.
        work: Folder that gets a folder for each training.
    """

    def __init__(self, checkout: Checkout, *, steps: int, cache: Path, work: Path) -> None:
        self.checkout = checkout
        self.commit = checkout.commit
        self.setting = setting_of(checkout, steps=steps)
        self.names = list(checkout.config_files())
        self.cache = cache
        self.work = work

    def record(self, name: str) -> Record:
        """Train a configuration."""
        options = self.checkout.config_options(name)
        for option, value in (
            ("--data.train", self.checkout.sample),
            ("--data.test", self.checkout.sample),
            ("--trainer.max_steps", self.setting.steps),
            ("--trainer.log_every_n_steps", 1),
            ("--seed_everything", self.setting.seed),
        ):
            options += [option, str(value)]
        try:
            with tempfile.TemporaryDirectory(dir=self.work) as folder:
                run = Path(folder) / "run"
                self.checkout.fit(options, run=run, cache=self.cache, timeout=TIMEOUT)
                return read_run(run, steps=self.setting.steps)
        except (RunFailedError, ValueError, OSError) as error:
            if NOT_INSTALLED in str(error):
                return Record(skipped=str(error))
            return Record(failed=str(error) or type(error).__name__)


Side = SavedSide | TrainedSide


def setting_of(checkout: Checkout, *, steps: int) -> Setting:
    """Find out what a checkout's numbers depend on besides its code.

    Args:
        checkout: The checkout.
        steps: Optimiser steps of a training.
    """
    digest = hashlib.sha256()
    for file in sorted(checkout.sample.glob("*.json")):
        digest.update(file.name.encode() + file.read_bytes())
    versions = subprocess.run(
        [checkout.python, "-c", PACKAGES], capture_output=True, text=True, check=True
    )
    return Setting(steps, SEED, digest.hexdigest()[:16], versions.stdout.strip(), _processor())


def compare_sides(old: Side, new: Side | None, names: Iterable[str], *, save: Path | None) -> bool:
    """Compare configuration by configuration; print a row of the table for each.

    Args:
        old: The old side.
        new: The new side; None only makes the old side's records.
        names: The configurations.
        save: File that gets the old side's records, if any.

    Returns:
        Whether nothing differs, and nothing failed.
    """
    kept: dict[str, Record] = {}
    is_same = True
    print(HEADER, flush=True)
    for name in names:
        before = old.record(name) if name in old.names else None
        if before is not None:
            kept[name] = before
        if save:  # each time: nothing is lost when a later training is stopped
            save.write_text(to_json(old.commit, old.setting, kept), encoding="utf-8")
        if new is None and before is not None:
            row = recorded(name, before)
        else:
            after = new.record(name) if new is not None and name in new.names else None
            row = compare(name, before, after)
        is_same = is_same and row.is_same
        print(row.row, flush=True)
    return is_same


def recorded(name: str, record: Record) -> Comparison:
    """Say what there is to compare with later.

    Args:
        name: The configuration.
        record: What its training gave.
    """
    told = compare(name, record, record)
    if not told.is_same or record.skipped:
        return told
    losses, answers = len(record.losses), len(record.predictions)
    return Comparison(name, f"{losses} recorded", None, f"{answers} recorded", is_same=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two checkouts.

    Args:
        arguments: The command line after the program's name; None takes the process's own.

    Returns:
        The exit code: 0, or 1 where anything differs or failed.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="same-") as work:
        try:
            sides = [
                _side(
                    place, python, steps=options.steps, cache=options.cache, work=Path(work) / own
                )
                for place, python, own in (
                    (options.old, options.python_old, "old"),
                    (options.new, options.python_new, "new"),
                )
                if place
            ]
            old, new = sides[0], sides[1] if len(sides) > 1 else None
            names = chosen_names(sorted({*old.names, *(new.names if new else ())}), options.only)
            for setting in (side.setting for side in sides):
                if (setting.steps, setting.data) != (options.steps, old.setting.data):
                    raise ValueError(
                        f"the steps or the data differ: {setting.steps} steps on {setting.data}, "
                        f"not {options.steps} on {old.setting.data}"
                    )
        except (OSError, ValueError) as error:
            parser.error(str(error))
        for name, side in zip(("Old", "New"), sides, strict=False):
            print(f"{name}: {side.commit}, {side.setting.packages}, {side.setting.machine}")
        if new and new.setting != old.setting:
            print("The packages or the processors differ: that alone can change numbers.")
        print()
        save = Path(options.save_old) if options.save_old else None
        return 0 if compare_sides(old, new, names, save=save) else 1


def _side(place: str, python: str | None, *, steps: int, cache: str | None, work: Path) -> Side:
    if place.endswith(".json"):
        return SavedSide(Path(place))
    work.mkdir()
    prepared = Path(cache).resolve() if cache else work / "cache"
    return TrainedSide(open_checkout(place, python), steps=steps, cache=prepared, work=work)


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python {os.path.join('tools', 'same.py')}",
        description="Train every configuration for a few steps with two checkouts, and compare.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("old", metavar="OLD", help="the old checkout, or a .json file of --save-old")
    add("new", metavar="NEW", nargs="?", help="the new checkout; without it OLD is only recorded")
    add("--python-old", metavar="FILE", help="OLD's interpreter (default: its .venv's, or this)")
    add("--python-new", metavar="FILE", help="NEW's interpreter, likewise")
    add("--only", metavar="NAME", nargs="+", default=[], help='such as drqa or "char_cnn/*"')
    add("--steps", metavar="N", type=int, default=STEPS, help=f"optimiser steps (default: {STEPS})")
    add("--save-old", metavar="FILE", help="keep OLD's records in this file")
    add(
        "--cache",
        metavar="FOLDER",
        help="prepared data of both; without it each prepares its own, which is compared too",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
