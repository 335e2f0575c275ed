"""Other programs run like a user's, each with a time limit."""

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

LIMIT = 50.0
"""Most seconds of a program: fewer than a test's, so that a hanging program is reported."""


def run_program(
    command: Sequence[object], *, cwd: Path, limit: float = LIMIT, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end; one that hangs is killed, and the test fails with its output.

    Args:
        command: The program and its arguments.
        cwd: Its working folder.
        limit: Seconds after which it is killed.
        **environment: Further environment variables.
    """
    words = [str(word) for word in command]
    try:
        return subprocess.run(
            words,
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired as error:
        shown = _text(error.stdout) + _text(error.stderr)
        pytest.fail(f"hung for {limit:.0f} s: {shlex.join(words)}\n{shown}", pytrace=False)


def _text(output: Any) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
