"""The number of this process in a training, as the environment gives it."""

import pytest

from squadqa.cli.main import main
from squadqa.training.processes import RANKS, is_first_process, require_ranks


@pytest.mark.parametrize("name", RANKS)
@pytest.mark.parametrize("value", ["x", "", "1.5", "-1", "\u0663", "9" * 5000])
def test_a_variable_that_is_no_number_is_refused(
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Lightning reads them when it is imported, and would end in an error of its own."""
    monkeypatch.setenv(name, value)
    assert main(["models"]) == 2
    assert f"the environment variable {name} is" in capsys.readouterr().err


def test_the_first_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RANKS:
        monkeypatch.delenv(name, raising=False)
    require_ranks()
    assert is_first_process()
    monkeypatch.setenv("LOCAL_RANK", "0")
    require_ranks()
    assert is_first_process()
    monkeypatch.setenv("RANK", "3")
    require_ranks()
    assert not is_first_process()
