"""Damaged run folders: their configurations and checkpoints, in their bytes and their values."""

import json
import shutil
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
import yaml

from squadqa.data.vectors import VectorStore
from squadqa.errors import CheckpointError
from squadqa.inference import predictor
from squadqa.inference.catalog import catalog
from squadqa.inference.checkpoint import read_checkpoint
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run
from squadqa.run_files import CONFIG
from tests.support.fuzzing import VALUES, changed, few_and_many, fuzz, mutated

KINDS = ("reader", "scorer")
CONTEXT, QUESTIONS = "Ida Moss kept the lighthouse for 31 years.", ["Who kept it?", "?"]


@pytest.fixture(params=KINDS)
def run(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a small trained run; word vectors are opened once for all its predictors."""
    opened = cache(lambda sources: VectorStore(sources))
    monkeypatch.setattr(predictor, "VectorStore", lambda sources: opened(tuple(sources)))
    folder = request.getfixturevalue(f"{request.param}_run")
    copied = Path(shutil.copytree(folder, tmp_path / "run"))
    answer(copied)
    return copied


def answer(folder: Path) -> None:
    """Open a run and let it answer; the first time, this imports much."""
    Predictor(open_run(folder, checkpoint="best"), device="cpu").answer(CONTEXT, QUESTIONS)


@few_and_many(60, seconds=3000)
def test_damaged_configurations(count: int, run: Path) -> None:
    path = run / CONFIG
    whole = path.read_bytes()
    values = json.loads(json.dumps(yaml.safe_load(whole)))

    def attempt(random: Random) -> None:
        if random.random() < 0.5:
            path.write_bytes(mutated(random, whole))
        else:
            made = changed(random, values, values=(*VALUES, 10**6, 3, 0.1))
            path.write_text(json.dumps(made))  # YAML too
        answer(run)

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


@few_and_many(60, seconds=3000)
def test_damaged_checkpoints(count: int, run: Path) -> None:
    path = next((run / "checkpoints").glob("best.ckpt"))
    whole = path.read_bytes()

    def attempt(random: Random) -> None:
        content = mutated(random, whole)
        if random.random() < 0.5:  # where the values and the archive's index are
            start = random.choice((0, len(whole) - 4000))
            content = whole[:start] + mutated(random, whole[start : start + 4000])
            content += whole[start + 4000 :]
        path.write_bytes(content)
        open_run(run, checkpoint="best").model  # noqa: B018  # made when asked for

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


@few_and_many(60, seconds=3000)
def test_changed_checkpoints(count: int, run: Path) -> None:
    path = next((run / "checkpoints").glob("best.ckpt"))
    values: Any = torch.load(path, weights_only=True)
    read = ("state_dict", "epoch", "global_step", "squadqa", "SquadDataModule")
    values = {name: values[name] for name in read}
    tensors = (torch.zeros(0), torch.zeros(3, 3), torch.tensor(float("nan")), torch.ones(2).int())
    plain = tuple(value for value in VALUES if value != 10**400)

    def attempt(random: Random) -> None:
        torch.save(changed(random, values, values=(*plain, *tensors)), path)
        answer(run)

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


def test_a_checkpoint_that_is_nested_too_deep(tmp_path: Path) -> None:
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    path = tmp_path / "x.ckpt"
    torch.save(deep, path)
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        read_checkpoint(path)


@few_and_many(100, seconds=1200)
def test_damaged_configurations_of_the_catalog(count: int, tmp_path: Path) -> None:
    whole = (Path(__file__).parents[2] / "configs" / "drqa.yaml").read_bytes()
    path = tmp_path / "drqa.yaml"

    def attempt(random: Random) -> None:
        path.write_bytes(mutated(random, whole))
        catalog(configs=tmp_path)

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused
