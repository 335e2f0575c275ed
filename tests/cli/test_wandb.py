"""A training's log at Weights & Biases, read back from its offline files by W&B's own reader."""

import json
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from squadqa.evaluation.results import read_result
from squadqa.training.prediction_table import COLUMNS
from tests.support import tiny
from tests.support.forked import Done, squadqa, write_config
from tests.support.programs import run_program
from tests.support.runs import SCORER

pytest.importorskip("wandb.cli.leet", reason="this version of W&B cannot show its files")

STOPPED_AFTER = 5  # of 14 steps
PATIENCE = 40.0  # seconds for W&B's service, a process of its own, on a busy machine
LOUD = {"WANDB_SILENT": "false"}  # as for a user; tests are silent otherwise


@dataclass(frozen=True)
class Logged:
    """A run that was stopped and resumed.

    Args:
        run: The run folder.
        resumed: What the second command printed.
        files: The folders of the two offline W&B runs.
        records: What W&B wrote in each of them.
    """

    run: Path
    resumed: Done
    files: list[Path]
    records: list[list[dict[str, Any]]]

    def all(self, kind: str) -> list[Any]:
        """The records of a kind, of both parts."""
        return [each[kind] for part in self.records for each in part if each["type"] == kind]

    def updates(self, kind: str) -> dict[str, Any]:
        """The last value of each name in the records of a kind."""
        return {name: value for each in self.all(kind) for name, value in each["update"].items()}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A run that was stopped, and what the command printed."""
    folder = tmp_path_factory.mktemp("logged")
    write_config(folder, SCORER)
    line = ("train", "--config", "config.yaml", "--run", "run")
    return folder / "run", squadqa(
        folder, *line, stop=(signal.SIGINT, STOPPED_AFTER), environment=LOUD
    )


@pytest.fixture(scope="module")
def logged(stopped: tuple[Path, Done]) -> Logged:
    run, done = stopped
    assert done.code == 1, done.err
    resumed = squadqa(run.parent, "train", "--resume", "run", environment=LOUD)
    assert resumed.code == 0, resumed.err
    files = sorted((run / "wandb").glob("offline-run-*"))
    return Logged(run, resumed, files, [read(path) for path in files])


def read(offline: Path) -> list[dict[str, Any]]:
    """Read the records of an offline W&B run, in their order, once W&B's service wrote them."""
    until = time.monotonic() + PATIENCE
    while not list(offline.glob("*.wandb")) and time.monotonic() < until:
        time.sleep(0.1)
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", offline]
    done = run_program(command, cwd=offline)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_quiet(text: str) -> None:
    assert not [line for line in text.splitlines() if "wandb" in line.lower()]


def test_nothing_of_wandb_is_on_the_screen(stopped: tuple[Path, Done]) -> None:
    assert_quiet(stopped[1].out + stopped[1].err)


@pytest.mark.slow(seconds=240)
def test_a_resumed_training_goes_on_in_its_wandb_run(logged: Logged) -> None:
    first, second = logged.all("run")
    assert first["run_id"] == second["run_id"]
    assert first["run_id"] == (logged.run / "wandb" / "run_id").read_text().strip()
    assert first["resume"] and second["resume"]
    assert first["display_name"] == second["display_name"] == "run"


def test_its_steps_go_on_too(logged: Logged) -> None:
    """W&B drops a row of a step that it has already."""
    steps = [each["step"]["num"] for each in logged.all("history")]
    assert steps == list(range(15))  # the last one has the scores of the test
    assert [each["item"]["trainer/global_step"] for each in logged.all("history")] == steps


def test_the_end_names_both_folders_and_nothing_else_of_wandb(logged: Logged) -> None:
    *others, last = logged.resumed.out.splitlines()
    assert_quiet("\n".join([logged.resumed.err, *others]))
    folders = " ".join(str(path.relative_to(logged.run.parent)) for path in logged.files)
    assert last == f"To upload the log to Weights & Biases: wandb sync {folders}"


def test_the_configuration_is_logged(logged: Logged) -> None:
    config = logged.updates("config")
    assert config["seed_everything"] == 1
    assert config["data"]["batch_size"] == 2
    init_args = config["model"]["init_args"]
    assert init_args["optimizer"] == "squadqa.training.candidate_module.adagrad"


def test_the_summary_has_the_official_scores(logged: Logged) -> None:
    summary, result = logged.updates("summary"), read_result(logged.run / "results.json")
    scores = [summary[f"test/{name}"] for name in ("exact_match", "f1")]
    assert scores == pytest.approx([result.exact_match, result.f1], rel=1e-6)
    assert {"train/loss", "val/f1", "lr-Adagrad"} <= summary.keys()


def test_the_table_has_every_question_and_no_context(logged: Logged) -> None:
    summary = logged.updates("summary")
    assert (summary["predictions.ncols"], summary["predictions.nrows"]) == (len(COLUMNS), 8)
    path = logged.files[-1] / "files" / summary["predictions.path"]
    table = json.loads(path.read_text())
    assert table["columns"] == [*COLUMNS]
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in table["data"]]
    assert [row["id"] for row in rows] == [row["id"] for row in tiny.flat_rows(tiny.squad())]
    predictions = json.loads((logged.run / "predictions.json").read_text())
    assert {row["id"]: row["predicted"] for row in rows} == predictions
    mean = sum(row["f1"] for row in rows) / len(rows)
    assert mean == pytest.approx(summary["test/f1"], rel=1e-6)
    assert not [row for row in tiny.flat_rows(tiny.squad()) if row["context"] in path.read_text()]


def test_what_it_will_upload_is_in_the_run_folder(logged: Logged) -> None:
    entries = [one for each in logged.all("artifact") for one in each["manifest"]["contents"]]
    assert [one["path"] for one in entries][-1] == "predictions.table.json"
    for one in entries:
        assert Path(one["local_path"]).is_relative_to(logged.run)
        assert Path(one["local_path"]).is_file()
