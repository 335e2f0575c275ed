"""Saving of the last checkpoint, reaction to signals, and choice of the best weights.

Whole runs: test_resume.py.
"""

import errno
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from squadqa.errors import OutputError
from squadqa.training.checkpoints import (
    BestCheckpoint,
    BestWeights,
    CheckpointFolder,
    LastCheckpoint,
    TrainingStopped,
    WholeCheckpoints,
)
from squadqa.training.fit import make_trainer
from tests.support.small_training import Questions, span_module, trainer
from tests.support.trainers import Trainer


@pytest.fixture
def last(tmp_path: Path) -> Iterator[LastCheckpoint]:
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    handlers = {number: signal.signal(number, handler) for number, handler in usual.items()}
    made = LastCheckpoint(tmp_path, every_n_steps=3)
    made.on_train_start(None, None)  # type: ignore[arg-type]
    yield made
    made.teardown(None, None, "fit")  # type: ignore[arg-type]
    for number, handler in handlers.items():  # of an earlier test in this process
        signal.signal(number, handler)


def batches(last: LastCheckpoint, trainer: Trainer, *steps: int) -> None:
    for step in steps:
        trainer.global_step = step
        last.on_train_batch_end(trainer, None)  # type: ignore[arg-type]


def test_saves_every_n_steps_and_after_each_epoch(last: LastCheckpoint) -> None:
    trainer = Trainer()
    batches(last, trainer, *range(1, 9))
    trainer.is_last_batch = True
    batches(last, trainer, 9)
    assert trainer.saved == [3, 6]
    last.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
    assert trainer.saved == [3, 6, 9]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_step(last: LastCheckpoint, number: int) -> None:
    trainer = Trainer()
    os.kill(os.getpid(), number)
    with pytest.raises(TrainingStopped) as stopped:
        batches(last, trainer, 4)
    assert stopped.value.checkpoint == last.path
    assert trainer.saved == [4]


def test_a_signal_in_an_epochs_last_batch_waits_for_the_evaluation(last: LastCheckpoint) -> None:
    trainer = Trainer(is_last_batch=True)
    os.kill(os.getpid(), signal.SIGTERM)
    batches(last, trainer, 6)
    assert trainer.saved == []
    with pytest.raises(TrainingStopped):
        last.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
    assert trainer.saved == [6]


def test_a_second_signal_stops_at_once(last: LastCheckpoint) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_to_another_process_stops_this_one(last: LastCheckpoint) -> None:
    asked = []

    def reduce(decision: bool, *, all: bool) -> bool:
        asked.append((decision, all))
        return True

    strategy = SimpleNamespace(reduce_boolean_decision=reduce)
    with pytest.raises(TrainingStopped):
        batches(last, Trainer(world_size=2, strategy=strategy), 1)
    assert asked == [(False, False)]


@pytest.mark.parametrize("end", ["teardown", "on_exception"])
def test_signal_handlers_are_restored(last: LastCheckpoint, end: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert before == last._handle
    getattr(last, end)(None, None, None)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


class Scored(pl.Callback):
    """Gives every evaluation a chosen F1."""

    def __init__(self, f1: list[float]) -> None:
        self.f1 = iter(f1)

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        pl_module.log_dict({"val/f1": next(self.f1)})


@pytest.mark.parametrize(
    ("f1", "chosen"), [([1.0, 3.0, 2.0], 1), ([2.0, 2.0, 1.0], 0), ([0.0, 0.0, 0.5], 2)]
)
def test_the_weights_of_best_ckpt_are_kept(tmp_path: Path, f1: list[float], chosen: int) -> None:
    """They equal those that a `ModelCheckpoint` keeps in the same training."""
    module = span_module()
    module._evaluate = lambda stage: module._gathered() and None  # type: ignore[method-assign]
    best = BestWeights()
    checkpoint = ModelCheckpoint(tmp_path, filename="best", monitor="val/f1", mode="max")
    run = trainer(
        tmp_path, max_epochs=3, enable_checkpointing=True, callbacks=[Scored(f1), best, checkpoint]
    )
    run.fit(module, datamodule=Questions())
    saved = torch.load(tmp_path / "best.ckpt", weights_only=True)
    assert saved["epoch"] == chosen
    assert best.val_f1 == max(f1)
    last = {name: value.clone() for name, value in module.state_dict().items()}
    best.restore(module, run)
    for name, value in module.state_dict().items():
        assert torch.equal(value, saved["state_dict"][name])
    is_last = all(torch.equal(value, last[name]) for name, value in module.state_dict().items())
    assert is_last == (chosen == 2)


def test_a_folder_returns_the_best_checkpoint_or_the_last(tmp_path: Path) -> None:
    keeper, run = CheckpointFolder(tmp_path), Trainer()
    assert keeper.restore(None, run) == tmp_path / "last.ckpt"  # type: ignore[arg-type]
    (tmp_path / "best.ckpt").touch()
    assert keeper.restore(None, run) == tmp_path / "best.ckpt"  # type: ignore[arg-type]


def save(path: Path, value: float) -> None:
    WholeCheckpoints().save_checkpoint({"weight": torch.full((1000,), value)}, path)


def test_a_save_that_is_killed_leaves_the_old_checkpoint_and_the_next_one_tidies_up(
    tmp_path: Path,
) -> None:
    path = tmp_path / "last.ckpt"
    save(path, 1.0)
    process = os.fork()
    if process == 0:
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        save(path, 2.0)
        os._exit(0)
    assert os.waitpid(process, 0)[1] == signal.SIGKILL
    assert torch.load(path, weights_only=True)["weight"][0] == 1.0
    assert len(os.listdir(tmp_path)) == 2
    save(path, 3.0)
    assert torch.load(path, weights_only=True)["weight"][0] == 3.0
    assert os.listdir(tmp_path) == ["last.ckpt"]


def test_a_save_needs_no_other_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lightning's own class writes to the system's temporary folder first."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    save(tmp_path / "last.ckpt", 1.0)
    assert os.listdir(tmp_path) == ["last.ckpt"]


def test_a_full_disk_names_the_checkpoint_and_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    save(path, 1.0)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as told:
        save(path, 2.0)
    assert told.value.what == f'cannot write "{path}": No space left on device'
    assert torch.load(path, weights_only=True)["weight"][0] == 1.0
    assert os.listdir(tmp_path) == ["last.ckpt"]


def test_every_trainer_saves_whole_checkpoints(tmp_path: Path) -> None:
    trainer = make_trainer({"accelerator": "cpu"}, default_root_dir=str(tmp_path))
    assert isinstance(trainer.strategy.checkpoint_io, WholeCheckpoints)


def best_checkpoint(folder: Path, score: float | None = None) -> BestCheckpoint:
    """The callback, after an evaluation if there is a score."""
    callback = BestCheckpoint(folder)
    if score is not None:
        path = str(folder / "best.ckpt")
        callback.best_k_models = {path: torch.tensor(score)}
        callback.best_model_path = callback.kth_best_model_path = path
        callback.best_model_score = callback.kth_value = torch.tensor(score)
    return callback


def test_the_best_score_moves_with_its_folder(tmp_path: Path) -> None:
    state = best_checkpoint(tmp_path / "old", 70.0).state_dict()
    assert str(tmp_path) not in str(state)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "best.ckpt").touch()
    moved = best_checkpoint(tmp_path / "new")
    moved.load_state_dict(state)
    path = str(tmp_path / "new" / "best.ckpt")
    assert moved.best_model_path == moved.kth_best_model_path == path
    assert moved.best_k_models == {path: 70.0}
    assert moved.best_model_score == moved.kth_value == 70.0


def test_runs_of_before_with_absolute_paths_move_too(tmp_path: Path) -> None:
    old = best_checkpoint(tmp_path / "old", 70.0)
    state = {**ModelCheckpoint.state_dict(old), "dirpath": str(tmp_path / "old")}
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "best.ckpt").touch()
    moved = best_checkpoint(tmp_path / "new")
    assert moved.state_key.startswith("ModelCheckpoint{")
    moved.load_state_dict(state)
    assert moved.best_model_path == str(tmp_path / "new" / "best.ckpt")


def test_without_the_best_checkpoint_its_score_is_forgotten(tmp_path: Path) -> None:
    state = best_checkpoint(tmp_path / "old", 70.0).state_dict()
    moved = best_checkpoint(tmp_path / "new")
    moved.load_state_dict(state)
    assert moved.best_model_score is None
