"""The list of models, from a checkout and from the package alone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from squadqa.cli.main import main
from squadqa.evaluation.results import read_results
from tests.support.runs import ROOT


def test_lists_parameters_papers_and_scores(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "readers",
        "scorers",
        "character CNNs",
    ]
    (head,) = (line for line in lines if line.startswith("  DrQAReader  "))
    assert head.endswith(" parameters")
    assert "    configs/drqa.yaml, configs/quickstart.yaml" in lines
    assert "    Chen, Fisch, Weston and Bordes, 2017, " in shown
    result = next(one for one in read_results("results") if "configs/drqa.yaml" in one.configs)
    (row,) = (line for line in lines if line.startswith(f"    {result.name} "))
    assert f" F1 {result.f1:.1f} " in row
    assert row.endswith(f"  on {result.data.rpartition(', ')[2]} ({result.total:,})")


@pytest.mark.parametrize(("columns", "widest"), [(80, 80), (100, 100), (200, 100)])
def test_no_text_is_wider_than_the_terminal(
    columns: int,
    widest: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["models"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if " EM " not in line]
    assert widest - 10 < max(map(len, lines)) <= widest


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {entry["kind"] for entry in listed} == {"reader", "scorer", "character CNN"}
    (logistic,) = (entry for entry in listed if entry["name"] == "LogisticScorer")
    assert logistic["configs"][0] == "configs/logistic.yaml"
    assert {"name", "exact_match", "f1", "minutes"} <= logistic["results"][0].keys()


@pytest.mark.slow(seconds=240)
def test_from_the_package_alone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "squadqa", tmp_path / "squadqa", ignore=shutil.ignore_patterns("__pyc*"))
    command = [sys.executable, "-m", "squadqa.cli.main", "models"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "  DrQAReader  " in done.stdout
    assert "configs/drqa.yaml" not in done.stdout
    assert done.stdout.rstrip().endswith("run this in a checkout to see what was measured.")


def test_a_broken_configuration_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text("model: [")
    monkeypatch.setattr("squadqa.cli.models.configs_folder", lambda: tmp_path)
    assert main(["models"]) == 2
    assert f'cannot read the configuration "{tmp_path}/mine.yaml"' in capsys.readouterr().err


def test_files_of_the_working_folder_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("configs/mine.yaml", "results/mine.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("model: [")
    assert main(["models"]) == 0
    assert "DrQAReader" in capsys.readouterr().out
