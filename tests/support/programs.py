"""Other programs run as a user does, each with a limit of time."""

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

LIMIT = 50.0
"""Seconds that a program may take: less than a test may, so that what hung is told."""


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
        told = _text(error.stdout) + _text(error.stderr)
        pytest.fail(f"hung for {limit:.0f} s: {shlex.join(words)}\n{told}", pytrace=False)


def _text(output: Any) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
