"""Damaged model folders: the bytes of their file, its header, and the metadata in it."""

import json
import shutil
from functools import cache
from pathlib import Path
from random import Random

import pytest

from squadqa.inference import predictor, run_folder
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run
from tests.support.fuzzing import changed, few_and_many, fuzz, mutated

CONTEXT, QUESTIONS = "Ida Moss kept the lighthouse for 31 years.", ["Who kept it?", "?"]


@pytest.fixture(params=["reader", "scorer"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a model folder; its configuration and its word vectors are opened once."""
    opened = cache(lambda sources: predictor_vectors(sources))
    predictor_vectors = predictor.VectorStore
    monkeypatch.setattr(predictor, "VectorStore", lambda sources: opened(tuple(sources)))
    monkeypatch.setattr(run_folder, "read_config", cache(run_folder.read_config))
    made = request.getfixturevalue(f"{request.param}_model")
    copied = Path(shutil.copytree(made, tmp_path / "model"))
    answer(copied)
    return copied


def answer(folder: Path) -> None:
    Predictor(open_run(folder), device="cpu").answer(CONTEXT, QUESTIONS)


@few_and_many(60, seconds=3000)
def test_damaged_model_files(count: int, folder: Path) -> None:
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    header, tensors = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    facts = json.loads(header["__metadata__"]["squadqa"])

    def attempt(random: Random) -> None:
        made, left = dict(header), tensors
        how = random.random()
        if how < 0.1:
            path.write_bytes(mutated(random, whole))
        else:
            if how < 0.3:  # weights of any bits
                left = bytes(mutated(random, tensors)[: len(tensors)]).ljust(len(tensors), b"\0")
            elif how < 0.4:
                made = changed(random, header)
            else:
                metadata = json.dumps(changed(random, facts))
                if random.random() < 0.2:
                    metadata = mutated(random, metadata.encode()).decode("utf-8", "replace")
                made["__metadata__"] = {"squadqa": metadata}
            text = json.dumps(made).encode()
            path.write_bytes(len(text).to_bytes(8, "little") + text + left)
        answer(folder)

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused
