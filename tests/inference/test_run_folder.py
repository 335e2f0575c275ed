"""Run folders: what opens, what is refused, and that no code in them is run."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from squadqa.batch import Sizes
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.inputs import SpanInputs
from squadqa.errors import CheckpointError, SquadQAError, VectorsError
from squadqa.inference.predictor import Predictor
from squadqa.inference.resuming import require_resumable
from squadqa.inference.run_folder import find_checkpoint, find_run, list_runs, open_run
from squadqa.models.readers.drqa import DrQAReader
from squadqa.models.scorers.logistic import LogisticScorer
from tests.support import tiny
from tests.support.fuzzing import lacked_memory, limited_memory


@pytest.fixture
def run(reader_run: Path, tmp_path: Path) -> Path:
    """A copy of a run, which a test may change."""
    return Path(shutil.copytree(reader_run, tmp_path / "runs" / "copy"))


def change(run: Path, edit: Callable[[Any], None]) -> None:
    """Change a run's configuration."""
    path = run / "config.yaml"
    config = yaml.safe_load(path.read_text())
    edit(config)
    path.write_text(yaml.safe_dump(config))


def reader_of(config: Any) -> Any:
    return config["model"]["init_args"]["reader"]


def test_a_reader_opens_as_it_was_trained(reader_run: Path) -> None:
    run = open_run(reader_run)
    model = run.model
    assert isinstance(model, DrQAReader)
    assert isinstance(run.inputs, SpanInputs)
    assert not model.training
    assert model.max_span_length == 17
    assert run.inputs.sizes == Sizes(vector_size=50, tuned_words=1000)
    # Keys of a mapping are numbers again, although the configuration has them as texts.
    assert [tuple(c.weight.shape) for c in model.embedder.words.char_cnn.convolutions] == [
        (4, 4, 3),
        (4, 4, 5),
    ]
    saved = torch.load(reader_run / "checkpoints" / "best.ckpt", weights_only=True)
    weights = model.state_dict()
    assert {f"model.{name}" for name in weights} == set(saved["state_dict"])
    assert all(torch.equal(saved["state_dict"][f"model.{n}"], w) for n, w in weights.items())
    assert run.inputs.frequent == saved["SquadDataModule"]["inputs"]["frequent"]
    assert len(run.inputs.frequent) > 0


def test_a_scorer_opens_as_it_was_trained(scorer_run: Path) -> None:
    run = open_run(scorer_run)
    model = run.model
    assert isinstance(model, LogisticScorer)
    assert isinstance(run.inputs, CandidateInputs)
    assert run.inputs.num_buckets == 3
    assert run.inputs.sizes == Sizes(num_buckets=3)
    assert any(weight.abs().sum() > 0 for weight in model.state_dict().values())


def test_a_checkpoint_names_its_epoch_and_step(reader_run: Path) -> None:
    checkpoint = open_run(reader_run, checkpoint="last").checkpoint
    path = reader_run / "checkpoints" / "last.ckpt"
    assert str(checkpoint) == f"{path} (epoch {checkpoint.epoch + 1}, step {checkpoint.step})"
    assert checkpoint.step >= 1


def test_runs_are_listed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)  # whoever has trained in the checkout has more runs there
    (run.parent / "none").mkdir()
    (run.parent / "none" / "config.yaml").touch()
    assert list_runs(run.parent, run.parent / "missing") == [str(run)]
    assert find_run(run) == run
    with pytest.raises(CheckpointError, match="there is no run folder") as caught:
        find_run(run.with_name("kopy"))
    assert caught.value.hint == f'Did you mean "{run}"?'
    with pytest.raises(CheckpointError, match="it has no config.yaml") as caught:
        find_run(run.parent)
    assert str(run) in caught.value.hint
    with pytest.raises(CheckpointError, match="is a file, not a run folder"):
        find_run(run / "config.yaml")


def test_runs_of_the_working_folder_are_suggested(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.parents[1])
    with pytest.raises(CheckpointError) as caught:
        find_run("copy")
    assert caught.value.hint == 'Did you mean "runs/copy"?'


@pytest.mark.usefixtures("nothing_ready")
def test_without_any_run_training_is_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError) as caught:
        find_run("runs/drqa")
    assert caught.value.hint == ""
    assert "squadqa train" in caught.value.next_step


def test_a_ready_model_opens_by_its_name(
    ready: Path, reader_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_run("house") == ready / "house"
    assert open_run("house").checkpoint.path == ready / "house" / "model.safetensors"
    with pytest.raises(CheckpointError, match='there is no run folder "hose"') as caught:
        find_run("hose")
    assert caught.value.hint == 'Did you mean "house"?'
    shutil.copytree(reader_model, "house")
    assert find_run("house") == Path("house"), "what the user has comes first"


def test_a_ready_model_without_its_weights(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (ready / "house" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r'"house" came without its "model\.safetensors"'):
        open_run("house")
    shutil.rmtree(ready)
    with pytest.raises(CheckpointError, match='there is no run folder "house"') as caught:
        open_run("house")
    assert "squadqa train" in caught.value.next_step


def test_model_folders_are_listed_and_have_no_checkpoint_to_choose(reader_model: Path) -> None:
    assert list_runs(reader_model.parent) == [str(reader_model)]
    assert find_checkpoint(reader_model) == reader_model / "model.safetensors"
    with pytest.raises(CheckpointError, match='has no checkpoint "last"'):
        find_checkpoint(reader_model, "last")


def test_checkpoints_are_chosen(run: Path) -> None:
    folder = run / "checkpoints"
    assert find_checkpoint(run).name == "best.ckpt"
    assert find_checkpoint(run, "last").name == "last.ckpt"
    (folder / "last.ckpt").unlink()
    with pytest.raises(CheckpointError, match="last.ckpt") as caught:
        find_checkpoint(run, "last")
    assert "--checkpoint best" in caught.value.next_step
    (folder / "best.ckpt").unlink()
    with pytest.raises(CheckpointError, match="has no checkpoint"):
        find_checkpoint(run)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is not a checkpoint"),
        (b"PK\x03\x04 not quite", "is not a checkpoint"),
        (b"\x80\x02}q\x00.", "is not a checkpoint"),
    ],
)
def test_invalid_checkpoints(content: bytes, what: str, run: Path) -> None:
    (run / "checkpoints" / "best.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match=what):
        open_run(run)


def test_a_truncated_checkpoint(run: Path) -> None:
    path = run / "checkpoints" / "best.ckpt"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        open_run(run)


def test_a_checkpoint_without_sizes_is_of_an_older_version(run: Path) -> None:
    path = run / "checkpoints" / "best.ckpt"
    content = torch.load(path, weights_only=True)
    del content["SquadDataModule"]["inputs"]["sizes"]
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="is from a squadqa before 0.1.0") as caught:
        open_run(run)
    assert caught.value.next_step.startswith("Train the run again")


@pytest.mark.parametrize("key", ["state_dict", "SquadDataModule", "squadqa", "epoch"])
def test_a_checkpoint_of_something_else(key: str, run: Path) -> None:
    path = run / "checkpoints" / "best.ckpt"
    content = torch.load(path, weights_only=True)
    del content[key]
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=f"it lacks '{key}'"):
        open_run(run)
    torch.save([1, 2], path)
    with pytest.raises(CheckpointError, match="is not a checkpoint of squadqa"):
        open_run(run)


def test_weights_of_another_width(run: Path) -> None:
    change(run, lambda config: reader_of(config)["init_args"].update(hidden_size=9))
    opened = open_run(run)
    with pytest.raises(CheckpointError, match=r"do not fit .* such as \"context_rnn") as caught:
        _ = opened.model
    assert "in the checkpoint" in caught.value.what


def test_weights_for_other_vectors(run: Path) -> None:
    predictor = Predictor(open_run(run))
    with pytest.raises(VectorsError, match="51 values per word, .* trained with 50"):
        predictor.answers(tiny.prepared(vector_size=51))


def test_inputs_of_the_other_family(run: Path) -> None:
    def edit(config: Any) -> None:
        config["data"]["inputs"] = {
            "class_path": "squadqa.data.candidates.inputs.CandidateInputs",
            "init_args": {"pipeline": None},
        }

    change(run, edit)
    with pytest.raises(CheckpointError, match="is not what CandidateInputs needs"):
        open_run(run)


def test_a_value_of_any_size_is_named_at_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To write a tensor out takes seconds, and every message shows 60 characters at most."""
    path = run / "checkpoints" / "best.ckpt"
    whole = torch.load(path, weights_only=True)
    monkeypatch.setattr(torch.Tensor, "__repr__", lambda tensor: 1 / 0)
    large = torch.zeros(50, 20)
    inputs = whole["SquadDataModule"]["inputs"]
    for content, what in (
        ({**whole, "squadqa": {"model": large}}, "the name of its model: .* shape \\(50, 20\\)"),
        (
            {**whole, "SquadDataModule": {"inputs": {**inputs, "frequent": large}}},
            "the frequent word forms are an array of shape \\(50, 20\\)",
        ),
        (
            {
                **whole,
                "SquadDataModule": {
                    "inputs": {**inputs, "sizes": {**inputs["sizes"], "vector_size": large}}
                },
            },
            "vector_size is an array of shape \\(50, 20\\)",
        ),
    ):
        torch.save(content, path)
        with pytest.raises(CheckpointError, match=what):
            open_run(run)


@pytest.mark.parametrize(
    ("change_sizes", "what"),
    [
        (lambda c: c.update(hidden_size=2**31), "overflow"),
        (lambda c: c.update(num_layers=2**40), "more than .* layers and weights"),
        (lambda c: c["char_cnn"]["init_args"].update(character_size=2**40), "overflow|do not fit"),
        (lambda c: c["char_cnn"]["init_args"].update(filters={"3": 2**40}), "overflow|do not fit"),
        (lambda c: c.update(embedding_size=2**40), "overflow|do not fit"),
    ],
)
def test_a_size_that_would_take_all_memory(
    change_sizes: Callable[[Any], None], what: str, run: Path
) -> None:
    """It is refused for itself, not because memory ended, also in a part of the model."""
    change(run, lambda config: change_sizes(reader_of(config)["init_args"]))
    with limited_memory(), pytest.raises(CheckpointError, match=what) as caught:
        _ = open_run(run).model
    assert not lacked_memory(caught.value)


def test_too_many_buckets(scorer_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(scorer_run, tmp_path / "copy"))
    change(run, lambda config: config["data"]["inputs"]["init_args"].update(num_buckets=2**31))
    with limited_memory(), pytest.raises(CheckpointError, match="num_buckets cannot be") as caught:
        open_run(run)
    assert not lacked_memory(caught.value)


@pytest.mark.parametrize("key", ["vectors", "pipeline"])
def test_names_that_are_too_long(key: str, run: Path) -> None:
    value = ["x" * 3000] if key == "vectors" else "x" * 3000
    change(run, lambda config: config["data"]["inputs"]["init_args"].update({key: value}))
    with pytest.raises(SquadQAError, match="x" * 100):
        Predictor(open_run(run), device="cpu").answer("A text.", "Which?")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('results: "a\\0b"', r"it has the text 'a\\x00b'"),
        ('data: {cache_dir: "\\ud800"}', r"it has the text '\\ud800'"),
        ("seed_everything: 0x" + "f" * 5000, "it has a whole number of 20,000 bits"),
        ("? 0x" + "f" * 5000 + "\n: 1", "it has a whole number of 20,000 bits"),
    ],
)
def test_values_that_no_training_writes(line: str, what: str, run: Path) -> None:
    """Python cannot write such numbers out, and no file can have such a name."""
    (run / "config.yaml").write_text(line)
    for read in (open_run, require_resumable):
        with pytest.raises(CheckpointError, match=what):
            read(run)


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (lambda c: c.pop("model"), 'it lacks "model.init_args"'),
        (lambda c: c.pop("data"), 'it lacks "data"'),
        (lambda c: c["model"]["init_args"].pop("reader"), "neither a reader nor a scorer"),
        (lambda c: c["model"]["init_args"].update(reader=3), "does not describe a model"),
        (lambda c: reader_of(c).update(class_path="squadqa.models.DrQAReadr"), "DrQAReadr"),
        (lambda c: reader_of(c).update(class_path="squadqa.nomodels.DrQAReader"), "nomodels"),
    ],
)
def test_invalid_configurations(edit: Callable[[Any], None], what: str, run: Path) -> None:
    change(run, edit)
    with pytest.raises(CheckpointError, match=what):
        open_run(run)


def test_an_unknown_argument(run: Path) -> None:
    change(run, lambda config: reader_of(config)["init_args"].update(depth=9))
    with pytest.raises(CheckpointError, match="does not describe a model .*'depth'"):
        _ = open_run(run).model


@pytest.mark.parametrize("content", ["model: [", "\xff\xfe", "just text", ""])
def test_invalid_yaml(content: str, run: Path) -> None:
    (run / "config.yaml").write_text(content, encoding="latin-1")
    with pytest.raises(CheckpointError, match="is not the configuration of a run"):
        open_run(run)


@pytest.mark.parametrize(
    "class_path",
    [
        "os.system",
        "subprocess.Popen",
        "this.that",  # importing it prints
        "squadqa.data.prepare.Path",
        "squadqa.cli.main.main",
        "squadqa.nn.char_cnn.KernelBankCharCNN",
        "squadqa.models.SpanReader.loss",
        "DrQAReader",
    ],
)
def test_a_configuration_makes_readers_of_this_package_only(class_path: str, run: Path) -> None:
    change(run, lambda config: reader_of(config).update(class_path=class_path))
    is_strange = not class_path.startswith(("squadqa.", "DrQA"))
    told = r"which is not in squadqa: nothing .* opened" if is_strange else "not describe a model"
    with pytest.raises(CheckpointError, match=told) as caught:
        open_run(run)
    if is_strange:
        assert caught.value.next_step == f"If you trust it, add --trust {class_path}."
        assert str(caught.value).endswith(f', or trust=["{class_path}"] in Python.')
    assert "this" not in sys.modules


def test_a_configuration_makes_nothing_else_inside_a_reader(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "made"
    bomb = {"class_path": "os.mkdir", "init_args": {"path": str(path)}}
    change(run, lambda config: reader_of(config)["init_args"].update(char_cnn=bomb))
    with pytest.raises(CheckpointError, match=r'"os.mkdir", which is not in squadqa'):
        open_run(run)
    assert not path.exists()
