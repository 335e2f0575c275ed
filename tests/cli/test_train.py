"""`squadqa train` and `train_cli.py`, each command in its own process."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from squadqa.cli.parser import CommandParser
from squadqa.cli.training_options import split_overrides
from squadqa.evaluation.results import read_result, result_json
from squadqa.scoring import score
from tests.support import tiny
from tests.support.forked import Done, squadqa, write_config
from tests.support.runs import READER


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A run of `squadqa train` and its output; W&B is offline by default."""
    folder = tmp_path_factory.mktemp("trained")
    config = write_config(folder, READER)
    done = squadqa(folder, "train", "--config", config.name, "--results", "results")
    assert done.code == 0, done.err
    return folder / "runs/config", done


def test_a_run_folder_contains_everything(trained: tuple[Path, Done]) -> None:
    run, _ = trained
    assert {path.name for path in run.iterdir()} == {
        "config.yaml",
        "origin.json",
        "checkpoints",
        "logs",
        "wandb",
        "predictions.json",
        "results.json",
        "curves.svg",
        "card.md",
    }
    assert {path.name for path in (run / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["data"]["batch_size"] == 2
    assert config["data"]["val_share"] == 0.05, "defaults are written too"


def test_results_are_the_official_scores_of_the_predictions(trained: tuple[Path, Done]) -> None:
    run, done = trained
    result = json.loads((run / "results.json").read_text())
    assert (run / "results.json").read_text() == result_json(read_result(run / "results.json"))
    predictions = json.loads((run / "predictions.json").read_text())
    rows = tiny.flat_rows(tiny.squad())
    official = score({row["id"]: row["answers"]["text"] for row in rows}, predictions)
    assert (result["exact_match"], result["f1"]) == (official.exact_match, official.f1)
    assert f"EM {official.exact_match:.2f}  F1 {official.f1:.2f}" in done.out
    assert (result["name"], result["data"]) == ("config", "train.json, dev.json")
    assert (result["configs"], result["overrides"]) == (["config.yaml"], {})
    assert result["command"] == "squadqa train --config config.yaml"
    assert (result["total"], result["seed"], result["epochs"]) == (8, 1, 2)
    assert result["budget_minutes"] is None
    assert result["vectors"] == "glove-6b-50d"
    weights = torch.load(run / "checkpoints/best.ckpt", weights_only=True)["state_dict"]
    assert result["parameters"] == sum(weight.numel() for weight in weights.values())
    assert json.loads((run.parents[1] / "results/config.json").read_text()) == result


def test_logs_losses_rates_and_scores(trained: tuple[Path, Done]) -> None:
    run, _ = trained
    with (run / "logs/version_0/metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    logged = {name for row in rows for name, value in row.items() if value}
    assert logged >= {
        "epoch",
        "step",
        "train/loss",
        "train/questions_per_second",
        "lr-Adamax",
        *(f"{part}/{name}" for part in ("val", "test") for name in ("exact_match", "f1", "loss")),
    }
    assert [row["step"] for row in rows if row["val/f1"]] == ["6", "13"]


def test_prints_how_to_upload_the_log(trained: tuple[Path, Done]) -> None:
    run, done = trained
    (offline,) = (run / "wandb").glob("offline-run-*")
    assert [*offline.glob("*.wandb")]
    last = done.out.rstrip().splitlines()[-1]
    assert last.endswith(f"wandb sync {offline.relative_to(run.parents[1])}")


def test_prints_the_start_the_evaluations_and_the_next_steps(trained: tuple[Path, Done]) -> None:
    _, done = trained
    for text in (
        "DrQAReader, ",
        "14 train, 2 val questions",
        "glove-6b-50d",
        "cpu, 32-true, 1 process(es)",
        "2 epochs of 7 batches",
        "after 3 evaluations without a better val F1",
        "Whose bakery is it?",
        "squadqa answer runs/config ",
    ):
        assert text in done.out
    assert "Warning" not in done.err
    assert "💡" not in done.out + done.err


@pytest.mark.parametrize("f1", [0.001, pytest.param(100, marks=pytest.mark.slow(seconds=120))])
def test_a_training_can_be_timed_to_a_score(tmp_path: Path, f1: float) -> None:
    """By the test questions: the run says that it held out none of train."""
    config = write_config(tmp_path, READER)
    options = ["--wandb", "off", "--until-f1", f1, "--epochs", 2]
    done = squadqa(tmp_path, "train", "--config", config.name, *options)
    assert done.code == 0, done.err
    run = tmp_path / "runs/config"
    assert yaml.safe_load((run / "config.yaml").read_text())["data"]["val"] == "dev.json"
    result = read_result(run / "results.json")
    assert (result.until_f1, result.overrides) == (f1, {})
    if f1 == 100:
        assert (result.epochs, result.seconds_to_f1) == (2, None)
        assert "was not reached" in done.out
    else:
        assert result.epochs == 1 and result.seconds_to_f1 is not None
        assert f"reached {result.seconds_to_f1:.1f} s after the first step" in done.out


def test_a_result_names_the_changes_by_the_command_line(tmp_path: Path) -> None:
    write_config(tmp_path, READER)
    arguments = ["--config", "config.yaml", "--wandb", "off", "--seed", 3, "--char-cnn", "null"]
    values = ["--model.warmup_steps", 2, "--data.val_share=0.2", "--data.test", "dev.json"]
    done = squadqa(tmp_path, "train", *arguments, *values)
    assert done.code == 0, done.err
    result = json.loads((tmp_path / "runs/config/results.json").read_text())
    changes = {"model.reader.char_cnn": None, "model.warmup_steps": 2, "data.val_share": 0.2}
    assert (result["configs"], result["overrides"]) == (["config.yaml"], changes)
    line = ["squadqa train", *arguments[:2], *arguments[4:], *values]  # without --wandb off
    assert result["command"] == " ".join(map(str, line))


def test_without_wandb(folder: Path) -> None:
    arguments = ["--config", "config.yaml", "--wandb", "off", "--epochs", 1, "--run", "here"]
    done = squadqa(folder, "train", *arguments, forbid=["wandb"])
    assert done.code == 0, done.err
    assert "wandb" not in done.out
    assert not [*folder.rglob("*wandb*")]
    assert (folder / "here/results.json").is_file()


@pytest.mark.slow(seconds=120)
def test_a_second_run_gets_a_number(folder: Path) -> None:
    arguments = ["train", "--config", "config.yaml", "--wandb", "off", "--epochs", 1]
    for name in ("config", "config-2"):
        done = squadqa(folder, *arguments)
        assert f"runs/{name}\n" in done.out, done.err


MOTIONLESS = ["--model.optimizer", "torch.optim.SGD", "--model.optimizer.init_args.lr", 1e-30]
"""Options for a learning rate of zero: the weights do not change."""


def test_early_stopping(folder: Path) -> None:
    """Training stops after the first evaluation without a better F1."""
    arguments = ["--config", "config.yaml", "--wandb", "off", "--epochs", 9, "--patience", 1]
    done = squadqa(folder, "train", *arguments, *MOTIONLESS)
    assert done.code == 0, done.err
    assert json.loads((folder / "runs/config/results.json").read_text())["epochs"] == 2
    assert "val F1 did not improve in the last evaluation: training stops early" in done.out


@pytest.mark.slow(seconds=120)
def test_a_complete_training_does_not_report_early_stopping(folder: Path) -> None:
    arguments = ["--config", "config.yaml", "--wandb", "off", "--epochs", 1, "--patience", 2]
    done = squadqa(folder, "train", *arguments)
    assert done.code == 0, done.err
    assert "stops early" not in done.out


def test_a_warm_up_that_does_not_end(folder: Path) -> None:
    arguments = ["--config", "config.yaml", "--wandb", "off", "--epochs", 1]
    for steps, is_warned in ((7, False), (8, True)):
        done = squadqa(folder, "train", *arguments, "--model.warmup_steps", steps)
        assert done.code == 0, done.err
        assert ("8 steps, more than the training's 7" in done.out) == is_warned


@pytest.mark.slow(seconds=120)
def test_cuts_of_a_plateau_are_reported(folder: Path) -> None:
    arguments = ["--config", "config.yaml", "--wandb", "off", "--epochs", 4, *MOTIONLESS]
    plateau = ["--model.decay", "plateau", "--model.plateau_patience", 2]
    done = squadqa(folder, "train", *arguments, *plateau)
    assert done.code == 0, done.err
    reported = "val F1 did not improve in the last 2 evaluations: the learning rate is cut to "
    assert done.out.count(reported) == 1  # after the third of four
    assert f"{reported}1e-31" in done.out


@pytest.mark.slow(seconds=240)
def test_a_budget_of_time(folder: Path) -> None:
    """The first step takes longer than the budget; a resumed run has none left."""
    budget = ["--budget_minutes", 1e-6, "--trainer.max_epochs", -1]
    line = ["--config", "config.yaml", "--wandb", "off", *budget]
    done = squadqa(folder, "lightning", "fit", *line)
    assert done.code == 0, done.err
    assert "1e-06 minutes of 7 batches" in done.out
    for _ in range(2):
        result = json.loads((folder / "runs/config/results.json").read_text())
        assert (result["budget_minutes"], result["epochs"]) == (1e-6, 1 / 7)
        state = torch.load(folder / "runs/config/checkpoints/last.ckpt", weights_only=True)
        assert state["global_step"] == 1
        done = squadqa(folder, "train", "--resume", "runs/config")
        assert done.code == 0, done.err


def test_minutes_are_the_budget(folder: Path) -> None:
    done = squadqa(
        folder, "train", "--config", "config.yaml", "--wandb", "off", "--epochs", 1, "--minutes", 90
    )
    assert "90 minutes or 1 epochs" in done.out, done.err
    assert json.loads((folder / "runs/config/results.json").read_text())["budget_minutes"] == 90


def test_a_warm_start_takes_fitting_weights(trained: tuple[Path, Done], tmp_path: Path) -> None:
    """For a reader with a wider word embedding, and its average of weights."""
    run = trained[0]
    write_config(tmp_path, READER)
    line = ["--config", "config.yaml", "--wandb", "off", "--epochs", 1, "--warm-start", run]
    line += ["--model.reader.init_args.embedding_size", 9, "--model.ema_decay", 0.9]
    done = squadqa(tmp_path, "train", *line, *MOTIONLESS)
    assert done.code == 0, done.err
    assert f"warm start  from {run}/checkpoints/best.ckpt (epoch " in done.out
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "not embedder.words.projection.weight: 9 x 58 here, 8 x 58 there" in lines
    best, new = (
        torch.load(path, weights_only=True)["state_dict"]
        for path in (run / "checkpoints/best.ckpt", tmp_path / "runs/config/checkpoints/last.ckpt")
    )
    pointers = [name for name in best if name.startswith("model.start_pointer.")]
    assert f"took {len(pointers)} of {len(pointers)} weights of start_pointer" in lines
    for name in (*pointers, "model.embedder.words.char_cnn.characters.weight"):
        assert new[name].equal(best[name])
        assert torch.allclose(new[f"average.{name}"], best[name])
    result = json.loads((tmp_path / "runs/config/results.json").read_text())
    assert result["notes"] == f"Warm start from {run}."
    assert result["parameters"] == sum(
        value.numel() for name, value in new.items() if name.startswith("model.")
    )


@pytest.mark.slow(seconds=240)
def test_a_run_is_trained_again_from_its_configuration(
    trained: tuple[Path, Done], tmp_path: Path
) -> None:
    """Also from one that older versions wrote: with its folder, and resumed."""
    for name in ("train.json", "dev.json", "runs"):
        path = trained[0].parents[1] / name
        (shutil.copytree if path.is_dir() else shutil.copy)(path, tmp_path / name)
    config = tmp_path / "runs/config/config.yaml"
    values = yaml.safe_load(config.read_text())
    assert not {"run_folder", "resume", "ckpt_path"} & set(values)
    line = ["train", "--config", "runs/config/config.yaml", "--wandb", "off", "--results", "again"]
    assert squadqa(tmp_path, *line).code == 0, "a run folder of its own"
    old = {"run_folder": "runs/config", "resume": True, "ckpt_path": None, "weights_only": None}
    config.write_text(yaml.safe_dump({**values, **old}))
    done = squadqa(tmp_path, *line, "--run", "runs/old")
    assert done.code == 0, done.err
    first, *others = (
        json.loads((tmp_path / "runs" / name / "predictions.json").read_text())
        for name in ("config", "config-2", "old")
    )
    assert others == [first, first]
    resumed = squadqa(tmp_path, "train", "--resume", "runs/config", "--wandb", "off")
    assert resumed.code == 0, resumed.err


def test_validate_test_and_predict_from_a_run(trained: tuple[Path, Done], tmp_path: Path) -> None:
    run = shutil.copytree(trained[0], tmp_path / "run")
    for name in ("train.json", "dev.json"):
        shutil.copy(trained[0].parents[1] / name, tmp_path)
    arguments = ["--config", "run/config.yaml", "--run", "run"]
    result = json.loads((run / "results.json").read_text())

    tested = squadqa(tmp_path, "lightning", "test", *arguments)
    assert tested.code == 0, tested.err
    assert tested.out.splitlines()[:2] == [
        f"test/exact_match  {result['exact_match']:.4f}",
        f"test/f1  {result['f1']:.4f}",
    ]
    validated = squadqa(tmp_path, "lightning", "validate", *arguments)
    with (run / "logs/version_0/metrics.csv").open() as file:
        best = max(float(row["val/f1"]) for row in csv.DictReader(file) if row["val/f1"])
    assert f"val/f1  {best:.4f}" in validated.out, validated.err

    predictions = json.loads((run / "predictions.json").read_text())
    (run / "predictions.json").unlink()
    arguments = ["--config", "run/config.yaml"]  # which says which run is meant
    predicted = squadqa(tmp_path, "lightning", "predict", *arguments)
    assert predicted.out == "8 answers in run/predictions.json\n", predicted.err
    assert json.loads((run / "predictions.json").read_text()) == predictions


def test_values_of_the_configuration_are_separated_from_options() -> None:
    line = ["here.yaml", "--data.train", "x", "--run=a.b", "--model.a=1", "--epochs", "3", "there"]
    own = ["here.yaml", "--run=a.b", "--epochs", "3", "there"]
    parser = CommandParser("test", "", examples=[])
    for option in ("--run", "--epochs"):
        parser.add_argument(option)
    assert split_overrides(line, parser) == (own, ["--data.train", "x", "--model.a=1"])
    assert split_overrides(["--data.train"], parser) == ([], ["--data.train"])
    line = ["--save-every", "5", "--run", "x", "--notes=a b"]
    assert split_overrides(line, parser) == (["--run", "x"], ["--save-every", "5", "--notes=a b"])
