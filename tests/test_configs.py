"""Every YAML that is shipped parses, and makes what it describes."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

CONFIGS = Path(__file__).parents[1] / "configs"
FILES = sorted(CONFIGS.rglob("*.yaml"))
SIZES = {"vector_size": 5, "num_buckets": 4}


def load(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return values


def arguments(path: Path) -> list[str]:
    """What `fit` is told: a complete file by itself, a part on top of a complete one."""
    if "model" in load(path):
        return ["--config", str(path)]
    return ["--config", str(CONFIGS / "drqa.yaml"), "--config", str(path)]


TRAINED = [path for path in FILES if "method" not in load(path)]  # not the sweeps


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: str(path.relative_to(CONFIGS)))
def test_makes_model_data_and_trainer(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from squadqa.cli import train

    made: list[Any] = []
    monkeypatch.setattr(train.TrainCLI, "_run_subcommand", lambda self, _: made.append(self))
    # Set back after the test: a run sets them for its own processes.
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    monkeypatch.setenv("SQUADQA_RUN_FOLDER", "")
    monkeypatch.chdir(tmp_path)
    train.run(["fit", *arguments(path), "--run", str(tmp_path / "run"), "--wandb", "off"])
    (cli,) = made
    model = cli.model.make_model(SIZES)
    assert sum(parameter.numel() for parameter in model.parameters()) > 0
    optimizer = cli.model.make_optimizer(model.parameters())
    assert isinstance(optimizer, torch.optim.Optimizer)
    assert set(cli.datamodule.sources) == {"train", "val", "test", "predict"}
    assert not (tmp_path / "run").exists()


def test_there_are_configs() -> None:
    assert {path.name for path in FILES} >= {"drqa.yaml"}
    assert TRAINED
