"""docs/examples/onnx_answer.py: it answers as the run does, and imports no torch."""

import subprocess
import sys
from pathlib import Path

import pytest

import squadqa
from squadqa.cli.main import main
from tests.support.runs import ROOT

SCRIPT = ROOT / "docs" / "examples" / "onnx_answer.py"
WITHOUT_TORCH = (
    "import runpy, sys; sys.modules['torch'] = None; "
    "script = sys.argv.pop(1); sys.argv[0] = script; runpy.run_path(script, run_name='__main__')"
)
CONTEXT = "Ida Moss kept the lighthouse at Brack Point for 31 years. Tom moved to Oslo."
QUESTION = "Who kept the lighthouse?"


def answer_without_torch(*arguments: str) -> list[str]:
    """Return the lines that the script prints, in a process that cannot import torch."""
    line = [sys.executable, "-c", WITHOUT_TORCH, str(SCRIPT), *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_it_answers_as_the_run_does(
    reader_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(CONTEXT)
    assert main(["export", str(reader_run), "--onnx", "reader.onnx"]) == 0
    assert "ONNX  reader.onnx (0." in capsys.readouterr().out
    expected = squadqa.load(reader_run).answer(CONTEXT, QUESTION)
    assert answer_without_torch("reader.onnx", "text.txt", QUESTION) == [
        expected.text,
        f"probability: {expected.probability:.3f}",
    ]
