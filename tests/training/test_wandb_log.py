"""The log at Weights & Biases, with a W&B that only writes down what it is told."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import wandb

from squadqa.errors import CheckpointError, OutputError
from squadqa.training.wandb_log import DATA_FOLDER, STEP, WandbLog, read_run_id


class Told(SimpleNamespace):
    """A W&B run; `rows` are what was logged, each with its step."""

    def __init__(self, given: str | None) -> None:
        super().__init__(id=given or f"drawn{len(_begun)}", rows=[], config={})

    def define_metric(self, *_: Any, **__: Any) -> None:
        pass

    def log(self, row: dict[str, Any], *, step: int) -> None:
        self.rows.append((step, row, os.environ.get(DATA_FOLDER)))


_begun: list[dict[str, Any]] = []


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments of each `wandb.init`."""
    _begun.clear()

    def init(**arguments: Any) -> Told:
        _begun.append(arguments)
        return Told(arguments["id"])

    monkeypatch.setattr(wandb, "init", init)
    monkeypatch.setattr(wandb, "setup", lambda settings: None)
    monkeypatch.setattr(wandb.Table, "MAX_ROWS", 2)
    monkeypatch.delenv(DATA_FOLDER, raising=False)
    return _begun


def log_of(folder: Path) -> WandbLog:
    return WandbLog(folder, mode="offline")


def test_each_run_folder_has_an_id_which_stays(tmp_path: Path) -> None:
    first, again, other = (log_of(tmp_path / name) for name in ("a", "a", "b"))
    ids = [log.experiment.id for log in (first, again, other)]
    assert ids == ["drawn1", "drawn1", "drawn3"]
    assert read_run_id(tmp_path / "b") == other.version == "drawn3"


def test_an_id_that_wandb_itself_chose_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the agent of a sweep does, whatever it is told."""
    assert log_of(tmp_path).experiment.id == "drawn1"
    monkeypatch.setattr(wandb, "init", lambda **_: Told("of a sweep"))
    assert log_of(tmp_path).experiment.id == read_run_id(tmp_path) == "of a sweep"


@pytest.mark.parametrize("text", ["", "\n", "a/b", "a\nb", " a", "\x1b[1m", "a" * 129])
def test_what_is_no_id_is_refused(text: str, tmp_path: Path, begun: list[Any]) -> None:
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "run_id").write_text(text)
    with pytest.raises(CheckpointError, match="does not hold the id of a W&B run"):
        _ = log_of(tmp_path).experiment
    assert not begun


def test_an_error_of_wandb_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: Any) -> None:
        raise wandb.errors.UsageError("No API key\nconfigured")

    monkeypatch.setattr(wandb, "init", init)
    with pytest.raises(OutputError, match="cannot begin its run: No API key configured") as raised:
        _ = log_of(tmp_path).experiment
    assert "--wandb offline" in raised.value.next_step


def test_no_row_is_of_an_earlier_step(tmp_path: Path) -> None:
    """W&B would drop it."""
    log = log_of(tmp_path)
    for step in (7, 6, 8):
        log.log_metrics({"val/f1": step}, step)
    assert [(step, row[STEP]) for step, row, _ in log.experiment.rows] == [(7, 7), (7, 6), (8, 8)]


def test_all_rows_of_a_table_are_kept_in_the_run_folder(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.log_table("some", columns=["id"], data=[["a"], ["b"], ["c"]], step=5)
    ((step, row, kept),) = log.experiment.rows
    assert (step, Path(kept).parent) == (5, tmp_path / "wandb")
    assert row["some"]._to_table_json()["data"] == [["a"], ["b"], ["c"]]
    assert DATA_FOLDER not in os.environ


def test_a_function_in_the_configuration_has_its_name(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.experiment.config = SimpleNamespace(update=lambda values, **_: vars(log).update(values))
    log.log_hyperparams({"optimizer": log_of, "folder": tmp_path})
    assert vars(log)["optimizer"] == f"{__name__}.log_of"
    assert vars(log)["folder"] == str(tmp_path)
