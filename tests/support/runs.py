"""Small trained runs: two steps on a SQuAD of eight questions."""

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import tiny
from tests.support.forked import squadqa

ROOT = Path(__file__).parents[2]

READER = {
    "model": {
        "class_path": "squadqa.training.span_module.SpanModule",
        "init_args": {
            "reader": {
                "class_path": "squadqa.models.DrQAReader",
                "init_args": {
                    "char_cnn": {
                        "class_path": "squadqa.nn.char_cnn.KernelBankCharCNN",
                        "init_args": {"filters": {3: 4, 5: 4}, "character_size": 4},
                    },
                    "embedding_size": 8,
                    "hidden_size": 8,
                    "num_layers": 1,
                    "tuned_words": 10,
                },
            }
        },
    },
    "inputs": {
        "class_path": "squadqa.data.inputs.SpanInputs",
        "init_args": {"vectors": "glove-6b-50d", "pipeline": None},
    },
}

SCORER = {
    "model": {
        "class_path": "squadqa.training.candidate_module.CandidateModule",
        "init_args": {
            "scorer": {
                "class_path": "squadqa.models.scorers.logistic.LogisticScorer",
                "init_args": {"table_bits": 6},
            }
        },
    },
    "inputs": {
        "class_path": "squadqa.data.candidates.inputs.CandidateInputs",
        "init_args": {"pipeline": None, "num_buckets": 3},
    },
}


def train_once(factory: pytest.TempPathFactory, name: str, settings: dict[str, Any]) -> Path:
    """Train a run once for all test processes of this session."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder = root / f"trained-{name}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "trained").exists():
            train(folder, name, settings)
            (folder / "trained").touch()
    return folder / "runs" / name


def train(folder: Path, name: str, settings: dict[str, Any]) -> None:
    """Train a run like a user, in its own process.

    Args:
        folder: Gets NAME.yaml, train.json, dev.json, the cache, and the run folder runs/NAME.
        name: The run's name.
        settings: `READER` or `SCORER`.
    """
    for part in ("train.json", "dev.json"):
        tiny.write(folder / part, tiny.squad())
    config = folder / f"{name}.yaml"
    data = {"train": "train.json", "test": "dev.json", "batch_size": 4, "cache_dir": "cache"}
    values = {
        "seed_everything": 1,
        "model": settings["model"],
        "data": {**data, "inputs": settings["inputs"]},
        "trainer": {"max_epochs": 1, "accelerator": "cpu", "enable_progress_bar": False},
    }
    config.write_text(yaml.safe_dump(values), encoding="utf-8")
    options = ["--config", config.name, "--run", f"runs/{name}", "--wandb", "off"]
    done = squadqa(folder, "lightning", "fit", *options)
    assert done.code == 0, done.out + done.err
