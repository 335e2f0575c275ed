"""Damaged checkpoints that a training resumes from: refused in three lines, not in the middle."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from tests.support.forked import squadqa
from tests.support.mostly_slow import mostly_slow

DAMAGE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no-progress": (lambda saved: saved.pop("loops"), "it lacks loops"),
    "text-for-a-count": (
        lambda saved: saved["loops"]["fit_loop"]["epoch_progress"]["total"].update(ready="x"),
        "it has 'x' at loops.fit_loop.epoch_progress.total.ready",
    ),
    "no-optimiser": (
        lambda saved: saved["optimizer_states"].clear(),
        "it lacks the optimiser's state",
    ),
    "optimiser-without-groups": (
        lambda saved: saved["optimizer_states"][0].pop("param_groups"),
        "KeyError: ",
    ),
    "random-states": (
        lambda saved: saved["callbacks"]["RandomStates"].update(torch=torch.zeros(3)),
        "from ",
    ),
    "clock": (
        lambda saved: saved["callbacks"]["TrainingClock"].update(seconds="x"),
        "it has 'x' at callbacks.TrainingClock.seconds",
    ),
    "no-callbacks": (
        lambda saved: saved["callbacks"].clear(),
        "it lacks the state of RandomStates",
    ),
    "lightning": (
        lambda saved: saved.update({"pytorch-lightning_version": "x"}),
        "InvalidVersion",
    ),
}


USUAL = ("no-progress", "text-for-a-count", "optimiser-without-groups")


@pytest.mark.parametrize(
    "name", mostly_slow({name: name for name in DAMAGE}, usual=USUAL, seconds=60)
)
def test_what_a_training_cannot_resume_from(name: str, scorer_run: Path, tmp_path: Path) -> None:
    damage, what = DAMAGE[name]
    run = Path(shutil.copytree(scorer_run, tmp_path / "run"))
    for part in ("train.json", "dev.json"):
        shutil.copy(scorer_run.parents[1] / part, tmp_path)
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["trainer"]["max_epochs"] = 2
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    path = run / "checkpoints" / "last.ckpt"
    saved = torch.load(path, weights_only=True)
    damage(saved)
    torch.save(saved, path)
    before = path.read_bytes()
    done = squadqa(tmp_path, "train", "--resume", "run")
    assert done.code == 2, done.err
    assert f'no training can be resumed from "{run.relative_to(tmp_path)}/checkpoints' in done.err
    assert what in done.err
    assert "Traceback" not in done.err
    assert path.read_bytes() == before
