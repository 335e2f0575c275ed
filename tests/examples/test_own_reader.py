"""docs/examples/own_reader.py: it is short, trains, opens again and answers."""

import runpy
import shlex
import sys
from pathlib import Path

import pytest

from squadqa.cli.main import main
from squadqa.evaluation.results import read_result
from tests.support.pages import prompted
from tests.support.runs import ROOT

SCRIPT = ROOT / "docs" / "examples" / "own_reader.py"
SMALL = ["--wandb", "off", "--epochs", "1", "--model.reader.hidden_size", "4"]
PAGE = (ROOT / "docs" / "own_model.md").read_text(encoding="utf-8")


def test_it_is_short() -> None:
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) < 60


def test_it_trains_and_answers_and_then_only_answers(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))  # as Python does for a script
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *SMALL])
    said = []
    for _ in range(2):
        runpy.run_path(str(SCRIPT), run_name="__main__")
        said.append(capsys.readouterr().out)
    assert "GRUReader, " in said[0]
    assert said[0].splitlines()[-1] == said[1].strip()
    assert said[1].startswith("Answer(text='")
    assert read_result(Path("runs/own_reader/results.json")).total == 8

    commands = [shlex.split(line) for line in prompted(PAGE) if "runs/own_reader" in line]
    assert commands
    for path, program, *arguments in commands:  # what the page does with the run
        assert (path, program) == ("PYTHONPATH=docs/examples", "squadqa")
        assert main(arguments) == 0
