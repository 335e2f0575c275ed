"""Damaged run folders: their configurations and checkpoints, in their bytes and their values."""

import json
import shutil
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
import yaml

from squadqa.data.vectors import VectorStore
from squadqa.errors import CheckpointError
from squadqa.inference import catalog as catalog_module
from squadqa.inference import ensemble_folder, predictor, run_folder
from squadqa.inference.checkpoint import read_checkpoint
from squadqa.inference.ensemble_folder import open_ensemble
from squadqa.inference.predictor import Predictor
from squadqa.inference.resuming import require_resumable
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


@pytest.fixture
def same_configuration(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the run's configuration once: YAML takes ten times as long as the rest."""
    monkeypatch.setattr(run_folder, "read_config", cache(run_folder.read_config))


@pytest.fixture
def same_checkpoint(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the run's checkpoint once."""
    monkeypatch.setattr(run_folder, "read_checkpoint", cache(run_folder.read_checkpoint))


def answer(folder: Path) -> None:
    """Open a run and let it answer; the first time, this imports much."""
    Predictor(open_run(folder, checkpoint="best"), device="cpu").answer(CONTEXT, QUESTIONS)


@few_and_many(60, seconds=3000)
def test_damaged_configurations(count: int, run: Path, same_checkpoint: None) -> None:
    """The sections that are read; others make an input slower, and nothing else."""
    path = run / CONFIG
    values = yaml.safe_load(path.read_bytes())
    values = json.loads(json.dumps({name: values[name] for name in ("model", "data")}))
    whole = yaml.safe_dump(values).encode()

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
def test_damaged_checkpoints(count: int, run: Path, same_configuration: None) -> None:
    path = next((run / "checkpoints").glob("best.ckpt"))
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    pickled = next(name for name in members if name.endswith("/data.pkl"))

    def attempt(random: Random) -> None:
        how = random.random()
        if how < 0.1:
            path.write_bytes(mutated(random, whole))
        elif how < 0.3:  # where the archive's index is
            path.write_bytes(whole[:-4000] + mutated(random, whole[-4000:]))
        else:  # a whole archive with damaged content
            name = pickled if how < 0.8 else random.choice(sorted(members))
            changed_members = {**members, name: mutated(random, members[name])}
            if random.random() < 0.1:
                del changed_members[random.choice(sorted(members))]
            with zipfile.ZipFile(path, "w") as archive:
                for member, content in changed_members.items():
                    archive.writestr(member, content)
        answer(run)

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


@few_and_many(60, seconds=3000)
def test_changed_checkpoints(count: int, run: Path, same_configuration: None) -> None:
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
def test_damaged_configurations_of_the_catalog(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The models that the configuration does not name are built once."""
    built = cache(lambda made, base: count_parameters(made, base, [], {}))
    count_parameters = catalog_module._count_parameters
    monkeypatch.setattr(
        catalog_module,
        "_count_parameters",
        lambda made, base, own, files: (
            count_parameters(made, base, own, files) if own else built(made, base)
        ),
    )
    whole = (Path(__file__).parents[2] / "configs" / "drqa.yaml").read_bytes()
    values = yaml.safe_load(whole)
    path = tmp_path / "drqa.yaml"

    def attempt(random: Random) -> None:
        if random.random() < 0.5:
            path.write_bytes(mutated(random, whole))
        else:
            path.write_text(json.dumps(changed(random, values)))
        catalog_module.catalog(configs=tmp_path)

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


@few_and_many(60, seconds=3000)
def test_damaged_ensembles(
    count: int, tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their members are whole, and opened once."""
    members = [{"run": "members/1-drqa", "weight": 1.0}, {"run": "members/2-drqa", "weight": 2.5}]
    for member in members:
        shutil.copytree(run, tmp_path / str(member["run"]))
    opened = cache(run_folder.open_run)
    monkeypatch.setattr(
        ensemble_folder, "open_run", lambda folder, trust: opened(folder, trust=tuple(trust))
    )
    text = json.dumps({"mean": "geometric", "aim": "f1", "members": members})
    path = tmp_path / "ensemble.json"

    def attempt(random: Random) -> None:
        made = changed(random, json.loads(text))
        wrong = random.random() < 0.5
        path.write_bytes(mutated(random, text.encode()) if wrong else json.dumps(made).encode())
        open_ensemble(tmp_path, device="cpu").answer(CONTEXT, QUESTIONS)

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


@few_and_many(60, seconds=3000)
def test_damaged_configurations_to_resume(count: int, run: Path) -> None:
    """Without the many options of the trainer that are null, as they make an input slower."""
    path = run / CONFIG
    values = json.loads(json.dumps(yaml.safe_load(path.read_bytes())))
    trainer = values["trainer"]
    values["trainer"] = {name: one for name, one in trainer.items() if one is not None}
    values["trainer"] |= {"callbacks": None, "logger": None, "max_time": None}
    whole = yaml.safe_dump(values).encode()

    def attempt(random: Random) -> None:
        if random.random() < 0.3:
            path.write_bytes(mutated(random, whole))
        else:
            path.write_text(json.dumps(changed(random, values)))
        require_resumable(run)

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


def test_a_member_with_a_name_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "ensemble.json"
    members = [{"run": "x" * 3000, "weight": 1}]
    path.write_text(json.dumps({"mean": "geometric", "aim": "f1", "members": members}))
    with pytest.raises(CheckpointError, match="cannot read the run folder .* too long"):
        open_ensemble(tmp_path, device="cpu")


def test_a_weight_that_is_no_number_of_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "ensemble.json"
    path.write_text(
        json.dumps({"mean": "geometric", "aim": "f1", "members": [{"run": "x", "weight": 10**400}]})
    )
    with pytest.raises(CheckpointError, match="too large to convert to float"):
        open_ensemble(tmp_path, device="cpu")
