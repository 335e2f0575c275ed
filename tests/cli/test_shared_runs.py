"""A run folder that somebody else made: no command runs code that is planted in any of its files.

Each kind of file carries a payload in turn, and every command that opens a run opens it.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import squadqa
from squadqa.cli.main import main
from squadqa.errors import SquadQAError
from tests.support import tiny
from tests.support.mostly_slow import mostly_slow
from tests.support.planted import (
    CODE,
    RAN,
    Planted,
    add_to_checkpoints,
    change,
    copy_run,
    write_package,
    write_pickle,
    write_side_file,
)

Plant = Callable[[Path], object]

SPEC = {"class_path": "os.mkdir", "init_args": {"path": RAN}}
TAG = f"!!python/object/apply:os.mkdir [{RAN}]"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with questions, a text, and an installed package that runs code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")  # restored after the test
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    write_package(tmp_path / "site", "planted_package")
    for part in ("train.json", "dev.json"):
        tiny.write(tmp_path / part, tiny.squad())
    Path("text.txt").write_text("Ida Moss kept the lighthouse.")
    yield tmp_path
    assert not Path(RAN).exists(), "planted code was run"
    assert "planted_package" not in sys.modules


def commands(run: Path, trained: Path) -> Mapping[str, list[str]]:
    """Every command that opens a run; `trained` is the configuration of the run it is a copy of."""
    other = trained.parent / "runs" / trained.stem
    asked = ["--context", "text.txt", "--question", "Who?"]
    told = {
        "answer": ["answer", str(run), *asked],
        "predict": ["predict", str(run), "--data", "dev.json", "--output", "out.json"],
        "evaluate": ["evaluate", str(run), "--data", "dev.json"],
        "ensemble": ["ensemble", str(other), str(run), "--data", "dev.json"],
        "resume": ["train", "--resume", str(run), "--wandb", "off"],
        "warm-start": ["train", "--config", str(trained), "--warm-start", str(run)]
        + ["--data.cache_dir", "cache", "--run", "new", "--wandb", "off"],
    }
    if "logistic" in trained.name:
        told["explain"] = ["explain", str(run), *asked]
        told["features"] = ["features", str(run), "--data", "dev.json"]
    return told


def set_reader(value: object) -> Plant:
    return lambda run: change(run, lambda c: c["model"]["init_args"].update(reader=value))


def set_char_cnn(value: object) -> Plant:
    def edit(config: Any) -> None:
        config["model"]["init_args"]["reader"]["init_args"]["char_cnn"] = value

    return lambda run: change(run, edit)


def set_inputs(**values: object) -> Plant:
    return lambda run: change(run, lambda c: c["data"]["inputs"]["init_args"].update(values))


def plant_tag(run: Path) -> None:
    path = run / "config.yaml"
    path.write_text(f"planted: {TAG}\n{path.read_text()}")


def plant_pickles(run: Path, *, protocol: int = 2) -> None:
    for path in (run / "checkpoints").glob("*.ckpt"):
        write_pickle(path, protocol=protocol)


def plant_vectors(run: Path) -> None:
    set_inputs(vectors=[str(write_side_file(run / "v.kv"))])(run)


def plant_disguised_vectors(run: Path) -> None:
    set_inputs(vectors=[str(write_pickle(run / "glove.txt"))])(run)


def plant_pipeline(run: Path) -> None:
    (run / "pipeline").mkdir()
    for name in ("meta.json", "config.cfg", "__init__.py"):
        (run / "pipeline" / name).write_text(CODE)
    set_inputs(pipeline=str(run / "pipeline"))(run)


REFUSED: dict[str, tuple[Plant, str]] = {
    "yaml-tag": (plant_tag, "python/object/apply:os.mkdir"),
    "reader": (set_reader(SPEC), '"os.mkdir"'),
    "package-as-reader": (
        set_reader({"class_path": "planted_package.Reader"}),
        '"planted_package.Reader"',
    ),
    "char-cnn": (set_char_cnn(SPEC), '"os.mkdir"'),
    "char-cnn-of-squadqa": (
        set_char_cnn(
            {
                "class_path": "squadqa.cli.lightning_parser.SquadCLI",
                "init_args": {"arguments": ["fit"]},
            }
        ),
        "is not a CharCNN",
    ),
    "inputs": (
        lambda run: change(run, lambda c: c["data"].update(inputs=SPEC)),
        '"os.mkdir"',
    ),
    "object-in-inputs": (set_inputs(max_characters=SPEC), "os.mkdir"),
    "pipeline-package": (
        set_inputs(pipeline="planted_package"),
        'names "planted_package" at data.inputs.init_args.pipeline',
    ),
    "pipeline-folder": (plant_pipeline, "at data.inputs.init_args.pipeline"),
    "pipeline-as-vectors": (
        set_inputs(vectors=["spacy:site/planted_package"]),
        'names "site/planted_package" at data.inputs.init_args.vectors',
    ),
    "pickled-checkpoints": (plant_pickles, "neither weights nor a plain value"),
    "pickled-checkpoints-4": (
        lambda run: plant_pickles(run, protocol=4),
        "is not a checkpoint",
    ),
    "object-in-checkpoints": (
        lambda run: add_to_checkpoints(run, Planted()),
        "neither weights nor a plain value",
    ),
    "path-in-checkpoints": (
        lambda run: plant_way_out(run),
        "names a file that is not in its run",
    ),
    "vectors": (plant_vectors, "is a pickle"),
    "disguised-vectors": (plant_disguised_vectors, "is a pickle"),
}


def plant_way_out(run: Path) -> None:
    """Lightning deletes the best checkpoint before the last, if its path begins like the run's."""
    import torch

    for path in (run / "checkpoints").glob("*.ckpt"):
        content = torch.load(path, weights_only=True)
        state = next(
            state
            for name, state in content["callbacks"].items()
            if name.startswith("ModelCheckpoint")
        )
        state["best_model_path"] = f"{path.parent}/../../../precious.txt"
        torch.save(content, path)


USUAL = ("yaml-tag", "reader", "inputs", "pipeline-package", "pickled-checkpoints", "vectors")


@pytest.mark.parametrize(
    "name", mostly_slow({name: name for name in REFUSED}, usual=USUAL, seconds=120)
)
def test_planted_code_is_refused_by_every_command(
    name: str, here: Path, reader_run: Path, refused: Callable[..., str]
) -> None:
    plant, told = REFUSED[name]
    run = copy_run(reader_run, here / "runs" / "copy")
    plant(run)
    seen = {}
    for command, line in commands(Path("runs/copy"), reader_run.parents[1] / "drqa.yaml").items():
        if told == "is a pickle" and command in ("resume", "warm-start"):
            continue  # vectors are opened by the training, see below, or not at all
        seen[command] = refused(*line)
    with pytest.raises(SquadQAError) as caught:
        squadqa.load(run).answer("Ida Moss kept it.", "Who?")
    assert told in str(caught.value)
    assert {command for command, text in seen.items() if told not in text} == set()
    assert len(seen) >= 4


@pytest.mark.parametrize("plant", [plant_vectors, plant_disguised_vectors])
def test_planted_vectors_are_refused_by_a_resumed_training(
    plant: Plant, here: Path, reader_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy_run(reader_run, here / "runs" / "copy")
    plant(run)
    change(run, lambda config: config["trainer"].update(max_epochs=3))
    assert main(["train", "--resume", str(run), "--wandb", "off"]) == 2
    assert "is a pickle" in capsys.readouterr().err


def plant_generator(run: Path) -> None:
    """What a run folder could name to start a training of its own (s03)."""
    spec = {
        "class_path": "squadqa.cli.lightning_parser.SquadCLI",
        "init_args": {"arguments": ["fit", "--config", "evil.yaml"]},
    }
    set_inputs(generator=spec)(run)


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (plant_generator, "is not a CandidateGenerator"),
        (set_inputs(generator=SPEC), '"os.mkdir"'),
        (plant_tag, "python/object/apply:os.mkdir"),
        (set_inputs(pipeline="planted_package"), 'names "planted_package"'),
        (plant_pickles, "neither weights nor a plain value"),
    ],
    ids=["generator-of-squadqa", "generator", "yaml-tag", "pipeline-package", "checkpoints"],
)
def test_a_scorer_too(
    plant: Plant, told: str, here: Path, scorer_run: Path, refused: Callable[..., str]
) -> None:
    run = copy_run(scorer_run, here / "runs" / "copy")
    plant(run)
    lines = commands(Path("runs/copy"), scorer_run.parents[1] / "logistic.yaml")
    assert {name for name, line in lines.items() if told not in refused(*line)} == set()
    assert lines.keys() >= {"explain", "features"}


@pytest.mark.parametrize("name", ["results.json", "predictions.json", "origin.json"])
def test_planted_records(
    name: str,
    here: Path,
    reader_run: Path,
    refused: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Only origin.json is read, to resume; the others are outputs of a training."""
    run = copy_run(reader_run, here / "runs" / "copy")
    write_pickle(run / name)
    lines = dict(commands(run, reader_run.parents[1] / "drqa.yaml"))
    del lines["warm-start"]
    resume = lines.pop("resume")
    for line in lines.values():
        assert main(line) == 0
    capsys.readouterr()
    if name == "origin.json":
        assert "cannot read the origin of the run" in refused(*resume)
    if name == "predictions.json":
        said = refused("evaluate", "--predictions", run / name, "--data", "dev.json")
        assert f'"{run / name}"' in said


def test_python_files_in_a_run_are_not_imported(here: Path, reader_run: Path) -> None:
    run = copy_run(reader_run, here / "runs" / "copy")
    for folder in (run, run / "checkpoints"):
        for name in ("__init__.py", "sitecustomize.py", "drqa.py", "DrQAReader.py", "setup.py"):
            (folder / name).write_text(CODE)
    for name, line in commands(run, reader_run.parents[1] / "drqa.yaml").items():
        if name not in ("resume", "warm-start"):
            assert main(line) == 0


def test_a_planted_member_of_an_ensemble(
    here: Path,
    reader_run: Path,
    capsys: pytest.CaptureFixture[str],
    refused: Callable[..., str],
) -> None:
    runs = [str(reader_run), str(copy_run(reader_run, here / "copy"))]
    line = ["ensemble", *runs, "--data", "dev.json", "--run", "both"]
    assert main(line) == 0
    capsys.readouterr()
    member = next(Path("both/members").iterdir())
    asked = ("answer", "both", "--context", "text.txt", "--question", "Who?")
    kept = here / "kept"
    shutil.copytree("both", kept)
    set_reader(SPEC)(member)
    assert '"os.mkdir"' in refused(*asked)
    with pytest.raises(SquadQAError, match=r"os\.mkdir"):
        squadqa.load("both")
    shutil.rmtree("both")
    shutil.copytree(kept, "both")
    described = json.loads(Path("both/ensemble.json").read_text())
    described["members"][0]["run"] = "../runs"
    Path("both/ensemble.json").write_text(json.dumps(described))
    assert 'its member "../runs" is outside the folder' in refused(*asked)
