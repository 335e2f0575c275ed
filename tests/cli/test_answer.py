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


SECTIONS = (
    f"Section {number}.  The mill number {number} was built by  builder{number}."
    for number in range(1500)
)
TEXTS = {
    "spaces": "Ada  Brandt   built the  mill .  \n",
    "many lines": "\n\n".join(SECTIONS),
    "digits and dots": f"The number {'880.794.982.218.' * 20}671 is long, said Ada.",
    "an address and snowmen": f"https://ex.am/a?x={'aB3' * 60}{'☃' * 6000} Ada built it",
}
"""What other programs answered with wrong offsets, or never."""


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_that_others_stumble_over(
    text: str, context: Path, reader_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context.write_text(text)
    line = ["answer", str(reader_run), "--context", str(context), "--question", QUESTION]
    assert main([*line, "--n-best", "5", "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)["answers"]
    assert len(answers) == 5
    for answer in answers:
        assert text[answer["start"] : answer["end"]] == answer["text"] == answer["text"].strip()


def test_one_token_has_one_answer(
    context: Path, reader_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context.write_text("Ada")
    line = ["answer", str(reader_run), "--context", str(context), "--question", "Who?", "--json"]
    assert main([*line, "--n-best", "20"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["answers"]
    assert (answer["text"], answer["probability"]) == ("Ada", 1.0)


@pytest.mark.parametrize("text", ["", " \n\t", "\ufeff"])
def test_an_empty_context(text: str, context: Path, refused: Callable[..., str]) -> None:
    context.write_text(text)
    said = refused("answer", "runs/x", "--context", context, "--question", QUESTION)
    assert f'the context "{context}" is empty' in said


def test_a_text_in_place_of_a_file(copied_run: Path, refused: Callable[..., str]) -> None:
    text = "Ada built the mill in 1820."
    said = refused("answer", copied_run, "--context", text, "--question", "Who?")
    assert f'cannot read the context "{text}"' in said
    assert "--context -" in said


def test_an_empty_question(context: Path, refused: Callable[..., str]) -> None:
    said = refused("answer", "runs/x", "--context", context, "--question", " ")
    assert "the question is empty" in said


def test_what_a_killed_training_left_is_removed(context: Path, copied_run: Path) -> None:
    places = [copied_run, copied_run / "checkpoints", *copied_run.glob("logs/*")]
    assert len(places) == 3
    for place in places:
        (place / ".squadqa-x.tmp").write_text("half")
    line = ["answer", str(copied_run), "--context", str(context), "--question", QUESTION]
    assert main(line) == 0
    assert not list(copied_run.rglob(".squadqa-*"))


def test_a_missing_run(context: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    line = ("answer", tmp_path / "none", "--context", context, "--question", QUESTION)
    said = refused(*line)
    assert "there is no run folder" in said


def test_required_options(refused: Callable[..., str]) -> None:
    assert "required: RUN_FOLDER, --context, --question" in refused("answer")
