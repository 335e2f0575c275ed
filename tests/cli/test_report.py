"""`squadqa report`: the page of runs, and the curves of trainings."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.cli import live_curves
from squadqa.cli.live_curves import curves_text, spark
from squadqa.cli.main import main
from squadqa.evaluation.training_log import TrainingLog


def test_a_page_of_two_runs_and_a_file(
    reader_run: Path,
    scorer_run: Path,
    predictions: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = tmp_path / "report.html"
    line = ["report", str(reader_run), str(scorer_run), str(predictions), "--data", str(data)]
    options = ["--output", str(page), "--cache-dir", str(tmp_path / "cache"), "--device", "cpu"]
    assert main([*line, *options]) == 0
    shown = capsys.readouterr().out
    rows = [row.split(maxsplit=1) for row in shown.splitlines()]
    assert [row[0] for row in rows] == ["drqa", "logistic", "predictions", "questions", "page"]
    assert rows[2][1] == "EM 12.5, F1 22.5"
    assert rows[4][1].startswith(str(page))
    text = page.read_text(encoding="utf-8")
    assert "Training of drqa" in text
    before = sorted((tmp_path / "cache").iterdir())
    assert main([*line, *options]) == 0
    assert page.read_text(encoding="utf-8") == text
    assert sorted((tmp_path / "cache").iterdir()) == before


def test_mistakes(
    refused: Callable[..., str], reader_run: Path, predictions: Path, data: Path, tmp_path: Path
) -> None:
    assert "--data and --output" in refused("report", reader_run)
    assert "needs --output" in refused("report", reader_run, "--data", data)
    many = [predictions] * 7
    page = ("--output", tmp_path / "page.html")
    assert "7 runs in one report" in refused("report", *many, "--data", data, *page)
    assert "named twice" in refused("report", *many[:2], "--data", data, *page)
    assert "no run folder" in refused("report", tmp_path / "none", "--live")
    assert not (tmp_path / "page.html").exists()


def test_live_curves_end_with_the_training(
    copied_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = copied_run / "logs/version_0/metrics.csv"
    looks = iter([True, True, True, False])
    monkeypatch.setattr("squadqa.files.is_locked", lambda _: next(looks))
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            log.write_text("epoch,step,val/f1\n0,50,12.5\n")

    monkeypatch.setattr(live_curves.time, "sleep", wait)
    assert main(["report", str(copied_run), "--live", "--seconds", "0.5"]) == 0
    shown = capsys.readouterr().out
    assert waits == [0.5] * 3
    assert shown.count("copy: step") == 2  # once more when there is news
    assert "copy: step 50, epoch 1; best F1 12.5 after step 50" in shown


def test_curves_as_text(copied_run: Path) -> None:
    log = TrainingLog(train_loss=[(0, 10.0), (100, 5.0)], f1=[(50, 20.0), (100, 30.0)], epochs=2)
    first, *rows = curves_text(log, "drqa").splitlines()
    assert first == "drqa: step 100, epoch 2; best F1 30.0 after step 100"
    assert [row.split()[0] for row in rows] == ["train", "F1"]
    assert rows[0].endswith("10.000 to 5.000")
    assert curves_text(TrainingLog(), "drqa") == "drqa: nothing is logged yet"


def test_sparks(monkeypatch: pytest.MonkeyPatch) -> None:
    curve = [(0, 0.0), (10, 6.0), (20, 8.0), (70, 1.0)]
    assert spark(curve, width=8) == "▁▇█████▂"  # the last value stays until the next
    assert len(spark(curve)) == live_curves.WIDTH
    assert spark([(5, 3.0)], width=3) == "▅▅▅"


def test_a_finished_training_has_its_curves(reader_run: Path) -> None:
    assert (reader_run / "curves.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_moved_run_reports_too(copied_run: Path, data: Path, tmp_path: Path) -> None:
    shutil.rmtree(copied_run / "logs")
    page = tmp_path / "report.html"
    line = ["report", str(copied_run), "--data", str(data), "--output", str(page)]
    assert main([*line, "--cache-dir", str(tmp_path / "cache"), "--device", "cpu"]) == 0
    text = page.read_text(encoding="utf-8")
    assert "Training of" not in text
    assert json.dumps("copy")[1:-1] in text
