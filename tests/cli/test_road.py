"""What `squadqa` without a command shows: steps that can be taken as they stand."""

import shlex
from pathlib import Path

import pytest

from squadqa import package_files
from squadqa.cli import road as module
from squadqa.cli.main import COMMANDS, main
from squadqa.cli.road import ASK, STEPS, road


def test_without_a_command_the_road_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert shown == road() + "\n"
    for number, (purpose, command) in enumerate(STEPS, start=1):
        assert f". {purpose}\n     {command}\n" in shown, number
    assert max(map(len, shown.splitlines())) <= 100


def test_every_step_is_a_command() -> None:
    for _, command in (ASK, *STEPS):
        program, name, *_ = shlex.split(command.rpartition("| ")[2])
        assert (program, name in COMMANDS) == ("squadqa", True)


@pytest.mark.parametrize("is_there", [True, False])
def test_the_first_step_needs_the_ready_model(
    is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_files, "READY", tmp_path)
    if is_there:
        folder = tmp_path / module.READY_MODEL
        folder.mkdir()
        (folder / "config.yaml").touch()
    assert (ASK[1] in road()) == is_there
    assert f"{len(STEPS) + is_there}. {STEPS[-1][0]}" in road()


@pytest.mark.parametrize("command", [line for _, line in STEPS if " runs/quickstart" in line])
def test_a_step_after_quickstart_runs(
    command: str, trained_checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, *arguments = shlex.split(command)
    if arguments[0] == "demo":  # serves until it is stopped: its own tests ask it questions
        arguments.append("--help")
    assert main(arguments) == 0
    assert capsys.readouterr().out
