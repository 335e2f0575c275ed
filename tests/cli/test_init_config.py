"""`squadqa init-config`: what it measures, chooses and writes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from squadqa.cli import budgeting
from squadqa.cli.budgeting import variants_of
from squadqa.cli.config_text import with_value
from squadqa.cli.main import main
from squadqa.cli.trial import Trial
from tests.support.forked import squadqa
from tests.support.runs import ROOT
from tests.support.shortened import TRIAL

CONFIG = """\
# Head.
model:
  init_args: # of the module
    reader:
      init_args:
        hidden_size: 128 # as in the paper
        dropout: 0.2
    decay: linear
data:
  train: squad
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("data.train", "sample", "  train: squad", "  train: sample # why"),
        (
            "model.init_args.reader.init_args.hidden_size",
            "64",
            "hidden_size: 128 # as in the paper",
            "hidden_size: 64 # why",
        ),
        ("data.test", "x", "  train: squad\n", "  train: squad\n  test: x # why\n"),
        (
            "model.init_args.reader.init_args.cell",
            "sru",
            "        dropout: 0.2\n",
            "        dropout: 0.2\n        cell: sru # why\n",
        ),
        ("trainer.max_epochs", "3", "squad\n", "squad\ntrainer:\n  max_epochs: 3 # why\n"),
        ("budget_minutes", "30", "squad\n", "squad\nbudget_minutes: 30 # why\n"),
    ],
)
def test_one_value_changes_and_the_rest_stays(path: str, value: str, old: str, new: str) -> None:
    assert with_value(CONFIG, path.split("."), value, "why") == CONFIG.replace(old, new)


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "configs").glob("*.yaml")))
def test_every_configuration_can_be_changed(name: str) -> None:
    text = (ROOT / "configs" / f"{name}.yaml").read_text("utf-8")
    for path in (["budget_minutes"], ["trainer", "max_epochs"], ["data", "train"]):
        text = with_value(text, path, "7", "seven")
    values = yaml.safe_load(text)
    assert values["budget_minutes"] == values["trainer"]["max_epochs"] == 7


def test_variants() -> None:
    drqa, logistic = (
        variants_of(yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text("utf-8")))
        for name in ("drqa", "logistic")
    )
    assert [one.why for one in drqa] == [
        "as it comes with squadqa",
        "SRUs instead of LSTMs",
        "SRUs instead of LSTMs and half the width",
    ]
    assert drqa[2].options == [
        *("--model.init_args.reader.init_args.cell", "sru"),
        *("--model.init_args.reader.init_args.hidden_size", "64"),
    ]
    assert len(logistic) == 1


@pytest.fixture
def rates(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Questions per second that a trial measures, by a word of its command line."""
    found = {"": 10.0}

    def run_trial(line: list[str], *_: Any, **__: Any) -> Trial:
        key = max((one for one in found if one in " ".join(line)), key=len)
        return replace(TRIAL, per_second=found[key])

    monkeypatch.setattr(budgeting, "run_trial", run_trial)
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    return found


def written(name: str = "drqa.yaml") -> tuple[str, Any]:
    text = Path(name).read_text("utf-8")
    return text, yaml.safe_load(text)


def test_enough_time(rates: dict[str, float], capsys: pytest.CaptureFixture[str]) -> None:
    line = ["init-config", "drqa", "--minutes", "30", "--questions", "4000"]
    assert main(line) == 0
    text, values = written()
    # 18,000 questions in the time, 3,800 of them to train on in a pass.
    assert values["trainer"] == {
        "max_epochs": 5, "gradient_clip_val": 5.0, "accelerator": "cpu",
    }  # fmt: skip
    assert values["budget_minutes"] == 30
    assert values["data"]["train"] == values["data"]["test"] == "data/sample"
    assert values["model"]["init_args"]["warmup_steps"] == 28  # a twentieth of 4.7 x 119 batches
    assert "cell" not in values["model"]["init_args"]["reader"]["init_args"]
    assert "# passes: 4.7 in 30 minutes of training" in text
    assert "variational: true # one mask per sequence" in text  # comments stay
    out = capsys.readouterr().out
    assert "Next: squadqa check drqa.yaml\nThen: squadqa train --config drqa.yaml" in out


def test_much_time_and_little(rates: dict[str, float], capsys: pytest.CaptureFixture[str]) -> None:
    line = ["init-config", "drqa", "--questions", "4000"]
    assert main([*line, "--minutes", "300"]) == 0
    assert written()[1]["trainer"]["max_epochs"] == 12
    assert "it makes 12 in 76.0" in capsys.readouterr().out
    rates["cell sru"] = 30.0
    assert main([*line, "--minutes", "10", "--force"]) == 0
    assert written()[1]["model"]["init_args"]["reader"]["init_args"]["cell"] == "sru"
    rates["hidden_size 64"] = 20.0  # no faster than that with wide layers
    assert main([*line, "--minutes", "1", "--force"]) == 0
    reader = written()[1]["model"]["init_args"]["reader"]["init_args"]
    assert (reader["cell"], reader["hidden_size"]) == ("sru", 128)


def test_the_file_is_not_overwritten(rates: dict[str, float], refused: Callable[..., str]) -> None:
    Path("drqa.yaml").write_text("mine", encoding="utf-8")
    said = refused("init-config", "drqa", "--minutes", "1")
    assert said.startswith('"drqa.yaml" exists, and is not overwritten\n')
    assert Path("drqa.yaml").read_text("utf-8") == "mine"
    assert 'Did you mean "drqa"?' in refused("init-config", "drqq", "--minutes", "1")


def test_what_it_writes_can_be_trained(folder: Path) -> None:
    line = ["init-config", "config.yaml", "--minutes", "0.1", "--seconds", "0.1", "--data"]
    done = squadqa(folder, *line, "train.json", "--test", "dev.json", "--output", "own.yaml")
    assert done.code == 0, done.out + done.err
    done = squadqa(folder, "train", "--config", "own.yaml", "--wandb", "off", "--epochs", 1)
    assert done.code == 0, done.out + done.err
