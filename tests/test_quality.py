"""Checks by tools: style, formatting, types, and imports."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check", "--output-format", "concise", "."], id="ruff-check"),
        pytest.param(["ruff", "format", "--check", "."], id="ruff-format"),
        # The first run takes half a minute of a core, more if the core is shared.
        pytest.param(["mypy"], id="mypy", marks=pytest.mark.timeout(240)),
        pytest.param(["lint-imports", "--no-logo"], id="import-contracts"),
    ],
)
def test_gate(command: list[str]) -> None:
    done = subprocess.run(
        [TOOLS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}{done.stderr}", pytrace=False)
