"""`squadqa debug-data`: what it prints, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.cli.main import main
from tests.support import tiny


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))


def test_a_file_is_told(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tiny.write(tmp_path / "other.json", {"data": tiny.squad()["data"][:1]})
    assert main(["debug-data", str(data), "--against", str(other)]) == 0
    shown = capsys.readouterr().out
    rows = [row.split() for row in shown.splitlines()]
    assert ["questions", "8"] in rows
    assert "2 paragraphs (6 questions) are in" in shown
    assert "6 questions are the same" in shown
    assert ["first", "answer", "1", "2", "2", "2", "2"] in rows
    assert ["answer", "17", "0", "0.00", "%", "100.0", "%"] in rows
    assert "no vector  " in shown
    assert shown.splitlines()[-1].startswith("8 questions are few")


def test_candidates(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["debug-data", str(data), "--candidates", "--json", "--workers", "1"]) == 0
    found = json.loads(capsys.readouterr().out)["candidates"]
    assert found["questions"] == 8
    assert found["f1"] >= found["exact_match"] > 50


def test_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["debug-data", str(data), "--vectors", "--json"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    found = json.loads(shown)
    assert found["counts"]["questions"] == 8
    assert found["counts"]["vectors"] is None
    assert found["overlap"] is None
    assert len(found["advice"]) == 1


def test_examples_of_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tiny.write(tmp_path / "bad.json", tiny.one_question(answers=[("dog\nx", 4)]))
    assert main(["debug-data", str(file), "--vectors"]) == 0
    shown = capsys.readouterr().out
    assert 'only: "dog x" is misplaced: "cat s"' in shown
    assert "--data.bad_answers skip" in shown


def test_answers_without_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.csv"
    file.write_text("q,context,answer\nWho sat?,The cat sat.,cat\n")
    line = ["debug-data", str(file), "--vectors", "--columns", "question=q"]
    assert main(line) == 0
    shown = capsys.readouterr().out
    assert "answer_start, 1 have none" in shown
    assert "best exact match\nanswer       10               0  0.00 %\n" in shown
    assert "--find-answers first" in shown
    assert main([*line, "--find-answers", "first"]) == 0
    shown = capsys.readouterr().out
    assert "1 are exactly some tokens" in shown
    assert "100.0 %" in shown
    assert "without places" not in shown


def test_mistakes(refused: Callable[..., str], data: Path) -> None:
    assert "none.json" in refused("debug-data", "none.json")
    assert "none.json" in refused("debug-data", data, "--against", "none.json")
    assert "vectors" in refused("debug-data", data, "--vectors", "none.txt")
