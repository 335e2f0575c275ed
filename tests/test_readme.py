"""Every command of the README runs, long trainings on a small set."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from squadqa.batch import Sizes
from squadqa.cli.main import main
from squadqa.data.dataset import SpanDataset
from squadqa.evaluation.results import read_result
from squadqa.models import SpanReader
from tests.support import tiny
from tests.support.pages import blocks, prompted, tabled
from tests.support.runs import ROOT
from tests.support.shortened import shorten

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [*prompted(README), *tabled(README)]
ANSWER = next(command for command in COMMANDS if command.startswith("squadqa answer"))
SNIPPET, READER = blocks(README, "python")

SHRUNKEN = [
    *(
        "--data.inputs.init_args.pipeline",
        "null",
        "--data.inputs.init_args.vectors",
        "glove-6b-50d",
    ),
    *("--model.reader.init_args.hidden_size", "8", "--trainer.max_epochs", "1"),
    *("--wandb", "off"),
]


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) >= 10
    assert {shlex.split(command)[0] for command in COMMANDS} == {"make", ".", "squadqa"}


@pytest.mark.parametrize("command", dict.fromkeys(COMMANDS))
def test_command_runs(
    command: str, trained_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, *arguments = shlex.split(command)
    if program == "make":
        line = ["make", "--dry-run", *arguments]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return
    if program == ".":
        (script,) = arguments
        assert f"VENV := {Path(script).parents[1]}\n" in (ROOT / "Makefile").read_text("utf-8")
        return
    if arguments[0] == "quickstart":
        pytest.skip("tests/cli/test_quickstart.py runs it")
    if arguments[0] == "bench":
        pytest.skip("tests/cli/test_bench.py runs it")
    if arguments[0] == "train" and "--config" in arguments:
        shutil.rmtree("runs/drqa")
        arguments += SHRUNKEN
    shorten(arguments[0], monkeypatch)
    if arguments[0] == "ablate":
        arguments += ["--without", "lengths", "--trainer.max_epochs", "1"]
    assert main(arguments) == 0


def test_the_first_answer_looks_as_shown(
    trained_checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = blocks(README, "console")[0].partition('mill?"\n')[2]
    assert main(shlex.split(ANSWER)[1:]) == 0
    labels = [
        [line.partition("  ")[0] for line in text.splitlines()[1:]]
        for text in (shown, capsys.readouterr().out)
    ]
    assert labels[0] == labels[1] == ["probability", "characters", "in", "checkpoint"]


def test_the_sample_scores_are_the_measured_ones() -> None:
    table = blocks(README, "text")[0]
    for name in ("logistic", "drqa"):
        row = read_result(ROOT / "results" / f"sample-{name}.json")
        assert row.minutes is not None
        shown = [name, f"{row.parameters:,}", f"{row.minutes:.1f}"]
        shown += [f"{row.exact_match:.1f}", f"{row.f1:.1f}"]
        assert re.search(rf"^{' +'.join(map(re.escape, shown))}$", table, re.MULTILINE), shown


def test_the_python_example_runs(
    trained_checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {}
    exec(SNIPPET, names)
    first, *several, scores = capsys.readouterr().out.splitlines()
    context, answer = names["context"], names["answer"]
    assert context[answer.start : answer.end] == answer.text
    assert first.endswith(f"{answer.probability} {answer.start} {answer.end}")
    assert [line.count("%)") for line in several] == [3, 3]
    assert scores == f"{names['score'].exact_match} {names['score'].f1}"
    assert len(names["predictions"]) == names["score"].total == 8


def test_the_shown_reader_is_one() -> None:
    names: dict[str, Any] = {}
    exec(READER, names)
    torch.manual_seed(0)
    reader = names["MyReader"](Sizes(vector_size=6), width=8).eval()
    assert isinstance(reader, SpanReader)
    dataset = SpanDataset(tiny.prepared(vector_size=6))
    together = dataset.collate(range(8))
    losses = reader.loss(reader(together), together)
    for item in range(8):  # padding changes nothing
        alone = dataset.collate([item])
        torch.testing.assert_close(reader.loss(reader(alone), alone), losses[item : item + 1])
