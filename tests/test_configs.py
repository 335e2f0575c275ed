"""Every shipped YAML file parses, and its objects can be made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from squadqa.batch import Sizes
from squadqa.cli.main import main
from squadqa.errors import ConfigError
from squadqa.nn.gated_attention_rnn import GatedAttentionRNN
from squadqa.nn.rnn import StackedBiRNN
from squadqa.nn.similarity import AdditiveSimilarity

CONFIGS = Path(__file__).parents[1] / "configs"
FILES = sorted(CONFIGS.rglob("*.yaml"))
SIZES = Sizes(vector_size=5, tuned_words=1000, num_buckets=4)
# DrQA has its own features.
BASES = {"word_in_question": "bidaf.yaml", "word_in_question_after": "bidaf.yaml"}


def load(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return values


def arguments(path: Path) -> list[str]:
    """The arguments of `fit`: a complete file alone, a part on top of a complete one."""
    if "seed_everything" in load(path):
        return ["--config", str(path)]
    whole = BASES.get(path.stem, "drqa.yaml")
    return ["--config", str(CONFIGS / whole), "--config", str(path)]


PARTS = [path for path in FILES if path.parent != CONFIGS]
CHAR_CNNS = {path.stem: path for path in FILES if path.parent.name == "char_cnn"}
TRAINED = [
    path
    for path in FILES
    if "method" not in load(path) and path not in CHAR_CNNS.values()  # no sweep
]


@pytest.fixture
def fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: list[Any]) -> Callable[..., Any]:
    """Make the objects that `fit` would train, and train nothing."""
    from squadqa.cli import lightning

    monkeypatch.chdir(tmp_path)

    def fit(*arguments: str) -> Any:
        lightning.run(["fit", *arguments, "--run", str(tmp_path / "run"), "--wandb", "off"])
        return begun.pop()

    return fit


def char_cnn_of(parsed: Any) -> Any:
    """The character encoder of the model that would be trained."""
    model = parsed.module.make_model(SIZES)
    return getattr(model, "embedder", model).words.char_cnn


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: str(path.relative_to(CONFIGS)))
def test_makes_model_data_and_trainer(path: Path, tmp_path: Path, fit: Callable[..., Any]) -> None:
    parsed = fit(*arguments(path))
    model = parsed.module.make_model(SIZES)
    assert sum(parameter.numel() for parameter in model.parameters()) > 0
    optimizer = parsed.module.make_optimizer(model.parameters())
    assert isinstance(optimizer, torch.optim.Optimizer)
    assert set(parsed.data.sources) == {"train", "val", "test", "predict"}
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("path", PARTS, ids=lambda path: str(path.relative_to(CONFIGS)))
def test_a_part_alone_is_refused_with_a_command_that_works(
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    begun: list[Any],
) -> None:
    monkeypatch.chdir(tmp_path)
    name = str(Path("configs") / path.relative_to(CONFIGS))
    for later in ([], ["--config", "configs/bidaf.yaml"]):
        assert main(["train", "--config", name, *later]) == 2
        what, advice = capsys.readouterr().err.split("squadqa: error: ")[1].splitlines()
        assert what == f'"{name}" is only a part of a configuration: it adds to those before it'
        assert begun == []
        program, *arguments = advice.partition("first: ")[2].split()
        assert program == "squadqa"
        assert arguments == ["train", "--config", "configs/bidaf.yaml", "--config", name]
    assert main(arguments) == 0
    assert begun.pop().configs == ("configs/bidaf.yaml", name)


def test_the_papers_rnet_is_what_its_comment_says(fit: Callable[..., Any]) -> None:
    path = CONFIGS / "rnet.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    options = [word for line in lines if line.startswith("#   --") for word in line[1:].split()]
    module = fit("--config", str(path), *options).module
    reader = module.make_model(SIZES)
    assert isinstance(reader.question_match, GatedAttentionRNN)
    assert isinstance(reader.self_match.attention.similarity, AdditiveSimilarity)
    assert reader.question_encoder is not None
    assert not reader.encoder.concat_layers
    assert reader.encoder.dropout.probability == 0.2
    assert module.make_optimizer(reader.parameters()).defaults["lr"] == 1.0
    assert module.decay == "none"
    variant = fit("--config", str(path)).module
    assert (variant.decay, variant.plateau.factor) == ("plateau", 0.5)
    assert variant.plateau_score == "loss"


@pytest.mark.parametrize(
    ("part", "place"), [("word_in_question", "before"), ("word_in_question_after", "after")]
)
@pytest.mark.parametrize("name", ["bidaf", "bilstm", "dcn", "match_lstm", "rnet"])
def test_part_adds_the_word_in_question_feature(
    name: str, part: str, place: str, fit: Callable[..., Any]
) -> None:
    complete, added = str(CONFIGS / f"{name}.yaml"), str(CONFIGS / f"features/{part}.yaml")
    alone = fit("--config", complete).module.make_model(SIZES)
    with_part = fit("--config", complete, "--config", added).module.make_model(SIZES)
    assert (alone.embedder.word_in_question, with_part.embedder.word_in_question) == ("none", place)
    assert (alone.keeps_contexts, with_part.keeps_contexts) == (True, place == "after")
    parameters = [sum(p.numel() for p in model.parameters()) for model in (alone, with_part)]
    assert parameters[0] < parameters[1]


@pytest.mark.parametrize("name", ["bidaf", "bilstm", "dcn", "drqa", "house", "match_lstm", "rnet"])
def test_part_chooses_the_cell_of_every_reader(name: str, fit: Callable[..., Any]) -> None:
    complete, part = str(CONFIGS / f"{name}.yaml"), str(CONFIGS / "cells/sru.yaml")
    reader = fit("--config", complete, "--config", part).module.make_model(SIZES)
    stacks = [module for module in reader.modules() if isinstance(module, StackedBiRNN)]
    assert stacks
    assert {stack.cell for stack in stacks} == {"sru"}


def test_wrong_cells(fit: Callable[..., Any]) -> None:
    def refused(config: str, *arguments: str) -> str:
        with pytest.raises(ConfigError) as error:
            parsed = fit("--config", str(CONFIGS / config), *arguments)
            parsed.module.make_model(SIZES)
        return str(error.value)

    said = refused("drqa.yaml", "--model.reader.cell", "sro")
    assert 'cell cannot be "sro"' in said
    assert '"sru"' in said
    forwards = ("--model.reader.bidirectional_encoder", "false")
    said = refused("match_lstm.yaml", "--config", str(CONFIGS / "cells/sru.yaml"), *forwards)
    assert 'cell cannot be "sru" without a bidirectional encoder' in said


@pytest.mark.parametrize("model", ["quickstart", "mlp"])
@pytest.mark.parametrize("name", CHAR_CNNS)
def test_part_chooses_the_char_cnn_of_both_families(
    name: str, model: str, fit: Callable[..., Any]
) -> None:
    parsed = fit("--config", str(CONFIGS / f"{model}.yaml"), "--config", str(CHAR_CNNS[name]))
    encoder = char_cnn_of(parsed)
    part = load(CHAR_CNNS[name])["char_cnn"]
    if part is None:
        assert encoder is None
        return
    assert type(encoder).__name__ == part["class_path"].rpartition(".")[2]
    by_itself = type(encoder)()  # the defaults, which a part spells out
    assert encoder.convolution.keywords == by_itself.convolution.keywords
    assert encoder.dropout.p == by_itself.dropout.p
    shapes, own = ([p.shape for p in each.parameters()] for each in (encoder, by_itself))
    assert shapes == own


@pytest.mark.parametrize("model", ["quickstart", "mlp"])
def test_one_option_chooses_the_char_cnn(model: str, fit: Callable[..., Any]) -> None:
    complete = str(CONFIGS / f"{model}.yaml")
    chosen = fit("--config", complete, "--char_cnn", "VGGCharCNN", "--char_cnn.stages", "[3, 4]")
    assert char_cnn_of(chosen).output_size == 4
    family = {"quickstart": "reader", "mlp": "scorer"}[model]
    deep = fit("--config", complete, f"--model.{family}.char_cnn", "VGGCharCNN")
    assert char_cnn_of(deep).output_size == 100
    none = fit("--config", complete, "--char_cnn", "null")
    assert char_cnn_of(none) is None
    # The saved configuration has the encoder only in its own place.
    kept = yaml.safe_load(chosen.text)
    assert "char_cnn" not in kept
    encoder = kept["model"]["init_args"][family]["init_args"]["char_cnn"]
    assert encoder["init_args"]["stages"] == [3, 4]


def test_a_model_without_characters_has_no_char_cnn_to_choose(fit: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match='"squadqa.models.LogisticScorer" reads no characters'):
        fit("--config", str(CONFIGS / "logistic.yaml"), "--config", str(CHAR_CNNS["vgg"]))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["VGCharCNN"], ['names no class: "VGCharCNN"', "squadqa.nn.char_cnn.VGGCharCNN"]),
        (["none"], ['names no class: "none"', '"KernelBankCharCNN"', '"null"']),
        (["torch.nn.Linear"], ['cannot be "torch.nn.Linear"', '"KernelBankCharCNN"']),
        (["VGGCharCNN", "--char_cnn.stage", "[3]"], ['"stage" of VGGCharCNN', '"stages"']),
        (["VGGCharCNN", "--char_cnn.activaton", "elu"], ["of VGGCharCNN", '"activation"']),
        (["VGGCharCNN", "--char_cnn.activation", "relo"], ['cannot be "relo"', '"relu"']),
        (["VGGCharCNN", "--char_cnn.stages", "[a]"], ['char_cnn.stages cannot be "a"', "type int"]),
        (["VGGCharCNN", "--char_cnn.dropout", "1.5"], ["a dropout of 1.5", "less than 1"]),
        (["KernelBankCharCNN", "--char_cnn.filters", "{4: 9}"], ["width 4", "of an odd width"]),
    ],
    ids=["class", "none", "kind", "option", "option-of-all", "name", "type", "range", "width"],
)
def test_wrong_char_cnns(arguments: list[str], said: list[str], fit: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError) as error:
        fit("--config", str(CONFIGS / "drqa.yaml"), "--char_cnn", *arguments)
    for text in said:
        assert text in str(error.value)


def test_there_are_configs() -> None:
    assert {path.name for path in FILES} >= {"drqa.yaml"}
    assert TRAINED
    assert CHAR_CNNS.keys() == {"alexnet", "inception", "kernel_bank", "none", "resnet", "vgg"}
