"""The figures that `make bench` prints; which ones depends on the machine."""

import re
import sys
from pathlib import Path

import pytest

from tools import bench


def test_a_runs_answers_are_measured(
    reader_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "ASKED", 2)
    assert bench.main([str(reader_run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r" +\d+\.\d+ (s|ms)$", r" N \1", line) for line in lines] == [
        "drqa: open it and answer once N s",
        "  a question about another text N ms",
        "  another question about the same text N ms",
    ]


def test_a_program_is_measured(tmp_path: Path) -> None:
    holds = bench.measure(sys.executable, "-c", "held = b'x' * 2**28", folder=tmp_path)
    assert holds.seconds > 0
    assert holds.gib > 0.25, "the memory of the program, not of the measuring process"


def test_a_failing_program_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ended with 3\nbecause") as stopped:
        bench.measure("sh", "-c", "echo because >&2; exit 3", folder=tmp_path)
    assert "sh -c" in str(stopped.value)
