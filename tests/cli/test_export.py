"""`squadqa export`, and every command on a model folder and on a ready model."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import squadqa
from squadqa.cli.main import main
from squadqa.inference.predictor import Predictor
from tests.support import tiny

Refused = Callable[..., str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with questions and a text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")  # restored after the test
    for part in ("train.json", "dev.json"):
        tiny.write(tmp_path / part, tiny.squad())
    Path("text.txt").write_text("Ida Moss kept the lighthouse.")
    return tmp_path


def test_a_folder_with_the_runs_card(
    here: Path, reader_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(reader_run), "--model", "model"]) == 0
    out = capsys.readouterr().out
    assert f"{reader_run}/checkpoints/best.ckpt (epoch 1, step 2)\n" in out
    assert "float32\n" in out
    assert "model (0.1 MB)\n" in out
    card = (reader_run / "card.md").read_text()
    assert Path("model/README.md").read_text() == card
    assert main(["export", str(reader_run), "--model", "small", "--half"]) == 0
    assert Path("small/README.md").read_text().startswith(card)
    assert "stored as float16" in Path("small/README.md").read_text()
    assert main(["export", "small", "--model", "again", "--half"]) == 0
    for name in ("README.md", "model.safetensors", "config.yaml"):
        assert Path("again", name).read_bytes() == Path("small", name).read_bytes()


def test_a_card_is_made_anew(
    here: Path, copied_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = (copied_run / "card.md").read_text()
    (copied_run / "card.md").unlink()
    assert main(["export", str(copied_run), "--model", "anew"]) == 0
    assert Path("anew/README.md").read_text() == card.replace("# drqa", "# copy")
    Path("dev.json").unlink()
    assert main(["export", str(copied_run), "--model", "without"]) == 0
    assert "the card has no intervals and no slices: no data file" in capsys.readouterr().err
    made = Path("without/README.md").read_text()
    assert "| all | 8 |" in made
    assert "question word" not in made


def test_the_card_of_the_last_checkpoint_has_no_scores(here: Path, reader_run: Path) -> None:
    line = ["export", str(reader_run), "--model", "model", "--checkpoint", "last"]
    assert main(line) == 0
    assert "These weights were not scored." in Path("model/README.md").read_text()


def test_what_is_refused(
    here: Path, reader_run: Path, reader_model: Path, refused: Refused
) -> None:
    assert "nothing to write: neither --model nor --onnx" in refused("export", reader_run)
    assert "ONNX is written in float32" in refused(
        "export", reader_run, "--onnx", "reader.onnx", "--half"
    )
    Path("onnx").mkdir()
    assert "it is a folder" in refused("export", reader_run, "--onnx", "onnx")
    Path("there").mkdir()
    assert '"there" exists' in refused("export", reader_run, "--model", "there")
    assert 'no run folder "rnus"' in refused("export", "rnus", "--model", "model")
    said = refused("export", reader_model, "--checkpoint", "last", "--model", "model")
    assert "Leave --checkpoint out." in said
    Path("both").mkdir()
    Path("both/ensemble.json").write_text("{}")
    said = refused("export", "both", "--model", "model")
    assert '"both" is an ensemble, and what is exported is one model' in said
    assert 'Export its members, which are the folders in "both/members"' in said
    said = refused("train", "--resume", reader_model)
    assert "is a model folder, which has no training to resume" in said
    assert f"--warm-start {reader_model}" in said
    assert not Path("model").exists()


ASKED = ["--context", "text.txt", "--question", "Who kept it?"]
DATA = ["--data", "dev.json"]
COMMANDS = {
    "answer": ["answer", "house", *ASKED],
    "predict": ["predict", "house", *DATA, "--output", "out.json"],
    "evaluate": ["evaluate", "house", *DATA],
    "report": ["report", "house", *DATA, "--output", "out.html"],
    "compare": ["compare", "house", "{run}", *DATA],
    "ensemble": ["ensemble", "house", "{run}", *DATA, "--run", "both"],
    "export": ["export", "house", "--model", "out"],
    "warm-start": ["train", "--config", "{config}", "--warm-start", "house", "--run", "new"]
    + ["--wandb", "off"],
}


@pytest.mark.parametrize("line", COMMANDS.values(), ids=COMMANDS)
def test_a_ready_model_serves_every_command(
    line: list[str],
    here: Path,
    ready: Path,
    reader_run: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = reader_run.parents[1] / "drqa.yaml"
    line = [word.format(run=reader_run, config=config) for word in line]
    assert main(line) == 0
    capsys.readouterr()
    if line[0] == "ensemble":
        assert Path("both/members/1-house/model.safetensors").is_file()
        assert main(["answer", "both", *ASKED]) == 0
    if line[0] == "train":
        assert yaml.safe_load(Path("new/config.yaml").read_text())["warm_start"] == "house"
        assert "Warm start from house." in json.loads(Path("new/results.json").read_text())["notes"]


def test_a_scorers_model(
    here: Path, scorer_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(scorer_model), *ASKED]) == 0
    assert main(["features", str(scorer_model), *DATA]) == 0
    assert "model.safetensors" in capsys.readouterr().out
    answered = squadqa.load(scorer_model, choose="expected_f1").answer("Ida Moss.", "Who?")
    assert answered.text


def test_a_ready_model_in_python_and_a_wrong_name(
    here: Path, ready: Path, refused: Refused
) -> None:
    run = squadqa.load("house")
    assert isinstance(run, Predictor)
    assert run.run.folder == ready / "house"
    assert 'Did you mean "house"?' in refused("answer", "huose", *ASKED)


def test_a_damaged_model_is_one_message(here: Path, reader_model: Path, refused: Refused) -> None:
    folder = Path(shutil.copytree(reader_model, "model"))
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    for line in (["answer", "model", *ASKED], ["evaluate", "model", *DATA]):
        assert '"model/model.safetensors" is damaged or cut short' in refused(*line)
