"""`squadqa check`: everything that a training would fail of, at once."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from squadqa.cli import resources
from squadqa.cli.main import main
from squadqa.cli.mending import parse_mended
from squadqa.cli.trial import GIB, StepRate, Trial, saved_bytes, some_questions
from squadqa.data.dataset import SpanDataset
from squadqa.data.squad import find_source, read_squad
from squadqa.errors import ConfigError, OutputError
from squadqa.models import BiLSTMReader
from squadqa.package_files import configs_folder
from tests.models.readers.test_all_readers import SIZES
from tests.support import tiny
from tests.support.forked import squadqa, write_config
from tests.support.runs import READER, SCORER
from tests.support.shortened import TRIAL


def planted(folder: Path) -> list[str]:
    """Write a configuration with ten mistakes, and return the command line that checks it."""
    config = yaml.safe_load(write_config(folder, READER).read_text("utf-8"))
    reader = config["model"]["init_args"]["reader"]
    reader["init_args"]["char_cnn"]["class_path"] = "squadqa.nn.char_cnn.KernelBankCharCN"
    reader["init_args"]["hiden_size"] = 8
    config["data"]["batch_size"] = 40_000_000
    config["data"]["inputs"]["init_args"].update(pipeline="en_core_web_xx", vectors=["own.txt"])
    config["model"]["init_args"].update(decay="plateau", plateau_patience=3)
    config["early_stopping"] = {"patience": 2}
    config["run_folder"] = "runs/there"
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "own.txt").write_text("the 1 2 3\nmill 1 2\n", encoding="utf-8")
    train = tiny.squad()
    rows = [row for article in train["data"] for p in article["paragraphs"] for row in p["qas"]]
    rows[0]["answers"][0]["answer_start"] += 1
    rows[1]["answers"] = []
    tiny.write(folder / "train.json", train)
    shutil.copytree(folder, folder / "runs" / "there", dirs_exist_ok=False)
    return ["check", "config.yaml"]


TEN = (
    'names no class: "KernelBankCharCN"',
    'unknown option "hiden_size" of DrQAReader',
    "the answers of 1 of 8 questions are not at their answer_start",
    "1 of 8 questions have no answers",
    'line 2 of "own.txt" has 2 values where 3 are expected',
    '"en_core_web_xx"',
    "a batch of 40,000,000 questions on the longest contexts needs about ",
    "the training writes up to ",
    'the run folder "runs/there" exists',
    "training would stop before its learning rate falls",
)


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that train for a moment."""
    monkeypatch.setattr("squadqa.cli.trial.StepRate", lambda _: StepRate(0.1))
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")  # restored after the test


@pytest.mark.usefixtures("brief")
def test_ten_mistakes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = planted(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(resources, "free_bytes", lambda folder: 1000)
    before = sorted(tmp_path.rglob("*"))
    assert main([*line, "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    problems = [one["what"] for check in found["checks"] for one in check["problems"]]
    for said in TEN:
        assert sum(said in problem for problem in problems) == 1, (said, problems)
    assert len(problems) == len(TEN), problems
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert states["training"] == states["test"] == "ok"
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_wrong(folder: Path) -> None:
    done = squadqa(folder, "check", "config.yaml", "--epochs", 3, "--data.workers=1")
    assert done.code == 0, done.out + done.err
    shown = {line.split("  ")[0]: line for line in done.out.splitlines()}
    assert {"configuration", "options", "train", "pipeline", "training", "disk"} <= shown.keys()
    assert "the same score" in shown["training"]
    assert "parameters" in shown and "all passes" in shown
    assert not (folder / "runs").exists()
    assert not (folder / "cache").exists()


def test_what_cannot_be_mended_ends_the_check(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    config = folder / "config.yaml"
    config.write_text("model: [\n", encoding="utf-8")
    assert main(["check", str(config)]) == 2
    out = capsys.readouterr().out
    assert "training       not tried" in out
    assert "1. " in out


def test_refused_at_once(refused: Callable[..., str]) -> None:
    assert refused("check", "configs/drqq.yaml").startswith('no configuration "configs/drqq.yaml"')
    assert "only a part" in refused("check", "configs/cells/sru.yaml")


def test_options_on_the_command_line_are_mended_too(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    config = str(folder / "config.yaml")
    line = ["fit", "--config", config, "--data.batch_sise", "3", "--model.optimiser=torch.x"]
    line += ["--data.batch_size=x", "--seed_everything", "3"]
    copies = tmp_path_factory.mktemp("copies")
    mended = parse_mended(line, copies)
    assert {one.what for one in mended.mistakes} == {
        'unknown option "--data.batch_sise"',
        'unknown option "optimiser" of CandidateModule',
        'data.batch_size cannot be "x"',
    }
    assert mended.parsed is not None
    assert mended.line == ["fit", "--config", config, "--seed_everything", "3"]
    assert not [*copies.rglob("*.yaml")]


# What a trial measures


def test_some_questions_of_all_articles_and_the_longest() -> None:
    data = read_squad(find_source("sample", part="train"))
    few = some_questions(data, 100, longest=2)
    paragraphs = [p for article in few["data"] for p in article["paragraphs"]]
    questions = [row["id"] for p in paragraphs for row in p["qas"]]
    assert 80 <= len(questions) <= 130
    assert len(set(questions)) == len(questions)
    longest = max(map(len, data.contexts))
    assert max(len(p["context"]) for p in paragraphs) == longest


def test_memory_grows_with_the_batch() -> None:
    dataset = SpanDataset(tiny.prepared(vector_size=SIZES.vector_size))
    reader = BiLSTMReader(SIZES, char_cnn=None, hidden_size=8, tuned_words=0)
    one, two, four = (saved_bytes(reader, dataset.collate([0] * n)) for n in (1, 2, 4))
    assert one > 0
    assert four - two == pytest.approx(2 * (two - one), rel=0.2)


def trial(**values: Any) -> Trial:
    return replace(TRIAL, **{"batch_gib": 4.0, "held_gib": 1.0, **values})


def test_a_batch_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "memory_gib", lambda **_: 3.0)
    with pytest.raises(ConfigError, match="needs about 5.0 GiB of memory, and there are 3.0") as e:
        resources.check_memory(trial(), 64)
    assert e.value.hint == "About 32 questions fit."
    assert resources.check_memory(trial(batch_gib=1.0), 64).startswith("about 2.0 of 3.0 GiB")


def test_this_machine_has_memory_and_disk(tmp_path: Path) -> None:
    assert 0.1 < resources.memory_gib(on_gpu=False) < 1_000_000
    assert resources.free_bytes(tmp_path / "not" / "yet") == pytest.approx(
        shutil.disk_usage(tmp_path).free, rel=0.1
    )


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "free_bytes", lambda folder: GIB)
    with pytest.raises(OutputError, match=r"writes up to 2\.00 GiB, and the disk of"):
        resources.check_disk(2 * GIB, tmp_path, tmp_path)


CONFIGS = sorted(path.name for path in configs_folder().glob("*.yaml") if path.name != "sweep.yaml")


@pytest.mark.slow(seconds=300)
@pytest.mark.parametrize("name", CONFIGS)
def test_every_configuration_on_the_sample(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = squadqa(tmp_path, "check", f"configs/{name}", "--data", "sample", limit=280)
    assert done.code == 0, done.out + done.err


@pytest.mark.usefixtures("brief")
def test_a_scorer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, SCORER)
    monkeypatch.chdir(tmp_path)
    assert main(["check", "config.yaml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] and found["minutes_per_pass"] > 0 and found["memory_gib"] > 0
