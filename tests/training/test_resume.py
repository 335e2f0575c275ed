"""A training that is stopped and resumed ends like one without a stop: bit for bit, on CPU."""

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.forked import Done, squadqa, write_config
from tests.support.run_states import STATES, assert_same, callback, checkpoint, measured
from tests.support.runs import READER, SCORER

STEPS_PER_EPOCH = 7  # 14 questions without the held-out article, two in a batch
EPOCHS = 2

PRACTICE = {
    "decay": "plateau",
    "warmup_steps": 3,
    "plateau_factor": 0.5,
    "plateau_score": "exact_match",
    "ema_decay": 0.9,
    "word_dropout": 0.3,
}
PRACTICE_EPOCHS = 3  # the last one after a cut of the learning rate


@dataclass(frozen=True)
class Whole:
    """A run that was never stopped.

    Args:
        folder: Where further runs of its configuration can be made.
        config: The configuration.
        run: The run folder.
        epochs: Passes over the training questions.
    """

    folder: Path
    config: Path
    run: Path
    epochs: int


def train_whole(
    folder: Path,
    settings: dict[str, Any],
    *,
    epochs: int = EPOCHS,
    trainer: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    **options: Any,
) -> Whole:
    """Train without a stop; `options` are the model's, `trainer` and `data` have their own."""
    model = settings["model"]
    model = {**model, "init_args": {**model["init_args"], **options}}
    config = write_config(folder, {**settings, "model": model}, **(data or {}))
    values = yaml.safe_load(config.read_text())
    values["trainer"] |= {"max_epochs": epochs, **(trainer or {})}
    config.write_text(yaml.safe_dump(values))
    done = fit(folder, config, "whole")
    assert done.code == 0, done.err
    return Whole(folder, config, folder / "whole", epochs)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return train_whole(tmp_path_factory.mktemp("reader"), READER)


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return train_whole(tmp_path_factory.mktemp("scorer"), SCORER)


@pytest.fixture(scope="module")
def practised(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A run with all additions to a training, and three passes."""
    return train_whole(
        tmp_path_factory.mktemp("practised"),
        READER,
        epochs=PRACTICE_EPOCHS,
        trainer={"gradient_clip_val": 1.0},
        **PRACTICE,
    )


@pytest.fixture(scope="module")
def by_paragraph(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A run whose batches hold the questions of a paragraph, and whose reader shares contexts."""
    reader = {
        "class_path": "squadqa.models.BiLSTMReader",
        "init_args": {"hidden_size": 4, "num_layers": 1, "word_in_question": "after"},
    }
    folder = tmp_path_factory.mktemp("by-paragraph")
    return train_whole(folder, READER, data={"batch_by": "paragraph"}, reader=reader)


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> Whole:
    trained: Whole = request.getfixturevalue(request.param)
    return trained


def fit(folder: Path, config: Path, run: str, **options: Any) -> Done:
    arguments = ["--config", config, "--run", run, "--wandb", "off", "--save_every", 3]
    return squadqa(folder, "lightning", "fit", *arguments, **options)


def assert_ends_like(run: Path, whole: Whole) -> None:
    """Check that two runs ended with the same weights, state of training and answers."""
    mine, theirs = checkpoint(run), checkpoint(whole.run)
    assert mine["global_step"] == theirs["global_step"] == whole.epochs * STEPS_PER_EPOCH
    for key in (*STATES, "SquadDataModule"):
        assert_same(mine[key], theirs[key])
    for name in ("RandomStates", "EarlyStopping"):
        assert_same(callback(mine, name), callback(theirs, name))
    assert callback(mine, "TrainingClock")["questions"] == whole.epochs * 14
    assert_same(checkpoint(run, "best")["state_dict"], checkpoint(whole.run, "best")["state_dict"])
    assert measured(run / "results.json")["epochs"] == whole.epochs
    for file in ("predictions.json", "results.json"):
        assert_same(*(measured(folder / file) for folder in (run, whole.run)))


SLOW = pytest.mark.slow(seconds=150)


def slow(*values: object, id: str | None = None) -> Any:
    return pytest.param(*values, id=id, marks=SLOW)


@pytest.mark.parametrize(
    ("whole", "number", "step"),
    [
        pytest.param("reader", signal.SIGTERM, 2, id="SIGTERM-in-the-first-epoch"),
        slow("reader", signal.SIGINT, 10, id="SIGINT-in-the-second-epoch"),
        slow("reader", signal.SIGTERM, STEPS_PER_EPOCH, id="SIGTERM-in-a-last-batch"),
        slow("reader", signal.SIGINT, 2 * STEPS_PER_EPOCH, id="SIGINT-in-the-very-last"),
        slow("scorer", signal.SIGTERM, 10, id="SIGTERM-scorer"),
        slow("practised", signal.SIGTERM, 2, id="SIGTERM-in-the-warm-up"),
        slow("practised", signal.SIGTERM, 17, id="SIGTERM-after-a-plateau"),
        slow("by_paragraph", signal.SIGTERM, 4, id="SIGTERM-by-paragraph"),
    ],
    indirect=["whole"],
)
def test_a_signal_stops_after_its_step_and_the_rest_is_the_same(
    whole: Whole, number: int, step: int
) -> None:
    run = whole.folder / f"stopped-{number}-{step}"
    stopped = fit(whole.folder, whole.config, run.name, stop=(number, step))
    assert stopped.code == 1, stopped.err
    assert stopped.err.endswith(f"\nStopped; resume with: squadqa train --resume {run.name}\n")
    assert "Traceback" not in stopped.err
    assert not (run / "results.json").exists()
    mine, theirs = checkpoint(run), checkpoint(whole.run)
    assert mine["global_step"] == step
    if step < theirs["global_step"]:  # otherwise equality below would prove nothing
        assert any(
            not mine["state_dict"][name].equal(theirs["state_dict"][name])
            for name in theirs["state_dict"]
        )
    resumed = squadqa(whole.folder, "train", "--resume", run.name)
    assert resumed.code == 0, resumed.err
    assert_ends_like(run, whole)


@pytest.mark.parametrize(
    ("whole", "step"),
    [
        slow("reader", 5),
        slow("reader", STEPS_PER_EPOCH + 1),
        ("scorer", 5),
        slow("practised", 2 * STEPS_PER_EPOCH + 1),
    ],
    indirect=["whole"],
)
def test_a_killed_run_resumes_from_the_last_checkpoint(whole: Whole, step: int) -> None:
    run = whole.folder / f"killed-{step}"
    killed = fit(whole.folder, whole.config, run.name, stop=(signal.SIGKILL, step))
    assert killed.code == -signal.SIGKILL
    assert 0 < checkpoint(run)["global_step"] < step
    resumed = squadqa(whole.folder, "train", "--resume", run.name)
    assert resumed.code == 0, resumed.err
    assert_ends_like(run, whole)


@SLOW
def test_the_practised_run_had_all_additions(practised: Whole) -> None:
    """Otherwise the tests that resume it would prove nothing."""
    last = checkpoint(practised.run)
    assert 0 < last["squadqa"]["plateau"]["share"] < 1
    weights = last["state_dict"]
    averaged = [name for name in weights if name.startswith("average.")]
    assert len(averaged) == len(weights) / 2
    changed = [name.removeprefix("average.") for name in averaged]
    assert not any(
        weights[name].equal(weights[f"average.{name}"]) for name in changed if "weight" in name
    )


@SLOW
def test_stopped_several_times(reader: Whole) -> None:
    run = reader.folder / "often"
    assert fit(reader.folder, reader.config, run.name, stop=(signal.SIGINT, 1)).code == 1
    for step in (2, STEPS_PER_EPOCH, STEPS_PER_EPOCH + 1):
        stopped = squadqa(reader.folder, "train", "--resume", run, stop=(signal.SIGTERM, step))
        assert stopped.code == 1, stopped.err
    assert squadqa(reader.folder, "train", "--resume", run).code == 0
    assert_ends_like(run, reader)


def test_a_finished_run_resumes_to_the_same_end(scorer: Whole) -> None:
    before = checkpoint(scorer.run)
    resumed = squadqa(scorer.folder, "train", "--resume", scorer.run)
    assert resumed.code == 0, resumed.err
    assert_same(checkpoint(scorer.run)["state_dict"], before["state_dict"])


LAMBDA = "pytorch_lightning.callbacks.LambdaCallback"


def test_a_callback_that_a_run_names_is_not_called(scorer: Whole) -> None:
    """Resuming somebody else's run called any callable that its config.yaml named (s04)."""
    run = scorer.folder / "planted"
    shutil.copytree(scorer.run, run)
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["trainer"]["callbacks"] = [
        {"class_path": LAMBDA, "init_args": {"setup": "builtins.print"}}
    ]
    config["trainer"]["max_epochs"] = 9
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    for trust, name, key in (
        ([], LAMBDA, "trainer.callbacks"),
        (["--trust", LAMBDA], "builtins.print", "trainer.callbacks.init_args.setup"),
    ):
        done = squadqa(scorer.folder, "train", "--resume", run.name, *trust)
        assert done.code == 2, done.err
        assert f'"planted/config.yaml" names "{name}" at {key}: nothing of it was' in done.err
        assert f"add --trust {name}" in done.err
        assert "for print()" not in done.out + done.err
    trust = ["--trust", LAMBDA, "--trust", "builtins.print"]
    done = squadqa(scorer.folder, "train", "--resume", run.name, *trust)
    assert "print()" in done.out + done.err, done.err  # it is what a trusted callback does


@SLOW
def test_a_moved_run_keeps_its_best_checkpoint_and_score(tmp_path: Path) -> None:
    """Lightning's own class forgets the score, and writes best.ckpt again after a worse epoch."""
    still = {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.0}}  # no epoch is better
    whole = train_whole(tmp_path, SCORER, optimizer=still, decay="none")
    assert checkpoint(whole.run, "best")["epoch"] == 0
    killed = fit(tmp_path, whole.config, "here", stop=(signal.SIGKILL, STEPS_PER_EPOCH + 4))
    assert killed.code == -signal.SIGKILL
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "here").rename(tmp_path / "elsewhere" / "moved")
    resumed = squadqa(tmp_path, "train", "--resume", moved)
    assert resumed.code == 0, resumed.err
    assert checkpoint(moved, "best")["epoch"] == 0
    assert_ends_like(moved, whole)
    kept, expected = (callback(checkpoint(run), "ModelCheckpoint") for run in (moved, whole.run))
    assert_same(kept, expected)
    assert kept["best_model_path"] == "best.ckpt"
