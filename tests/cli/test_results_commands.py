"""The command of a measured result can be parsed, and matches the result's fields."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from squadqa.cli.main import main
from squadqa.evaluation.results import Result, read_results
from tests.support.runs import ROOT

# One row for each model and each set of changed values: reading a configuration takes a second.
ROWS = {
    (result.configs[0], *result.overrides): result
    for result in read_results(ROOT / "results")
    if result.configs
}


@pytest.mark.parametrize("result", ROWS.values(), ids=lambda result: result.name)
def test_a_rows_command_trains_with_its_configuration(
    result: Result, begun: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("configs", "data"):
        Path(name).symlink_to(ROOT / name)
    program, *arguments = shlex.split(result.command)
    assert program == "squadqa"
    assert main(arguments) == 0
    (parsed,) = begun
    assert (parsed.configs, parsed.overrides) == (result.configs, result.overrides)
    assert parsed.config.budget_minutes == result.budget_minutes
    assert parsed.config.seed_everything == result.seed
