"""`squadqa compare`: what it prints and writes, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.cli.main import main


@pytest.fixture
def files(predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two prediction files."""
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"q0": "Tom", "q2": "1902", "q3": "Oslo"}))
    return str(predictions), str(other)


def test_wins_losses_and_examples(
    files: tuple[str, str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files, "--data", str(data)]) == 0
    shown = capsys.readouterr().out
    rows = [row.split() for row in shown.splitlines()]
    assert shown.startswith("8 questions\n")
    assert ["exact", "match", "12.50", "25.00", "-12.50"] in [row[:5] for row in rows]
    assert ["F1", "2", "2", "4"] in rows
    assert "predictions is better, such as here:" in shown
    assert 'gold         "1902"' in shown
    assert "other        Oslo  (F1 100)" in shown
    assert "F1 by slice, the surest difference first" in shown


def test_json(files: tuple[str, str], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *files, "--data", str(data), "--json"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    found = json.loads(shown)
    assert (found["first"], found["second"], found["questions"]) == ("predictions", "other", 8)
    assert found["exact_match"]["difference"]["value"] == -12.5
    assert {one["id"] for one in found["losses"]} == {"q2", "q3"}


def test_runs_as_a_page(
    reader_run: Path,
    scorer_run: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))
    page = tmp_path / "new" / "page.html"
    line = ["compare", str(reader_run), str(scorer_run), "--data", str(data)]
    assert main([*line, "--html", str(page), "--device", "cpu"]) == 0
    assert capsys.readouterr().out.endswith(f"page  {page}\n")
    text = page.read_text(encoding="utf-8")
    assert "drqa and logistic" in text
    assert "best.ckpt" in text


def test_mistakes(
    refused: Callable[..., str], files: tuple[str, str], data: Path, tmp_path: Path
) -> None:
    first, _ = files
    assert "named twice" in refused("compare", first, first, "--data", data)
    assert "no run folder" in refused("compare", first, "runs/none", "--data", data)
    page = ("--html", tmp_path)
    assert "it is a folder" in refused("compare", *files, "--data", data, *page)
    assert "required" in refused("compare", *files)
    assert "required" in refused("compare", first, "--data", data)
