"""One question about one text."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from squadqa.cli.main import main

CONTEXT = "In 1854\r\nZorblax Quimby built the Flurbish mill — nobody knew why."
QUESTION = "Who built the mill?"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_bytes(CONTEXT.encode())
    return path


def stdin(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


@pytest.mark.parametrize("kind", ["reader", "scorer"])
def test_answers_are_characters_of_the_context(
    kind: str,
    context: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = request.getfixturevalue(f"{kind}_run")
    line = ["answer", str(run), "--context", str(context), "--question", QUESTION]
    assert main([*line, "--n-best", "5", "--json"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    found = json.loads(shown)
    assert found["question"] == QUESTION
    assert len(found["answers"]) == 5
    for answer in found["answers"]:
        assert CONTEXT[answer["start"] : answer["end"]] == answer["text"]


def test_readable_output(
    reader_run: Path,
    context: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = ["answer", str(reader_run), "--question", QUESTION, "--n-best", "2"]
    assert main([*line, "--context", str(context)]) == 0
    from_file = capsys.readouterr().out
    text = from_file.splitlines()[0]
    assert f"[{' '.join(text.split())}]" in from_file
    assert "best.ckpt" in from_file
    assert len(from_file.splitlines()) == 5 + 1 + 2
    stdin(CONTEXT.encode(), monkeypatch)
    assert main([*line, "--context", "-"]) == 0
    assert capsys.readouterr().out == from_file


def test_an_empty_context(context: Path, refused: Callable[..., str]) -> None:
    context.write_text(" \n\t")
    said = refused("answer", "runs/x", "--context", context, "--question", QUESTION)
    assert f'the context "{context}" is empty' in said


def test_an_empty_question(context: Path, refused: Callable[..., str]) -> None:
    said = refused("answer", "runs/x", "--context", context, "--question", " ")
    assert "the question is empty" in said


def test_a_missing_run(context: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    line = ("answer", tmp_path / "none", "--context", context, "--question", QUESTION)
    said = refused(*line)
    assert "there is no run folder" in said


def test_required_options(refused: Callable[..., str]) -> None:
    assert "required: RUN_FOLDER, --context, --question" in refused("answer")
