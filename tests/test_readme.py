"""Every command of the README runs, long ones on small data."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from squadqa.cli.main import main
from tests.support import tiny
from tests.support.runs import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")

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


def prompted(text: str) -> list[str]:
    """The lines after a prompt."""
    found = re.findall(r"^\$ ([^#\n]+)", text.replace("\\\n", ""), re.MULTILINE)
    return [command.strip() for command in found]


def commands() -> list[str]:
    """The lines after a prompt, and the commands of the table."""
    tabled = re.findall(r"^\| `(squadqa [^`]+)` \|", README, re.MULTILINE)
    return [*prompted(README), *tabled]


DOCUMENTED = dict.fromkeys(
    command
    for path in sorted((ROOT / "docs").glob("*.md"))
    for command in prompted(path.read_text(encoding="utf-8"))
)


@pytest.fixture
def checkout(
    tmp_path: Path, reader_run: Path, scorer_run: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder that looks like a checkout, with small data under every name the README uses."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQUADQA_DATA_DIR", str(tmp_path / "squad"))
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    shutil.copytree(reader_run, tmp_path / "runs" / "drqa")
    shutil.copytree(scorer_run, tmp_path / "runs" / "logistic")
    shutil.copy(ROOT / "train_cli.py", tmp_path)
    files = ("squad/train-v1.1.json", "squad/dev-v1.1.json", "train.json", "dev.json")
    for name in (*files, "data/sample/train.json", "data/sample/dev.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        tiny.write(tmp_path / name, tiny.squad())
    for name in ("text.txt", "mill.txt"):
        (tmp_path / name).write_text("Ada Brandt built the mill.", encoding="utf-8")
    first_id = tiny.squad()["data"][0]["paragraphs"][0]["qas"][0]["id"]
    (tmp_path / "predictions.json").write_text(f'{{"{first_id}": "x"}}', encoding="utf-8")
    return tmp_path


def test_the_readme_has_commands() -> None:
    assert len(commands()) >= 10
    assert {shlex.split(command)[0] for command in commands()} == {"make", "squadqa", "python"}


@pytest.mark.parametrize("command", dict.fromkeys(commands()))
def test_command_runs(command: str, checkout: Path) -> None:
    program, *arguments = shlex.split(command)
    if program == "make":
        line = ["make", "--dry-run", *arguments]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return
    if program == "python":
        assert arguments[0] == "train_cli.py"
        line = [sys.executable, *arguments, *SHRUNKEN]
        done = subprocess.run(line, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return
    if arguments[0] == "quickstart":
        pytest.skip("tests/cli/test_quickstart.py runs it")
    if arguments[0] == "train" and "--config" in arguments:
        shutil.rmtree("runs/drqa")
        arguments += SHRUNKEN
    if arguments[0] == "ablate":
        arguments += ["--without", "lengths", "--trainer.max_epochs", "1"]
    assert main(arguments) == 0


@pytest.mark.parametrize("command", DOCUMENTED)
def test_command_of_the_docs_can_be_parsed(command: str, checkout: Path, begun: list[Any]) -> None:
    program, *arguments = shlex.split(command)
    assert program == "squadqa"
    assert main(arguments) == 0
    assert len(begun) == (arguments[0] == "train")
