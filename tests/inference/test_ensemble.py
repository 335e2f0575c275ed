"""Ensembles of runs, and their folders."""

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.trainer.states import TrainerFn

import squadqa
from squadqa.data import text_preparer
from squadqa.data.squad import Source, find_source
from squadqa.data.text_preparer import TextPreparer
from squadqa.data.tokenization import Tokens
from squadqa.errors import CheckpointError, ConfigError
from squadqa.inference.answered import Preparation
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.ensemble_folder import save_ensemble
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run
from squadqa.training.datamodule import SquadDataModule
from tests.support import tiny


@pytest.fixture(params=["reader", "scorer"])
def predictor(request: pytest.FixtureRequest) -> Predictor:
    return Predictor(open_run(request.getfixturevalue(f"{request.param}_run")), device="cpu")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return find_source(str(tiny.write(tmp_path / "questions.json", tiny.squad())))


@pytest.fixture
def pair(reader_run: Path, scorer_run: Path) -> Ensemble:
    members = [Predictor(open_run(run), device="cpu") for run in (reader_run, scorer_run)]
    return Ensemble(members, weights=[2.0, 1.0])


def test_one_member_answers_as_it_does_alone(
    predictor: Predictor, source: Source, tmp_path: Path
) -> None:
    reported: list[tuple[str, int, int]] = []
    preparation = Preparation(tmp_path / "cache", progress=lambda *call: reported.append(call))
    ensemble = Ensemble([predictor], mean="arithmetic")
    together = ensemble.answers(ensemble.read(source, preparation), n_best=5)
    alone = predictor.answers(predictor.prepare(source, Preparation(tmp_path / "cache")), n_best=5)
    assert list(together) == list(alone)
    assert reported[-1] == ("answers", 8, 8)
    for name, answers in together.items():
        assert answers[0].text == alone[name][0].text
        mine, its = ([one.probability for one in some] for some in (answers, alone[name]))
        # A reader's probabilities are normalised over possible spans.
        assert np.array(mine) / mine[0] == pytest.approx(np.array(its) / its[0], rel=1e-4)


def test_each_distribution_is_one_whatever_the_padding_of_its_batch(
    predictor: Predictor, source: Source, tmp_path: Path
) -> None:
    dataset = predictor.dataset(source, Preparation(tmp_path / "cache"))
    read = predictor.distributions(dataset)
    for one, length in zip(read, dataset.context_lengths, strict=True):
        assert one.table().sum() == pytest.approx(1.0, rel=1e-5)
        assert len(one.table()) == length


def test_held_out_questions_are_those_that_training_evaluates(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(predictor.run.folder.parents[1])
    dataset = predictor.held_out(Preparation(tmp_path))
    module = SquadDataModule(predictor.run.inputs, train="train.json", cache_dir=str(tmp_path))
    module.trainer = Trainer(logger=False, accelerator="cpu")
    module.trainer.state.fn = TrainerFn.VALIDATING
    module.setup("validate")
    module.val_dataloader()
    own = module.datasets["val"]
    assert 0 < len(dataset) < 8
    assert [dataset.id_of(item) for item in range(len(dataset))] == [
        own.id_of(item) for item in range(len(own))
    ]


def test_a_diverged_member_is_named(reader_run: Path) -> None:
    predictor = Predictor(open_run(reader_run), device="cpu")
    torch.nn.init.constant_(next(predictor.model.parameters()), torch.nan)
    with pytest.raises(CheckpointError, match="its training diverged"):
        Ensemble([predictor]).answer("Ida sold the boat.", "What did Ida sell?")


def test_an_answer_is_the_same_from_a_file(pair: Ensemble, tmp_path: Path) -> None:
    context, question = "Ida Moss kept the light for 31 years.", "Who kept the light?"
    file = tiny.write(tmp_path / "one.json", tiny.one_question(context, question, answers=[]))
    preparation = Preparation(tmp_path / "cache")
    from_file = pair.answer_file(find_source(str(file)), n_best=3, preparation=preparation)
    asked = pair.answer(context, [question, "When?"], n_best=3)
    assert [one.text for one in asked[0]] == [one.text for one in from_file.answers["only"]]
    assert asked[0][0].probability == pytest.approx(
        from_file.answers["only"][0].probability, rel=1e-4
    )
    alone = pair.answer(context, question)
    assert (alone.text, alone.start, alone.end) == (
        asked[0][0].text,
        asked[0][0].start,
        asked[0][0].end,
    )


def test_members_with_the_same_inputs_read_a_text_once(
    reader_run: Path, scorer_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def tokenize(texts: Sequence[str], *, language: str) -> Tokens:
        read.extend(texts)
        return plain(texts, language=language)

    plain = text_preparer.tokenize
    monkeypatch.setattr(text_preparer, "tokenize", tokenize)
    runs = (reader_run, scorer_run, reader_run)
    members = [Predictor(open_run(run), device="cpu") for run in runs]
    shared = Ensemble(members)
    found = shared.answer("Tom slept.", "Who?")
    assert read == ["Tom slept.", "Who?"] * 2, "once with word vectors and once without"
    first, scorer, last = (member.texts for member in members)
    assert first is last is not scorer, "vectors are opened once too"
    for member in members:
        inputs = member.run.inputs
        member.texts = TextPreparer(pipeline=inputs.pipeline, vectors=inputs.vectors)
    assert shared.answer("Tom slept.", "Who?") == found


def test_a_folder_needs_no_other_files(pair: Ensemble, tmp_path: Path) -> None:
    save_ensemble(tmp_path / "both", pair)
    moved = tmp_path / "elsewhere"
    shutil.move(tmp_path / "both", moved)
    opened = squadqa.load(moved, device="cpu")
    assert isinstance(opened, Ensemble)
    assert (opened.weights, opened.mean, opened.aim) == (pair.weights, pair.mean, pair.aim)
    context, question = "Ida Moss kept the light for 31 years.", "Who kept the light?"
    assert opened.answer(context, question) == pair.answer(context, question)
    with pytest.raises(CheckpointError, match="is an ensemble, not one run"):
        open_run(moved)


@pytest.mark.parametrize(
    "change",
    [
        {"mean": "median"},
        {"aim": "both"},
        {"members": []},
        {"members": [{"run": "members/none", "weight": 1}]},
        {"members": [{"run": "../outside", "weight": 1}]},
        {"members": [{"run": "members/1-drqa", "weight": "heavy"}]},
        {"members": 3},
    ],
)
def test_invalid_ensemble_files(pair: Ensemble, tmp_path: Path, change: dict[str, object]) -> None:
    folder = tmp_path / "both"
    save_ensemble(folder, pair)
    values = json.loads((folder / "ensemble.json").read_text())
    (folder / "ensemble.json").write_text(json.dumps({**values, **change}))
    with pytest.raises((CheckpointError, ConfigError)):
        squadqa.load(folder)


@pytest.mark.parametrize(
    "weights",
    [[1.0], [1.0, 0.0], [1.0, 2.0, 3.0], [math.nan, 1.0], [1.0, math.inf], [1e308, 1e308]],
)
def test_weights_that_do_not_fit(pair: Ensemble, weights: list[float]) -> None:
    with pytest.raises(ConfigError, match="do not fit 2 members"):
        Ensemble(pair.members, weights=weights)
