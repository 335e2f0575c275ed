"""Trainings on a GPU: every kind of option, resuming, and what a run answers afterwards."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from squadqa.batch import Sizes
from squadqa.data.candidates.dataset import CandidateDataset
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.models import LogisticScorer, MLPScorer
from squadqa.models.base import CandidateScorer
from squadqa.training.candidate_module import CandidateModule
from squadqa.training.module import QAModule
from squadqa.training.random_states import RandomStates
from tests.support import tiny
from tests.support.forked import squadqa, write_config
from tests.support.runs import READER, SCORER
from tests.support.small_training import Questions, span_module, trainer

LOSS = 1e-3
"""Largest difference of a loss after some steps: each step's rounding goes into the next."""


def on(device: torch.device, folder: Path, **options: Any) -> Any:
    accelerator = "gpu" if device.type == "cuda" else device.type
    return trainer(folder, accelerator=accelerator, devices=1, **options)


def losses(module: QAModule, data: Any, run: Any) -> float:
    run.fit(module, data)
    return float(run.callback_metrics["val/loss"])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ema_decay": 0.9, "warmup_steps": 2},
        {"decay": "plateau"},
        {"optimizer": lambda parameters: torch.optim.Adam(parameters, lr=0.01, fused=True)},
    ],
    ids=["usual", "average", "plateau", "fused"],
)
def test_a_reader_trains_as_on_the_cpu(
    device: torch.device, tmp_path: Path, options: dict[str, Any]
) -> None:
    """From the same weights, with no dropout: the readers of these tests have none."""
    found = []
    for place in (torch.device("cpu"), device):
        module = span_module(**options)
        module.make_model = partial(_without_dropout, module.make_model)
        found.append(losses(module, Questions(), on(place, tmp_path)))
    assert found[1] == pytest.approx(found[0], rel=LOSS)


def _without_dropout(make: Callable[[Sizes], Any], sizes: Sizes) -> Any:
    from tests.support.devices import without_dropout

    return without_dropout(make(sizes))


class Candidates(Questions):
    """The tiny SQuAD with candidates."""

    sizes = Sizes(vector_size=6, num_buckets=3)

    def __init__(self) -> None:
        super().__init__()
        data = tiny.prepared(vector_size=6)
        inputs = CandidateInputs(num_buckets=3, pipeline=None, vectors=["made up"])
        inputs.fit(data, np.arange(8))
        self.inputs = inputs
        self.dataset: CandidateDataset = inputs.dataset(data)  # type: ignore[assignment]
        self.datasets = dict.fromkeys(("train", "val", "test", "predict"), self.dataset)


@pytest.mark.parametrize("kind", [LogisticScorer, MLPScorer])
def test_a_scorer_trains_as_on_the_cpu(
    device: torch.device, tmp_path: Path, kind: type[CandidateScorer]
) -> None:
    """With the fused Adagrad of their configurations, which torch may not have on a GPU."""
    found = []
    for place in (torch.device("cpu"), device):
        torch.manual_seed(0)
        module = CandidateModule(
            partial(_without_dropout, partial(kind, table_bits=8)),
            optimizer=lambda own: torch.optim.Adagrad(own, lr=0.05, fused=True),
        )
        found.append(losses(module, Candidates(), on(place, tmp_path)))
    assert found[1] == pytest.approx(found[0], rel=LOSS)


def test_a_training_resumes_with_its_random_numbers(device: torch.device, tmp_path: Path) -> None:
    run = on(device, tmp_path, max_epochs=1, callbacks=[RandomStates()])
    run.fit(span_module(word_dropout=0.3), Questions())
    run.save_checkpoint(tmp_path / "last.ckpt")
    whole = on(device, tmp_path, max_epochs=2, callbacks=[RandomStates()])
    rest = on(device, tmp_path, max_epochs=2, callbacks=[RandomStates()])
    checkpoint = str(tmp_path / "last.ckpt")
    for one in (whole, rest):
        torch.rand(5, device=device)  # what happens in between does not matter
        one.fit(span_module(word_dropout=0.3), Questions(), ckpt_path=checkpoint, weights_only=True)
    first, second = (float(one.callback_metrics["val/loss"]) for one in (whole, rest))
    assert second == pytest.approx(first, rel=1e-5)


@pytest.mark.slow(seconds=300)
@pytest.mark.parametrize("settings", [READER, SCORER], ids=["reader", "scorer"])
def test_commands(device: torch.device, tmp_path: Path, settings: dict[str, Any]) -> None:
    """Training, stopped inside an epoch and resumed; then what uses the run, on both devices."""
    config = write_config(tmp_path, settings)
    line = ["train", "--config", config.name, "--wandb", "off", "--device", device.type]
    stopped = squadqa(tmp_path, *line, "--trainer.devices", 1, stop=(2, 3))
    assert stopped.code == 1, stopped.err
    resumed = squadqa(tmp_path, "train", "--resume", "runs/config")
    assert resumed.code == 0, resumed.err
    shutil.copytree(tmp_path / "runs/config", tmp_path / "runs/again")
    told = [
        squadqa(tmp_path, *command, "--device", place)
        for command in (
            ["evaluate", "runs/config", "--data", "dev.json"],
            ["predict", "runs/config", "--data", "dev.json", "--output", "out.json"],
            ["ensemble", "runs/config", "runs/again", "--data", "dev.json"],
        )
        for place in ("cpu", device.type)
    ]
    assert [done.code for done in told] == [0] * len(told), [done.err for done in told]
    assert told[0].out == told[1].out, "the same scores"
