"""Prediction files of runs: every id, whole files or none."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.cli.main import main
from tests.support import tiny


@pytest.mark.parametrize("kind", ["reader", "scorer"])
def test_every_question_is_answered_from_its_context(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(f"{kind}_run")
    data = run.parents[1] / "dev.json"
    output = tmp_path / "new" / "predictions.json"
    line = ["predict", str(run), "--data", str(data), "--output", str(output), "--n-best", "20"]
    assert main(line) == 0
    predictions = json.loads(output.read_text())
    n_best = json.loads((tmp_path / "new" / "predictions.n_best.json").read_text())
    contexts = {row["id"]: row["context"] for row in tiny.flat_rows(tiny.squad())}
    assert list(predictions) == list(n_best) == list(contexts)
    for name, answers in n_best.items():
        assert 1 <= len(answers) <= 20
        assert predictions[name] == answers[0]["text"]
        for answer in answers:
            assert answer["text"] == contexts[name][answer["start"] : answer["end"]]
        probabilities = [answer["probability"] for answer in answers]
        assert probabilities == sorted(probabilities, reverse=True)
        assert 0 < sum(probabilities) <= 1 + 1e-6
        assert len({(answer["start"], answer["end"]) for answer in answers}) == len(answers)


def test_written_files_are_reported(
    reader_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, output = reader_run.parents[1] / "dev.json", tmp_path / "predictions.json"
    assert main(["predict", str(reader_run), "--data", str(data), "--output", str(output)]) == 0
    shown = capsys.readouterr().out
    assert str(output) in shown
    assert "best.ckpt" in shown
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.json"]


def test_questions_without_answers_and_of_any_length(reader_run: Path, tmp_path: Path) -> None:
    long = tiny.one_question(context="word " * 3000 + "end", answers=[], id="long")
    misplaced = tiny.one_question(answers=[("dog", 3)], id="misplaced")
    short = tiny.one_question(context="x", question="?", answers=[], id="short")
    blank = tiny.one_question(context="\u200b", question="\u200b", answers=[], id="zero width")
    file = tiny.join(long, misplaced, short, blank)
    data = tiny.write(tmp_path / "bare.jsonl", file)
    output = tmp_path / "predictions.json"
    assert main(["predict", str(reader_run), "--data", str(data), "--output", str(output)]) == 0
    predictions = json.loads(output.read_text())
    assert list(predictions) == ["long", "misplaced", "short", "zero width"]
    assert predictions["short"] == "x"


def test_predictions_have_the_score_of_the_run(
    reader_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, output = str(reader_run.parents[1] / "dev.json"), str(tmp_path / "predictions.json")
    assert main(["predict", str(reader_run), "--data", data, "--output", output]) == 0
    capsys.readouterr()
    scores = []
    for line in ([str(reader_run)], ["--predictions", output]):
        assert main(["evaluate", *line, "--data", data, "--json"]) == 0
        scored = json.loads(capsys.readouterr().out)
        scored.pop("checkpoint", None)
        scores.append(scored)
    assert scores[0] == scores[1]


def test_an_unwritable_output_is_reported_before_the_work(
    tmp_path: Path, refused: Callable[..., str]
) -> None:
    data = tiny.write(tmp_path / "dev.json", tiny.squad())
    (tmp_path / "file").touch()
    line = ("predict", tmp_path / "no-run", "--data", data, "--output")
    assert "cannot write" in refused(*line, tmp_path / "file" / "predictions.json")
    said = refused(*line, tmp_path)
    assert "it is a folder" in said
    assert f'such as "{tmp_path / "predictions.json"}"' in said


def test_a_full_disk_leaves_the_old_file(
    reader_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[..., str],
) -> None:
    output = tmp_path / "predictions.json"
    output.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    data = reader_run.parents[1] / "dev.json"
    said = refused("predict", reader_run, "--data", data, "--output", output, "--n-best", 2)
    assert "No space left on device" in said
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.json"]
    assert output.read_text() == "old"


def test_a_bad_file_writes_nothing(
    reader_run: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    data = tmp_path / "bad.json"
    data.write_text("{")
    said = refused("predict", reader_run, "--data", data, "--output", tmp_path / "p.json")
    assert "is not JSON" in said
    assert [path.name for path in tmp_path.iterdir()] == ["bad.json"]


@pytest.mark.parametrize("number", ["0", "-3", "many"])
def test_n_best_is_a_number(number: str, refused: Callable[..., str]) -> None:
    said = refused("predict", "r", "--data", "d", "--output", "o", f"--n-best={number}")
    assert f'"{number}" is not a whole number of 1 or more' in said
