"""Packs: made where everything is installed, used where little is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from squadqa.cli.main import main
from squadqa.scoring import Score
from tests.support import bare, tiny
from tests.support.forked import four_articles, squadqa, write_config
from tests.support.packs import make_pack
from tests.support.programs import run_program
from tests.support.run_states import STATES, assert_same, checkpoint, measured
from tests.support.runs import READER


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.json, dev.json, a reader's config.yaml, and both.pack of the data."""
    folder = tmp_path_factory.mktemp("packed")
    write_config(folder, READER)
    line = ["prepare", folder / "train.json", folder / "dev.json", "--no-annotate", "--pack"]
    line += [folder / "both.pack", "--cache-dir", folder / "cache"]
    assert main(list(map(str, line))) == 0
    return folder


@pytest.fixture
def folder(packed: Path, tmp_path: Path) -> Path:
    """A copy of it, with a prediction file."""
    shutil.copytree(packed, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "predictions.json").write_text('{"q0": "Ida Moss"}')
    return tmp_path


TRAIN = ["train", "--config", "config.yaml", "--epochs", "1"]


def test_training_is_the_same_where_little_is_installed(folder: Path) -> None:
    ordinary = squadqa(folder, *TRAIN, "--run", "files", "--wandb", "off")
    assert ordinary.code == 0, ordinary.err
    done = squadqa(folder, *TRAIN, "--run", "pack", "--data", "both.pack", forbid=bare.ABSENT)
    assert done.code == 0, done.err
    assert "Weights & Biases is not installed" in done.err
    ours, theirs = (checkpoint(folder / name) for name in ("pack", "files"))
    for state in STATES:
        assert_same(ours[state], theirs[state])
    ours, theirs = (measured(folder / name / "results.json") for name in ("pack", "files"))
    for name in ("exact_match", "f1", "total", "epochs"):
        assert ours[name] == theirs[name]
    assert ours["data"] == "both.pack"
    line = ["--data", "both.pack", "--json"]
    scored = squadqa(folder, "evaluate", "pack", *line, forbid=bare.ABSENT)
    assert json.loads(scored.out)["f1"] == ours["f1"], scored.err
    resumed = squadqa(folder, "train", "--resume", "pack", "--epochs", 2, forbid=bare.ABSENT)
    assert resumed.code == 0, resumed.err


def test_a_run_reads_a_pack_where_little_is_installed(folder: Path, reader_run: Path) -> None:
    line = ["predict", reader_run, "--data", "both.pack", "--output", "new.json"]
    done = squadqa(folder, *line, forbid=bare.ABSENT)
    assert done.code == 0, done.err
    new = json.loads((folder / "new.json").read_text())
    assert new == json.loads((reader_run / "predictions.json").read_text())
    (folder / "mill.txt").write_text("Ida built the mill.")
    for line, what in (
        (["answer", reader_run, "--context", "mill.txt", "--question", "Who?"], "tokenizing text"),
        (["evaluate", reader_run, "--data", "dev.json"], "tokenizing text"),
        (["evaluate", reader_run, "--data", "some/thing"], 'the data set "some/thing"'),
    ):
        done = squadqa(folder, *line, forbid=bare.ABSENT)
        assert done.code == 2
        package = "datasets" if "data set" in what else "spacy"
        assert f'{what} needs the package "{package}", which is not installed' in done.err
        assert "pip install" in done.err and "--pack FILE" in done.err
        assert "Traceback" not in done.err


def test_wandb_that_is_asked_for_has_to_be_installed(folder: Path) -> None:
    (folder / "wandb").mkdir()  # the logs of others, which Python would import as a package
    line = [*TRAIN, "--data", "both.pack", "--wandb", "online"]
    done = squadqa(folder, *line, forbid=["wandb"])
    assert done.code == 2
    assert '--wandb online needs the package "wandb"' in done.err


def test_a_prediction_file_is_scored_on_a_pack(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = []
    for data in ("dev.json", "both.pack", "both.pack:dev"):
        line = ["--data", folder / data, "--predictions", folder / "predictions.json", "--json"]
        assert main(["evaluate", *map(str, line)]) == 0
        scores.append(json.loads(capsys.readouterr().out))
    assert scores[0] == scores[1] == scores[2]
    assert scores[0]["total"] == 8


def test_the_api_takes_packs(folder: Path, reader_run: Path) -> None:
    from squadqa import load

    run, pack = load(reader_run), str(folder / "both.pack")
    cache = folder / "cache"
    assert run.predict(pack, cache_dir=cache) == run.predict(folder / "dev.json", cache_dir=cache)
    score = run.evaluate(f"{pack}:train", cache_dir=cache)
    assert isinstance(score, Score) and score.total == 16


def test_what_a_pack_holds_is_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def sources(*line: object) -> Any:
        assert main(["prepare", *map(str, line), "--cache-dir", str(folder / "new"), "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)["sources"]
        return [{**one, "source": ""} for one in shown]

    given = sources(folder / "train.json", folder / "dev.json", "--no-annotate")
    assert sources(folder / "both.pack") == given
    assert [one["questions"] for one in given] == [16, 8]
    assert [one["vectors"]["sources"].keys() for one in given] == [{"glove-6b-50d"}] * 2


def test_a_pack_of_another_pipeline_serves_commands_that_parse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_pack(tmp_path)
    line = ["candidates", "--data", made.path, "--cache-dir", tmp_path / "cache", "--json"]
    assert main(list(map(str, line))) == 0
    assert json.loads(capsys.readouterr().out)
    (tmp_path / "predictions.json").write_text('{"only": "cat"}')
    line = ["evaluate", "--data", made.path, "--predictions", tmp_path / "predictions.json"]
    line += ["--details", "--cache-dir", tmp_path / "cache", "--json"]
    assert main(list(map(str, line))) == 0
    assert json.loads(capsys.readouterr().out)["total"] == 1


def test_the_pack_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "one.pack"
    line = ["prepare", folder / "dev.json", "--no-annotate", "--vectors", "--pack", path]
    line += ["--cache-dir", folder / "cache"]
    assert main(list(map(str, line))) == 0
    size = path.stat().st_size / 1e6
    assert capsys.readouterr().out.endswith(f"\npack: {path}, {size:.1f} MB: dev\n")
    assert main([*map(str, line), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["pack"]
    assert told == {"path": str(path), "bytes": path.stat().st_size, "parts": ["dev"]}


def test_a_part_needs_test_questions(folder: Path, refused: Callable[..., str]) -> None:
    line = ["prepare", folder / "train.json", "--no-annotate", "--vectors", "--pack"]
    assert main([*map(str, line), str(folder / "one.pack"), "--cache-dir", str(folder)]) == 0
    said = squadqa(folder, *TRAIN, "--data", "one.pack")
    assert said.code == 2
    assert '--data names one file, "one.pack": there are no test questions' in said.err


def test_other_inputs_are_refused(folder: Path) -> None:
    line = [*TRAIN, "--data", "both.pack", "--data.inputs.pipeline", "en_core_web_sm"]
    done = squadqa(folder, *line, "--wandb", "off")
    assert done.code == 2
    assert '"both.pack (train)" is not annotated by "en_core_web_sm"' in done.err
    assert "The pack holds word vectors: glove-6b-50d; annotation: none." in done.err
    assert not (folder / "runs").exists() or not [*(folder / "runs").iterdir()]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["dev.json", "--pack", "."], "it is a folder"),
        (["dev.json", "--pack", "dev.json/x"], "cannot write"),
        (["both.pack", "--pack", "x"], "is a part of a pack already"),
        (["dev.json", "copy/dev.json", "--pack", "x"], 'would both be the part "dev"'),
        (["dev.json", "--no-annotate", "--pipeline", "x"], "and --no-annotate forbids it"),
    ],
)
def test_mistakes(
    line: list[str],
    says: str,
    folder: Path,
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (folder / "copy").mkdir()
    tiny.write(folder / "copy/dev.json", four_articles())
    monkeypatch.chdir(folder)
    assert says in refused("prepare", *line)
    assert not (folder / "cache").exists(), "refused before the work"
    assert not (folder / "x").exists()


@pytest.mark.slow(seconds=400)
def test_a_machine_with_few_packages(folder: Path) -> None:
    environment = bare.environment(bare.make_site(folder))

    def run(*arguments: object) -> str:
        line = bare.command(*arguments)
        done = run_program(line, cwd=folder, limit=120, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(*TRAIN, "--data", "both.pack", "--run", "bare")
    ordinary = squadqa(folder, *TRAIN, "--run", "files", "--wandb", "off")
    assert ordinary.code == 0, ordinary.err
    assert_same(*(checkpoint(folder / name)["state_dict"] for name in ("bare", "files")))
    scored = json.loads(run("evaluate", "bare", "--data", "both.pack", "--json"))
    assert scored["f1"] == measured(folder / "files/results.json")["f1"]
    run("predict", "bare", "--data", "both.pack", "--output", "new.json")
    new = json.loads((folder / "new.json").read_text())
    assert new == json.loads((folder / "files/predictions.json").read_text())
    line = bare.command("evaluate", "bare", "--data", "dev.json")
    refused = run_program(line, cwd=folder, **environment)
    assert refused.returncode == 2
    assert 'needs the package "spacy", which is not installed' in refused.stderr
