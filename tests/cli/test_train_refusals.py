"""Mistakes in what `squadqa train` is given: a message of a few lines, and no files."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import tiny
from tests.support.forked import refused, squadqa, write_config
from tests.support.runs import READER


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ["--model.reader.init_args.tuned_words", "1001"],
            "cannot tune 1,001 words: data.inputs.tuned_words is 1,000",
        ),
        (["--data.inputs.init_args.vectors", "[]"], "the data has no word vectors"),
    ],
    ids=["tuned-words", "vectors"],
)
def test_a_reader_without_enough_words_is_refused(
    folder: Path, change: list[str], said: str
) -> None:
    write_config(folder, READER)
    assert said in refused(folder, "train", "--config", "config.yaml", "--wandb", "off", *change)


@pytest.mark.parametrize("part", ["test", "val"])
def test_questions_without_answers_are_refused_before_the_training(folder: Path, part: str) -> None:
    file = tiny.squad()
    row = file["data"][0]["paragraphs"][0]["qas"][2]
    row.update(answers=[], is_impossible=True)
    tiny.write(folder / "some.json", file)
    line = ("--config", "config.yaml", "--run", "run", "--wandb", "off")
    done = squadqa(folder, "train", *line, f"--data.{part}", "some.json")
    assert done.code == 2
    assert (
        f'"some.json": 1 of 8 questions have no answers to score against, such as "{row["id"]}"'
    ) in done.err
    assert "epoch" not in done.out + done.err.replace("epochs", "")
    assert not (folder / "run").exists()


def test_a_training_does_not_begin_with_a_checkpoint(folder: Path) -> None:
    write_config(folder, READER)
    line = ("train", "--config", "config.yaml", "--run", "run", "--ckpt_path", "last.ckpt")
    said = refused(folder, *line)
    assert 'a training cannot begin with ckpt_path "last.ckpt"' in said
    assert "--warm-start RUN_FOLDER" in said
    assert not (folder / "run").exists()


def test_an_existing_run_folder_is_left_alone(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine/note").write_text("keep")
    said = refused(folder, "train", "--config", "config.yaml", "--run", "mine")
    assert 'the run folder "mine" exists' in said
    assert "squadqa train --resume mine" in said
    assert [path.name for path in (folder / "mine").iterdir()] == ["note"]


READER_ARGUMENTS = READER["model"]["init_args"]["reader"]["init_args"]


def reader_with(**options: object) -> dict[str, Any]:
    """A reader with further options, and its data, as sections of a configuration."""
    reader = {
        "class_path": "squadqa.models.DrQAReader",
        "init_args": {**READER_ARGUMENTS, **options},
    }
    data = {"train": "train.json", "test": "dev.json", "cache_dir": "cache"}
    return {
        "model": {**READER["model"], "init_args": {"reader": reader}},
        "data": {**data, "inputs": READER["inputs"]},
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"modle": 3}, ['unknown option "modle"', '"model"']),
        ({"trainer": {"max_epoch": 3}}, ['"trainer.max_epoch"', '"trainer.max_epochs"']),
        ({"model": None}, ["missing: fit.model", "A whole configuration comes first"]),
        (
            {"model": {"class_path": "squadqa.training.span_module.SpanModule"}},
            ["options that must be given of model are missing: reader"],
        ),
        (
            {"model": {**READER["model"], "class_path": "squadqa.training.span_modul.SpanModule"}},
            ['names no class: "span_modul"', "squadqa.training.span_module.SpanModule"],
        ),
        (
            {"model": {**READER["model"], "init_args": {"reader": "squadqa.models.DrQAReadr"}}},
            ['names no class: "DrQAReadr"', '"squadqa.models.DrQAReader"'],
        ),
        (
            {
                "model": {
                    **READER["model"],
                    "init_args": {
                        "reader": READER["model"]["init_args"]["reader"],
                        "optimizer": {"class_path": "torch.optim.Adamax", "init_args": None},
                    },
                }
            },
            ["model.optimizer.init_args is empty", "Leave it out"],
        ),
        (
            {
                "model": {
                    **READER["model"],
                    "init_args": {
                        "reader": {
                            "class_path": "squadqa.models.DrQAReader",
                            "init_args": {**READER_ARGUMENTS, "hiden_size": 3},
                        }
                    },
                }
            },
            ['unknown option "hiden_size" of DrQAReader', '"hidden_size"'],
        ),
        (
            {"model": READER["model"]},
            ['"SpanModule" cannot be trained on "CandidateInputs"', "SpanInputs"],
        ),
        (reader_with(hidden_size=-3), ["hidden_size cannot be -3", "It is 1 or more"]),
        (reader_with(max_span_length=0), ["max_span_length cannot be 0", "1 or more"]),
    ],
    ids=[
        "section",
        "key",
        "no-model",
        "no-reader",
        "module",
        "class",
        "empty",
        "argument",
        "family",
        "size",
        "span",
    ],
)
def test_wrong_configurations(folder: Path, change: dict[str, Any], said: list[str]) -> None:
    path = folder / "config.yaml"
    values = {**yaml.safe_load(path.read_text()), **change}
    path.write_text(yaml.safe_dump({key: value for key, value in values.items() if value}))
    message = refused(folder, "train", "--config", "config.yaml", "--wandb", "off")
    for text in said:
        assert text in message


def test_invalid_yaml(folder: Path) -> None:
    (folder / "config.yaml").write_text("model: [1, 2\ndata: {")
    assert "line 2" in refused(folder, "train", "--config", "config.yaml")


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("wandb", ["off", "offline"])
def test_bad_data_stops_before_anything_is_written(folder: Path, part: str, wandb: str) -> None:
    (folder / "broken.json").write_text('{"data": [{"paragraphs": [{}]}]}')
    arguments = ["--config", "config.yaml", f"--data.{part}", "broken.json", "--wandb", wandb]
    assert "broken.json" in refused(folder, "train", *arguments)


def test_data_that_cannot_be_split_leave_no_run(folder: Path) -> None:
    """The error comes late, when the log is already open."""
    tiny.write(folder / "train.json", tiny.one_question())
    said = refused(folder, "train", "--config", "config.yaml", "--wandb", "offline")
    assert "only one article" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "train needs a configuration"),
        (["--resume", "nope"], '"nope" is not a run folder'),
        (["--config", "config.yaml", "--resume", "nope"], "train needs a configuration, or a run"),
        (["--resume", "nope", "--warm-start", "x"], "a resumed run has its own weights"),
    ],
)
def test_nothing_to_train(folder: Path, arguments: list[str], said: str) -> None:
    assert said in refused(folder, "train", *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fitt"], '"fit"'),
        (["fit", "--confg", "config.yaml"], '"--config"'),
        (["fit", "--config", "confg.yaml"], "config.yaml"),
        (["fit"], "fit.model"),
        (["test", "--config", "config.yaml", "--run", "nope"], "there is no checkpoint"),
        (["test", "--config", "config.yaml", "--ckpt_path", "nope.ckpt"], '"nope.ckpt"'),
        (["test", "--config", "config.yaml", "--ckpt_path", "dev.json"], "is not a checkpoint"),
    ],
)
def test_lightnings_own_commands(folder: Path, arguments: list[str], said: str) -> None:
    assert said in refused(folder, "lightning", *arguments)


def test_another_models_checkpoint(folder: Path, reader_run: Path) -> None:
    checkpoint = reader_run / "checkpoints/best.ckpt"
    arguments = ["test", "--config", "config.yaml", "--ckpt_path", checkpoint]
    assert '"DrQAReader", not of "LogisticScorer"' in refused(folder, "lightning", *arguments)
