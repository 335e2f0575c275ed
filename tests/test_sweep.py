"""configs/sweep.yaml: training works with the limits of every choice."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import tiny
from tests.support.forked import four_articles, squadqa
from tests.support.runs import ROOT

SWEEP: dict[str, Any] = yaml.safe_load((ROOT / "configs/sweep.yaml").read_text())
PARAMETERS: dict[str, Any] = SWEEP["parameters"]


def edges(parameter: dict[str, Any]) -> list[Any]:
    """The first and the last value that a sweep may choose."""
    if "values" in parameter:
        return [parameter["values"][0], parameter["values"][-1]]
    return [parameter["min"], parameter["max"]]


def command(chosen: dict[str, Any]) -> list[str]:
    """The command line that `wandb agent` makes from the file and the chosen values."""
    filled = {
        "${env}": ["/usr/bin/env"],
        "${interpreter}": ["python"],
        "${program}": [SWEEP["program"]],
        "${args}": [f"--{name}={value}" for name, value in chosen.items()],
    }
    return [word for part in SWEEP["command"] for word in filled.get(part, [part])]


def test_it_is_a_sweep() -> None:
    assert SWEEP["method"] in ("grid", "random", "bayes")
    assert SWEEP["metric"] == {"name": "val/f1", "goal": "maximize"}
    assert "--wandb=online" in SWEEP["command"]


@pytest.mark.parametrize("edge", [0, pytest.param(1, marks=pytest.mark.slow(seconds=120))])
def test_its_command_trains(edge: int, tmp_path: Path) -> None:
    chosen = {name: edges(parameter)[edge] for name, parameter in PARAMETERS.items()}
    interpreter, line = command(chosen)[:4], command(chosen)[3:]
    assert interpreter == ["/usr/bin/env", "python", "train_cli.py", "fit"]
    assert (ROOT / SWEEP["program"]).is_file()
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    tiny.write(tmp_path / "train.json", four_articles())
    tiny.write(tmp_path / "dev.json", tiny.squad())
    small = ["--data.train=train.json", "--data.test=dev.json", "--data.cache_dir=cache"]
    small += ["--data.inputs.init_args.pipeline=null", "--trainer.max_epochs=1"]
    small += ["--trainer.accelerator=cpu", "--wandb=off"]
    done = squadqa(tmp_path, "lightning", *line, *small)
    assert done.code == 0, done.err
    (run,) = (tmp_path / "runs").iterdir()
    assert json.loads((run / "results.json").read_text())["total"] == 8
    written = yaml.safe_load((run / "config.yaml").read_text())
    for name, value in chosen.items():
        found = written
        for key in name.split("."):
            found = found[key]
        assert found == value
