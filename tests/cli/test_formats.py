"""Other people's formats through every command that reads questions."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import squadqa
from squadqa.cli.main import main
from squadqa.evaluation.results import read_result
from tests.support import tiny
from tests.support.forked import four_articles, write_config
from tests.support.forked import squadqa as command
from tests.support.runs import SCORER

NAMES = "question=q,context=text,answer=gold"


def table(path: Path, file: tiny.Json) -> Path:
    """Write a nested file's first answers as a table: texts without places, no identifiers."""
    rows = [
        {"title": row["title"], "q": row["question"], "text": row["context"],
         "gold": row["answers"]["text"][0]}
        for row in tiny.flat_rows(file)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_training_on_texts_without_places(tmp_path: Path) -> None:
    for name, file in (("train.jsonl", four_articles()), ("dev.jsonl", tiny.squad())):
        table(tmp_path / name, file)
    config = write_config(tmp_path, SCORER, columns=NAMES)
    line = ("train", "--config", config, "--data", "train.jsonl", "--test", "dev.jsonl")
    line = (*line, "--run", "run", "--epochs", 1, "--wandb", "off")
    done = command(tmp_path, *line)
    assert done.code == 2
    assert "the answers of 16 of 16 questions are texts without places" in done.err
    assert not (tmp_path / "run").exists()
    done = command(tmp_path, *line, "--find-answers", "first")
    assert done.code == 0, done.err
    assert read_result(tmp_path / "run" / "results.json").total == 8
    # The run knows how its own questions are read.
    held_out = ("ensemble", "run", "run/checkpoints/last.ckpt", "--held-out")
    done = command(tmp_path, *held_out)
    assert done.code == 0, done.err


def test_scores_do_not_need_places(
    reader_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, cache = table(tmp_path / "dev.jsonl", tiny.squad()), ("--cache-dir", str(tmp_path / "c"))
    line = ["evaluate", str(reader_run), "--data", str(path), "--columns", NAMES, *cache, "--json"]
    assert main(line) == 0
    shown = json.loads(capsys.readouterr().out)
    run = squadqa.load(reader_run, device="cpu")
    named = {"question": "q", "context": "text", "answer": "gold"}
    score = run.evaluate(path, columns=named, cache_dir=tmp_path / "c")
    assert (shown["f1"], shown["total"]) == (score.f1, 8)
    predictions = run.predict(path, columns=NAMES, cache_dir=tmp_path / "c")
    assert list(predictions) == [str(number) for number in range(1, 9)]


def test_each_reading_has_its_own_prepared_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path / "dev.jsonl", tiny.squad())
    line = ["prepare", str(path), "--no-annotate", "--vectors", "--cache-dir", str(tmp_path / "c")]
    shown = []
    for find in ("error", "first", "all", "first"):
        assert main([*line, "--columns", NAMES, "--find-answers", find]) == 0
        shown.append(capsys.readouterr().out)
    assert "8 texts without a place" in shown[0]
    assert "looked up      8 found" in shown[1]
    assert shown[1] == shown[3]
    assert len(list((tmp_path / "c").glob("text-*"))) == 3


def test_data_without_answers_are_refused_rather_than_scored_0(
    reader_run: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    path = table(tmp_path / "dev.jsonl", tiny.squad())
    bare = "question=q,context=text"
    line = ("--data", path, "--columns", bare)
    assert "8 of 8 questions have no answers" in refused("evaluate", reader_run, *line)
    predictions = tmp_path / "predictions.json"
    predictions.write_text('{"1": "x"}')
    said = refused("evaluate", "--predictions", predictions, *line)
    assert "8 of 8 questions have no answers" in said


def test_questions_about_a_plain_text(
    reader_run: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    text, asked, output = (tmp_path / name for name in ("mill.txt", "asked.txt", "out.json"))
    text.write_text("Ada built the mill in 1784.\n")
    asked.write_text("Who built it?\n\nWhen?\n")
    line = ("predict", str(reader_run), "--data", str(text), "--output", str(output))
    assert "in no known format" in refused(*line)
    assert "no data file" in refused(*line, "--questions", tmp_path / "asks.txt")
    assert main([*line, "--questions", str(asked), "--cache-dir", str(tmp_path / "c")]) == 0
    predictions = json.loads(output.read_text())
    assert list(predictions) == ["1", "3"]
    run = squadqa.load(reader_run, device="cpu")
    again = run.predict(text, questions=asked, cache_dir=tmp_path / "c")
    assert again == predictions


def test_standard_input(reader_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps(tiny.squad()).encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    output = tmp_path / "out.json"
    line = ["predict", str(reader_run), "--data", "-", "--output", str(output)]
    assert main([*line, "--cache-dir", str(tmp_path / "c")]) == 0
    assert len(json.loads(output.read_text())) == 8
