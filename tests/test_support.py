"""The helpers of the tests: all are listed, and hanging programs are reported."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.support.forked import squadqa, write_config
from tests.support.programs import run_program
from tests.support.runs import ROOT, SCORER

SUPPORT = ROOT / "tests" / "support"


def test_the_index_lists_every_helper() -> None:
    index = (SUPPORT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+\.py)` \|", index, re.MULTILINE)
    there = sorted(path.name for path in SUPPORT.glob("*.py"))
    assert listed == there, "say in tests/support/README.md what each file is for"


@pytest.mark.slow(seconds=240)
def test_a_hanging_command_is_killed_and_reported(tmp_path: Path) -> None:
    write_config(tmp_path, SCORER)
    os.mkfifo(tmp_path / "pipe.json")  # opening it waits for a writer
    line = ["evaluate", "--data", "dev.json", "--predictions", "pipe.json"]
    with pytest.raises(pytest.fail.Exception) as failure:
        squadqa(tmp_path, *line, limit=4)
    said = str(failure.value)
    assert said.startswith(f"hung for 4 s: squadqa {' '.join(line)}\n")
    assert "most recent call first" in said, "where it hung"


def test_a_hanging_program_is_killed_and_reported(tmp_path: Path) -> None:
    code = "print('begun', flush=True); input()"
    reading = f"import os; os.dup2(os.pipe()[0], 0); {code}"
    with pytest.raises(pytest.fail.Exception) as failure:
        run_program([sys.executable, "-c", reading], cwd=tmp_path, limit=2)
    assert str(failure.value).startswith(f"hung for 2 s: {sys.executable} -c ")
    assert str(failure.value).endswith("\nbegun\n")


HANGS = """
import time
def test_waits(): time.sleep(100)
def test_after(): pass
"""


@pytest.mark.slow(seconds=240)
def test_a_hanging_test_fails_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(HANGS)
    command = [sys.executable, "-m", "pytest", "--config-file", ROOT / "pyproject.toml"]
    options = ["-o", "timeout=1", "--rootdir", tmp_path, "-p", "no:cacheprovider", "test_it.py"]
    done = run_program([*command, *options], cwd=tmp_path)
    assert done.returncode == 1
    assert "time.sleep(100)" in done.stdout
    assert "Timeout (>1.0s)" in done.stdout
    assert "1 failed, 1 passed" in done.stdout
