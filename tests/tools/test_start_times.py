"""The figures that `make bench` prints; which ones depends on the machine."""

import sys
from pathlib import Path

import pytest

from tools import start_times


def test_a_program_is_measured(tmp_path: Path) -> None:
    holds = start_times.measure(sys.executable, "-c", "held = b'x' * 2**28", folder=tmp_path)
    assert holds.seconds > 0
    assert holds.gib > 0.25, "the memory of the program, not of the measuring process"


def test_a_failing_program_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ended with 3\nbecause") as stopped:
        start_times.measure("sh", "-c", "echo because >&2; exit 3", folder=tmp_path)
    assert "sh -c" in str(stopped.value)
