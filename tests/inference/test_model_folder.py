"""Model folders: what is in them, that they answer like their runs, and how they are written."""

import shutil
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from squadqa.errors import CheckpointError, OutputError
from squadqa.inference.model_file import model_bytes
from squadqa.inference.model_folder import opening_config, write_model_folder
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run, read_config

CONTEXT = "Ida Moss kept the lighthouse for 31 years."
QUESTIONS = ["Who kept it?", "For how many years?"]


@pytest.mark.parametrize("kind", ["reader", "scorer"])
def test_it_answers_like_its_run(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    run = open_run(request.getfixturevalue(f"{kind}_run"))
    write_model_folder(tmp_path / "whole", run, card="card")
    expected = Predictor(run, device="cpu").answer(CONTEXT, QUESTIONS, n_best=3)
    whole = open_run(tmp_path / "whole")
    assert Predictor(whole, device="cpu").answer(CONTEXT, QUESTIONS, n_best=3) == expected
    half = open_run(request.getfixturevalue(f"{kind}_model"))
    assert {value.dtype for value in half.model.state_dict().values()} <= {
        value.dtype for value in run.model.state_dict().values()
    }
    close = Predictor(half, device="cpu").answer(CONTEXT, QUESTIONS)
    for one, other in zip(close, expected, strict=True):
        assert one.probability == pytest.approx(other[0].probability, rel=0.05)
    assert whole.held_out == run.held_out
    assert whole.cache_dir is None


def test_only_what_opening_needs(reader_model: Path) -> None:
    assert {path.name for path in reader_model.iterdir()} == {
        "README.md",
        "config.yaml",
        "model.safetensors",
    }
    config = yaml.safe_load((reader_model / "config.yaml").read_text())
    assert config.keys() == {"model", "data"}
    assert config["model"]["init_args"].keys() == {"reader"}
    assert config["data"].keys() == {
        *("inputs", "train", "val_share", "bad_answers", "unanswerable", "negatives", "columns"),
        "find_answers",
    }


def test_no_path_of_a_machine(reader_run: Path) -> None:
    config = read_config(reader_run / "config.yaml")
    config["data"] |= {"val": "/data/squad/dev.json", "train": "/data/squad/train.json"}
    vectors = ["/data/my vectors/glove.txt", "spacy:~/pipelines/medium", "mine/v.txt"]
    config["data"]["inputs"]["init_args"]["vectors"] = vectors
    kept = opening_config(config)["data"]
    assert "train" not in kept
    assert kept["val"] == "dev.json"
    assert kept["inputs"]["init_args"]["vectors"] == ["glove.txt", "spacy:medium", "mine/v.txt"]


def test_what_exists_is_not_replaced(reader_run: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(OutputError, match="exists"):
        write_model_folder(tmp_path / "model", open_run(reader_run), card="")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists"):
        write_model_folder(tmp_path / "link", open_run(reader_run), card="")


def test_it_appears_whole_or_not_at_all(
    reader_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(yaml, "safe_dump", fail)
    with pytest.raises(OutputError, match="No space left") as caught:
        write_model_folder(tmp_path / "model", open_run(reader_run), card="")
    assert str(tmp_path / "model") in caught.value.what
    assert not list(tmp_path.iterdir())


def test_weights_that_do_not_fit(reader_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(reader_model, tmp_path / "model"))
    checkpoint = open_run(folder).checkpoint
    name = next(iter(checkpoint.weights))
    path = folder / "model.safetensors"
    for change in (
        {name: torch.zeros(3)},
        {"further": torch.zeros(3)},
        {name: torch.zeros_like(checkpoint.weights[name]).int()},
    ):
        checkpoint.weights.update(change)
        path.write_bytes(model_bytes(checkpoint))
        with pytest.raises(CheckpointError, match="weights do not fit it"):
            _ = open_run(folder).model
        checkpoint = open_run(reader_model).checkpoint
    del checkpoint.weights[name]
    path.write_bytes(model_bytes(checkpoint))
    with pytest.raises(CheckpointError, match="missing in the checkpoint"):
        _ = open_run(folder).model


def test_another_models_weights(reader_model: Path, scorer_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(reader_model, tmp_path / "model"))
    shutil.copy(scorer_model / "model.safetensors", folder)
    with pytest.raises(CheckpointError, match='holds the weights of "LogisticScorer"'):
        open_run(folder)


def test_what_a_scorer_learned_is_tensors_of_the_file(scorer_model: Path) -> None:
    names = load_file(scorer_model / "model.safetensors").keys()
    assert {"inputs.words.hashes", "inputs.bigrams.weights", "inputs.values.value_means"} <= names
