"""What train_cli.py opens: a run is checked as `squadqa train --resume` checks it."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from squadqa.cli.main import main
from squadqa.cli.run_folders import resume_line
from tests.support.planted import change, copy_run

LAMBDA = "pytorch_lightning.callbacks.LambdaCallback"
CALLBACK = {"class_path": LAMBDA, "init_args": {"setup": "builtins.print"}}
TRUST = ["--trust", LAMBDA, "--trust", "builtins.print"]


@pytest.fixture
def run(reader_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run in the working folder whose configuration names a callback, which calls `print`."""
    monkeypatch.chdir(tmp_path)
    copied = copy_run(reader_run, Path("runs/copy"))
    change(copied, lambda config: config["trainer"].update(callbacks=[CALLBACK]))
    return copied


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], list[str]]]:
    """The command lines that LightningCLI gets, with what the user trusts."""
    seen: list[tuple[list[str], list[str]]] = []

    def run(line: list[str], *, trust: list[str], **_: Any) -> int:
        seen.append((line, trust))
        return 0

    monkeypatch.setitem(sys.modules, "squadqa.cli.lightning", SimpleNamespace(run=run))
    return seen


CONFIG = ["--config", "runs/copy/config.yaml"]
NAMED = ["--run", "runs/copy"]


@pytest.mark.parametrize(
    "line",
    [
        ["fit", *CONFIG, *NAMED, "--resume", "true"],
        ["fit", *CONFIG, "--run_folder=./runs/copy/", "--resume=True"],
        ["fit", "-c", CONFIG[1], "--run-folder", "runs/copy", "--resume", "yes"],
        ["fit", f"-c{CONFIG[1]}", "--run", "runs/other/../copy", "--resume", "true"],
        ["fit", f"--config={CONFIG[1]}", "--resume", "true"],  # the file may name the folder
        ["fit", "--print_config", *CONFIG, *NAMED, "--resume", "true"],
        [*CONFIG, "fit", *NAMED, "--resume", "true"],
        ["fit", *CONFIG, "--run", "elsewhere", *NAMED, "--resume", "false", "--resume", "true"],
        ["validate", *CONFIG, *NAMED],
        ["test", *CONFIG, *NAMED],
        ["predict", *CONFIG, *NAMED],
    ],
    ids=" ".join,
)
def test_a_name_in_a_run_needs_the_users_word(
    line: list[str],
    run: Path,
    begun: list[Any],
    refused: Callable[..., str],
) -> None:
    Path("runs/other").mkdir()
    said = refused("lightning", *line)
    assert f'"runs/copy/config.yaml" names "{LAMBDA}" at trainer.callbacks: nothing of it' in said
    assert said.endswith(f"If you trust it, add --trust {LAMBDA}.\n")
    assert begun == []
    assert f"add --trust {TRUST[3]}." in refused("lightning", *line, *TRUST[:2])
    assert main(["lightning", *line, *TRUST]) == 0
    assert begun == [(line, TRUST[1::2])]


def test_a_copy_of_the_configuration_in_the_run_is_checked_too(
    run: Path, begun: list[Any], refused: Callable[..., str]
) -> None:
    (run / "config.yaml").rename(run / "mine.yaml")
    line = ["fit", "--config", "runs/copy/mine.yaml", *NAMED, "--resume", "true"]
    assert f'"runs/copy/mine.yaml" names "{LAMBDA}"' in refused("lightning", *line)


def test_a_link_that_leads_out_is_refused_whatever_the_configuration(
    run: Path, begun: list[Any], refused: Callable[..., str], tmp_path: Path
) -> None:
    (run / "checkpoints").rename(tmp_path / "elsewhere")
    (run / "checkpoints").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "mine.yaml").touch()
    line = ["fit", "--config", "mine.yaml", *NAMED, "--resume", "true"]
    assert "is a link that leads out of the run" in refused("lightning", *line)


def test_a_new_training_takes_the_users_own_configuration(run: Path, begun: list[Any]) -> None:
    (run / "config.yaml").rename("mine.yaml")
    for line in (
        ["fit", "--config", "mine.yaml", "--run", "new"],
        ["fit", "--config", "mine.yaml", *NAMED, "--resume", "true"],
    ):
        assert main(["lightning", *line]) == 0
    assert len(begun) == 2


def test_the_line_that_resumes_a_run_has_all_it_needs(run: Path, begun: list[Any]) -> None:
    change(run, lambda config: config.update(results="/somewhere else", wandb="online"))
    line = resume_line(run)
    options = [*TRUST, "--trust", "/somewhere else", "--wandb", "online"]
    assert line == shlex.join(["squadqa", "train", "--resume", "runs/copy", *options])
    assert main(shlex.split(line)[1:]) == 0
    assert begun[0][1] == [LAMBDA, "builtins.print", "/somewhere else"]


def test_what_squadqa_wrote_needs_no_word(
    reader_run: Path, monkeypatch: pytest.MonkeyPatch, begun: list[Any]
) -> None:
    monkeypatch.chdir(reader_run.parents[1])
    assert resume_line(Path("runs/drqa")) == "squadqa train --resume runs/drqa"
    config = ["--config", "runs/drqa/config.yaml"]
    assert main(["lightning", "fit", *config, "--run", "runs/drqa", "--resume", "true"]) == 0
    assert len(begun) == 1
