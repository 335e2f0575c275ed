"""Files and runs that tests of several commands start from."""

import json
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from squadqa.cli.main import COMMANDS, main
from tests.support import tiny
from tests.support.forked import write_config
from tests.support.runs import SCORER

# What a test changes in one command's module must not be what another's first import takes over.
for _module in COMMANDS.values():
    import_module(_module)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must be refused as a user's mistake, and return its message."""

    def run(*arguments: object) -> str:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert code == 2, (code, out, err)
        before, label, said = err.partition("squadqa: error: ")
        assert label, err
        assert "Traceback" not in err
        assert 1 <= len(said.splitlines()) <= 3, said
        assert said.count("\n  ") >= 1, f"neither a hint nor a next step: {said}"
        assert out == ""
        return said

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data and a scorer's configuration, which needs no vectors."""
    write_config(tmp_path, SCORER)
    return tmp_path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The tiny SQuAD as a file."""
    return tiny.write(tmp_path / "dev.json", tiny.squad())


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """Answers to some of its questions."""
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps({"q0": "ida moss", "q1": "31 years ago", "q3": "Bergen"}))
    return path


@pytest.fixture
def copied_run(reader_run: Path, tmp_path: Path) -> Path:
    """A copy of a run, which a test may change."""
    return Path(shutil.copytree(reader_run, tmp_path / "runs" / "copy"))
