"""`squadqa ablate` on a few questions: equal to `squadqa train`, resumable, clear on mistakes."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from squadqa.cli.main import main
from squadqa.files import is_locked
from squadqa.training.run_lock import LOCK
from tests.support.forked import write_config
from tests.support.holding import hold_elsewhere, kill
from tests.support.runs import READER, SCORER

GROUPS = ["matching_words", "lengths", "span_words"]
QUICK = ("--trainer.max_epochs", 1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: data, and config.yaml of a scorer with three groups."""
    monkeypatch.chdir(tmp_path)
    scorer = SCORER["model"]["init_args"]["scorer"]
    arguments = {**scorer["init_args"], "groups": GROUPS}
    optimizer = {"class_path": "torch.optim.Adagrad", "init_args": {"lr": 1.0}}
    init_args = {"scorer": {**scorer, "init_args": arguments}, "optimizer": optimizer}
    write_config(tmp_path, {**SCORER, "model": {**SCORER["model"], "init_args": init_args}})
    return tmp_path


@pytest.fixture
def keeps_signals() -> Iterator[None]:
    """Start with the usual handlers; an interrupted Lightning leaves SIGINT ignored."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    handlers = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def ablate(*arguments: object) -> int:
    return main(["ablate", "config.yaml", *map(str, arguments)])


def figures(output: str = "runs/config-ablation") -> dict[tuple[str, ...], dict[str, Any]]:
    """The measurements by groups left out, without values that differ from run to run."""
    variants = json.loads(Path(output, "ablation.json").read_text())["variants"]
    for row in variants:
        del row["minutes"], row["training_minutes"]
    return {tuple(row["without"]): row for row in variants}


def scores(path: Path) -> tuple[float, float]:
    values = json.loads(path.read_text())
    return values["exact_match"], values["f1"]


@pytest.mark.slow(seconds=240)
def test_every_variant_equals_a_training_by_train(folder: Path) -> None:
    """Scores and answers are those of the epoch that `best.ckpt` keeps."""
    assert ablate("--trainer.max_epochs", 3) == 0
    rows = figures()
    assert rows.keys() == {(), *((name,) for name in GROUPS)}
    assert len({row["f1"] for row in rows.values()}) > 1
    for without in ([], ["lengths"]):
        groups = [name for name in GROUPS if name not in without]
        run = Path("runs", "-".join(["train", *without]))
        line = ["train", "--config", "config.yaml", "--wandb", "off", "--run", str(run)]
        groups_option = f"--model.init_args.scorer.init_args.groups={json.dumps(groups)}"
        assert main([*line, "--trainer.max_epochs", "3", groups_option]) == 0
        row = rows[tuple(without)]
        assert (row["exact_match"], row["f1"]) == scores(run / "results.json")
        name = f"without-{without[0]}" if without else "whole"
        predictions = Path("runs/config-ablation", name, "predictions.json")
        assert predictions.read_bytes() == (run / "predictions.json").read_bytes()
    best = torch.load("runs/train/checkpoints/best.ckpt", weights_only=True)
    assert best["epoch"] < 2, "the last epoch is the best, so nothing is chosen here"


def test_writes_a_table_figures_and_a_plot(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ablate("--without", "lengths", "--output", "out", "--results", "results") == 0
    printed, progress = capsys.readouterr()
    assert "1 of 2: the whole model\n" in progress
    assert "2 of 2: without lengths (" in progress
    table = printed.split("\n\n")[0].splitlines()
    assert " ".join(table[0].split()) == "left out EM F1 change paper's F1 paper's change"
    assert [line.split()[0] for line in table[1:]] == ["nothing", "lengths"]
    assert table[2].split()[-2:] == ["50.5", "-0.5"]
    assert {str(path.relative_to("out")) for path in Path("out").rglob("*.*")} == {
        "ablation.json",
        "ablation.md",
        "ablation.png",
        "whole/predictions.json",
        "without-lengths/predictions.json",
    }
    for ending in ("json", "md", "png"):
        copy = Path(f"results/ablations/out.{ending}")
        assert copy.read_bytes() == Path(f"out/ablation.{ending}").read_bytes()
    written = json.loads(Path("out/ablation.json").read_text())
    assert written["config_files"] == "config.yaml"
    assert written["config"]["model"]["init_args"]["scorer"]["init_args"]["groups"] == GROUPS
    assert written["seed"] == 1
    assert written["data"] == "train.json, dev.json"
    assert all(row["total"] == 8 and row["minutes"] > 0 for row in written["variants"])
    assert not [*folder.rglob("*.ckpt"), *folder.rglob("*wandb*"), *folder.rglob("metrics.csv")]


@pytest.mark.slow(seconds=240)  # by default it goes on after a kill, see below
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_resumes_after_the_finished_variants(
    folder: Path,
    number: signal.Signals,
    keeps_signals: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ablate(*QUICK, "--output", "unstopped") == 0
    from squadqa.cli.variants import Variants
    from squadqa.training.held_memory import HeldMemory

    trained: list[tuple[str, ...]] = []
    train = Variants.train_without

    def noted(self: Variants, without: tuple[str, ...]) -> Any:
        trained.append(without)
        return train(self, without)

    monkeypatch.setattr(Variants, "train_without", noted)
    with monkeypatch.context() as patch:
        patch.setattr(
            HeldMemory,
            "on_train_batch_end",
            lambda *_: os.kill(os.getpid(), number) if len(trained) == 3 else None,
        )
        assert ablate(*QUICK) == 1
    assert "the same command continues" in capsys.readouterr().err
    assert figures().keys() == {(), ("matching_words",)}
    assert not Path("runs/config-ablation/ablation.png").exists()

    trained.clear()
    assert ablate(*QUICK) == 0
    assert trained == [("lengths",), ("span_words",)]
    progress = capsys.readouterr().err
    assert "1 of 4: the whole model (finished before)\n" in progress
    assert "3 of 4: without lengths (0." in progress
    assert figures() == figures("unstopped")

    trained.clear()
    assert ablate(*QUICK, "--without", "lengths", "lengths+span_words") == 0
    assert trained == [("lengths", "span_words")], "only new variants"
    assert len(figures()) == 5


def test_one_ablation_a_folder(
    folder: Path,
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from squadqa.cli import variants

    output = Path("runs/config-ablation")
    held: list[bool] = []
    write = variants.write_predictions

    def noted(path: Path, predictions: Any) -> None:
        held.append(is_locked(output / LOCK))
        write(path, predictions)

    monkeypatch.setattr(variants, "write_predictions", noted)
    for is_new in (True, False):
        process = hold_elsewhere(output)
        said = refused("ablate", "config.yaml", *map(str, QUICK), "--without", "lengths")
        kill(process)
        assert f'"{output}" is being trained by process {process} on ' in said
        assert "or name another folder with --output." in said
        if is_new:
            assert ablate(*QUICK, "--without", "lengths") == 0
            assert held == [True, True]
            assert not list(output.glob(".*"))
            capsys.readouterr()
    assert figures().keys() == {(), ("lengths",)}


def test_the_same_command_goes_on_after_a_kill_at_the_end_of_the_first_variant(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its predictions are there then, and its figures are not."""
    from squadqa.cli import variants

    class Killed(BaseException):
        pass

    def kill_here(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(variants, "write_table", kill_here)
        patch.setattr(variants.Ablation, "with_variant", kill_here)
        ablate(*QUICK, "--without", "lengths")
    assert Path("runs/config-ablation/whole/predictions.json").exists()
    assert ablate(*QUICK, "--without", "lengths") == 0
    assert figures().keys() == {(), ("lengths",)}


def test_features_are_extracted_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from squadqa.data.candidates import inputs as candidate_inputs
    from squadqa.data.candidates.inputs import CandidateInputs

    calls: list[str] = []
    extract, fit = candidate_inputs.extract, CandidateInputs.fit
    monkeypatch.setattr(
        candidate_inputs, "extract", lambda data, *a: calls.append("extract") or extract(data, *a)
    )
    monkeypatch.setattr(
        CandidateInputs, "fit", lambda self, *a, **b: calls.append("fit") or fit(self, *a, **b)
    )
    assert ablate(*QUICK, "--without", "lengths") == 0
    assert sorted(calls) == ["extract", "extract", "fit"]  # for train and for dev


def test_another_configurations_folder_is_refused(
    folder: Path, refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ablate("--without", "lengths") == 0
    before = figures()
    capsys.readouterr()
    said = refused("ablate", "config.yaml", "--trainer.max_epochs", 1)
    assert "is the ablation of another configuration" in said
    assert "trainer.max_epochs is 2 there and 1 here." in said
    assert "--output" in said
    assert figures() == before
    # The cache's folder and the names of the files do not matter.
    shutil.copy("config.yaml", "renamed.yaml")
    line = ["renamed.yaml", "--output", "runs/config-ablation", "--data.cache_dir", "other"]
    assert main(["ablate", *line, "--without", "lengths"]) == 0
    assert "of 2: without lengths (finished before)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["confg.yaml"], ['no configuration "confg.yaml"', '"config.yaml"']),
        ([], ["CONFIG", "squadqa ablate --help"]),
        (["reader.yaml"], ['"reader.yaml" has no feature groups', "configs/logistic.yaml"]),
        (["config.yaml", "--without", "lenghts"], ['"lenghts"', 'Did you mean "lengths"?']),
        (["config.yaml", "--without", "+".join(GROUPS)], ["no feature group left"]),
        (["config.yaml", "--wihtout", "lengths"], ['Did you mean "--without"?']),
        (["config.yaml", "--data.trian", "x"], ['"--data.trian"', '"--data.train"']),
        (["config.yaml", "--data", "train.json"], ["no test questions", "--test"]),
        (["config.yaml", "--data.train", "trian.json"], ['no data file "trian.json"']),
        (["config.yaml", "--output", "train.json"], ["exists and is not an ablation", "--output"]),
        (["config.yaml", "--output", "train.json/out"], ['cannot write "train.json/out"']),
        (["config.yaml", "--results", "train.json"], ['cannot write "train.json/ablations"']),
        (["config.yaml", "--trainer.devices", "2"], ["one process, not in 2"]),
        (["config.yaml", "--device", "gpu"], ['cannot be "gpu"', '"cpu"']),
    ],
    ids=lambda value: "-".join(value[:3]),
)
def test_mistakes_are_reported_and_leave_no_files(
    folder: Path, refused: Callable[..., str], arguments: list[str], said: list[str]
) -> None:
    values = yaml.safe_load(Path("config.yaml").read_text())
    values["model"], values["data"]["inputs"] = READER["model"], READER["inputs"]
    Path("reader.yaml").write_text(yaml.safe_dump(values))
    message = refused("ablate", *arguments)
    for text in said:
        assert text in message
    assert not Path("runs").exists()


def test_overrides_may_come_before_the_configuration(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["--trainer.max_epochs", "1", "config.yaml", "--data.batch_size=4", "--without"]
    assert main(["ablate", *line, "lengths"]) == 0
    config = json.loads(Path("runs/config-ablation/ablation.json").read_text())["config"]
    assert (config["trainer"]["max_epochs"], config["data"]["batch_size"]) == (1, 4)
