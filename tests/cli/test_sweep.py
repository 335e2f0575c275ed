"""`squadqa sweep`: trials, going on, and what it prints."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from squadqa.cli import sweeping
from squadqa.cli.main import main
from squadqa.errors import ConfigError
from squadqa.training import sweep as module

PARAMETERS = {
    "data.batch_size": {"values": [2, 4]},
    "data.val_share": {"min": 0.2, "max": 0.5},
}


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    sweep = {"parameters": PARAMETERS, "command": ["${env}", "--config=config.yaml"]}
    (folder / "sweep.yaml").write_text(yaml.safe_dump(sweep), encoding="utf-8")
    return folder


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines of trainings, which are not run, each with the score of its number."""
    lines: list[list[str]] = []

    def run(line: list[str], **_: Any) -> int:
        lines.append(line)
        return 0

    monkeypatch.setattr(sweeping, "run_training", run)
    monkeypatch.setattr(sweeping, "best_f1", lambda run: 50.0 + len(lines))
    if "optuna" not in sys.modules:
        pytest.importorskip("optuna")
    return lines


def test_trials_and_going_on(
    here: Path, trained: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["sweep", "sweep.yaml", "--trials", "5", "--minutes", "0.5", "--data.workers", "1"]
    assert main(line) == 0
    assert len(trained) == 5
    first = trained[0]
    assert first[:2] == ["fit", "--config=config.yaml"]
    assert {"--budget_minutes", "--wandb=off", "--resume=false", "--data.workers"} <= set(first)
    assert "--run_folder=sweeps/sweep/trial-1" in first
    assert any(word.startswith("--data.batch_size=") for word in first)
    out = capsys.readouterr().out
    assert out.splitlines()[1].startswith("trial-5  55.00")
    assert "best run  sweeps/sweep/trial-5" in out
    assert "| trial-5 | 55.00 |" in Path("sweeps/sweep/sweep.md").read_text("utf-8")
    line[3] = "6"
    assert main(line) == 0
    assert len(trained) == 6
    assert len(json.loads(Path("sweeps/sweep/sweep.json").read_text("utf-8"))["trials"]) == 6


def test_a_stopped_trial_is_resumed(
    here: Path, trained: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(line: list[str], **_: Any) -> int:
        trained.append(line)
        last = Path("sweeps/sweep/trial-1/checkpoints/last.ckpt")
        last.parent.mkdir(parents=True, exist_ok=True)
        last.touch()
        return 1

    monkeypatch.setattr(sweeping, "run_training", stopped)
    assert main(["sweep", "sweep.yaml", "--trials", "1"]) == 1
    monkeypatch.setattr(sweeping, "run_training", lambda line, **_: trained.append(line) or 0)
    assert main(["sweep", "sweep.yaml", "--trials", "1"]) == 0
    before, after = trained
    assert "--resume=true" in after
    assert set(before) - set(after) == {"--resume=false"}  # the same values


def test_values_that_cannot_be_trained(
    here: Path, trained: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(line: list[str], **_: Any) -> int:
        trained.append(line)
        if len(trained) == fails:
            raise ConfigError("no such value", next_step="Another.")
        return 0

    monkeypatch.setattr(sweeping, "run_training", run)
    fails = 2
    assert main(["sweep", "sweep.yaml", "--trials", "3"]) == 0
    trials = json.loads(Path("sweeps/sweep/sweep.json").read_text("utf-8"))["trials"]
    assert [one["score"] is None for one in trials] == [False, True, False]
    fails = 4
    assert main(["sweep", "sweep.yaml", "--trials", "3", "--output", "other"]) == 2


def test_the_best_score_of_a_run(tmp_path: Path) -> None:
    for number, rows in enumerate(["step,val/f1\n1,40.5\n2,\n", "step,val/f1\n3,60.25\n"]):
        path = tmp_path / "logs" / f"version_{number}" / "metrics.csv"
        path.parent.mkdir(parents=True)
        path.write_text(rows, encoding="utf-8")
    assert sweeping.best_f1(tmp_path) == 60.25
    assert sweeping.best_f1(tmp_path / "none") is None


def test_without_optuna(
    here: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    said = refused("sweep", "sweep.yaml")
    assert said.startswith('a sweep needs the package "optuna", which is not installed\n')
    assert 'pip install "squadqa[sweeps]"' in said
    assert not Path("sweeps").exists()
    assert module.FILE


def test_a_real_trial(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("optuna")
    assert main(["sweep", "sweep.yaml", "--trials", "2", "--epochs", "1"]) == 0
    assert Path("sweeps/sweep/trial-2/results.json").is_file()
    assert "trial-1" in capsys.readouterr().out
