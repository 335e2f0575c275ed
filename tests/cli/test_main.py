"""The console command: fast help, mistakes in three lines, exit codes."""

import configparser
import errno
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from squadqa import __version__
from squadqa.cli import main as module
from squadqa.cli.main import COMMANDS, main
from squadqa.errors import DataError

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "pytorch_lightning", "datasets", "spacy", "gensim", "numpy", "pyarrow", "wandb"}


def command(code: Callable[[list[str]], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a command `try` that runs the given function."""
    monkeypatch.setitem(COMMANDS, "try", "tried")
    monkeypatch.setitem(sys.modules, "tried", SimpleNamespace(HELP="try", main=code))


def raising(error: BaseException) -> Callable[[list[str]], int]:
    def run(arguments: list[str]) -> int:
        raise error

    return run


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_imports_nothing_heavy_and_fits_a_screen(name: str) -> None:
    code = (
        "import json, sys; from squadqa.cli.main import main; code = main(sys.argv[1:]); "
        "sys.stderr.write(json.dumps([code, sorted(sys.modules)]))"
    )
    line = [sys.executable, "-c", code, *([name] if name else []), "--help"]
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=environment)
    exit_code, modules = json.loads(done.stderr)
    assert exit_code == 0
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    shown = done.stdout
    assert shown.startswith("usage: squadqa ")
    assert len(shown.splitlines()) <= 46
    assert max(map(len, shown.splitlines())) <= 100
    examples = shown.partition("examples:\n")[2]
    assert 2 <= examples.count(f"squadqa {name}") <= 4


def test_every_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines() if line.startswith("  ")][
        : len(COMMANDS)
    ] == list(COMMANDS)


def test_the_import_contract_covers_every_command() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    modules = config["importlinter:contract:commands"]["modules"].split()
    assert sorted(modules) == sorted([*COMMANDS.values(), *module.HIDDEN.values()])


def test_it_runs_as_a_module_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["squadqa", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("squadqa", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"squadqa {__version__}\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"squadqa {__version__}\n"


def test_unknown_commands(refused: Callable[..., str]) -> None:
    assert refused("evalute").splitlines() == [
        'unknown command "evalute"',
        '  Did you mean "evaluate"?',
        "  All commands: squadqa --help",
    ]
    assert 'unknown option "--versoin"' in refused("--versoin")


def test_the_exit_code_is_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        seen.append(arguments)
        return 7

    command(run, monkeypatch)
    assert main(["try", "a", "--b"]) == 7
    assert seen == [["a", "--b"]]


def test_a_mistake_is_three_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = DataError("bad\nvalue", hint="Did you mean that?", next_step="Do this.")
    command(raising(error), monkeypatch)
    assert main(["try"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "squadqa: error: bad value\n  Did you mean that?\n  Do this.\n"


def test_debug_shows_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(DataError("bad value")), monkeypatch)
    assert main(["try", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "in run" in err
    assert err.endswith("squadqa: error: bad value\n")


@pytest.mark.parametrize(
    ("number", "done"), [(errno.ENOSPC, "write"), (errno.EROFS, "write"), (errno.EACCES, "read")]
)
def test_what_the_system_refuses_is_reported(
    number: int, done: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(OSError(number, "no room", "some/file")), monkeypatch)
    assert main(["try"]) == 2
    assert f'cannot {done} "some/file": no room' in capsys.readouterr().err


def test_our_own_bugs_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (OSError(errno.EBADF, "bad descriptor"), RuntimeError("bug")):
        command(raising(error), monkeypatch)
        with pytest.raises(type(error)):
            main(["try"])


def test_interruption(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    command(raising(KeyboardInterrupt()), monkeypatch)
    assert main(["try"]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (None, 0), (2, 2), ("message", 2)])
def test_exits_become_codes(
    code: int | str | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(raising(SystemExit(code)), monkeypatch)
    assert main(["try"]) == expected


def test_lightning_gets_its_whole_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def run(line: list[str], **options: Any) -> int:
        seen.append((line, options["trust"], options["command"]))
        return 0

    monkeypatch.setitem(sys.modules, "squadqa.cli.lightning", SimpleNamespace(run=run))
    line = ["fit", "--trust", "a", "--config", "x.yaml", "--trust=b"]
    assert main(["lightning", *line]) == 0
    command = "python train_cli.py fit --trust a --config x.yaml --trust=b"
    assert seen == [(["fit", "--config", "x.yaml"], ["a", "b"], command)]
    assert not COMMANDS.keys() & module.HIDDEN


def test_a_closed_pipe_gives_no_traceback() -> None:
    line = f'"{sys.executable}" -m squadqa.cli.main evaluate --help | true; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1)  # 0 if it was faster than `true`


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colour_only_on_a_terminal_and_never_with_no_color(
    no_color: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(DataError("bad value")), monkeypatch)
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["try"]) == 2
    assert ("\x1b" in capsys.readouterr().err) is not bool(no_color)
