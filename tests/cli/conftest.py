from collections.abc import Callable

import pytest

from squadqa.cli.main import main


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
