"""`squadqa train --teacher`: a reader learns from a run beside the gold answers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from squadqa.inference.teaching import KIND
from tests.support.forked import squadqa, write_config
from tests.support.runs import READER, SCORER


@pytest.fixture
def taught(tmp_path: Path, reader_run: Path) -> Path:
    """A folder with data, a reader's configuration and a teacher."""
    write_config(tmp_path, READER)
    shutil.copytree(reader_run, tmp_path / "runs/teacher")
    return tmp_path


LINE = ("train", "--config", "config.yaml", "--wandb", "off", "--threads", 1)
LINE += ("--teacher", "runs/teacher")


def weights(folder: Path, name: str) -> dict[str, torch.Tensor]:
    path = folder / "runs" / name / "checkpoints/last.ckpt"
    state: dict[str, torch.Tensor] = torch.load(path, weights_only=True)["state_dict"]
    return state


def test_the_teacher_changes_what_is_learned(taught: Path) -> None:
    for name, weight in (("none", 0.0), ("half", 0.5)):
        line = (*LINE, "--run", f"runs/{name}", "--model.teacher_weight", weight)
        done = squadqa(taught, *line)
        assert done.code == 0, done.err
    done = squadqa(taught, *LINE[:-2], "--run", "runs/alone")
    assert done.code == 0, done.err
    alone, none, half = (weights(taught, name) for name in ("alone", "none", "half"))
    assert all(alone[key].equal(none[key]) for key in alone)
    assert not all(alone[key].equal(half[key]) for key in alone)
    result = json.loads((taught / "runs/half/results.json").read_text())
    assert result["notes"] == "Taught by runs/teacher."
    assert len(list((taught / "cache").glob(f"{KIND}-*"))) == 1


@pytest.mark.slow(seconds=240)
def test_a_resumed_training_keeps_its_teacher(taught: Path) -> None:
    whole = squadqa(taught, *LINE, "--run", "runs/whole")
    assert whole.code == 0, whole.err
    first = squadqa(taught, *LINE, "--run", "runs/parts", "--epochs", 1, "--model.decay", "none")
    assert first.code == 0, first.err
    again = squadqa(taught, "train", "--resume", "runs/parts", "--epochs", 2)
    assert again.code == 0, again.err
    assert len(list((taught / "cache").glob(f"{KIND}-*"))) == 1
    shutil.rmtree(taught / "runs/teacher")
    gone = squadqa(taught, "train", "--resume", "runs/parts", "--epochs", 3)
    assert gone.code == 2
    assert "runs/teacher" in gone.err


def test_what_cannot_be_taught_is_refused(
    taught: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(taught)
    said = refused("train", "--resume", "runs/teacher", "--teacher", "runs/teacher")
    assert "a resumed run keeps its teacher" in said
    write_config(taught, SCORER)
    said = refused(*LINE)
    assert '"runs/teacher" cannot teach a model of "CandidateModule"' in said
    said = refused(*LINE[:-1], "runs/nobody")
    assert "runs/nobody" in said


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("teacher_weight", "1.5", "model.teacher_weight cannot be 1.5"),
        ("teacher_temperature", "0", "model.teacher_temperature cannot be 0"),
        ("teacher_temperature", "-1", "model.teacher_temperature cannot be -1"),
    ],
)
def test_wrong_numbers_are_refused(
    option: str,
    value: str,
    said: str,
    taught: Path,
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(taught)
    assert said in refused(*LINE, f"--model.{option}", value)
