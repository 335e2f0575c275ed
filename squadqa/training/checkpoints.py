"""Checkpoints of a training: the last one, to resume from, and the best one, to score and use."""

import io
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning.callbacks import Checkpoint, ModelCheckpoint

from squadqa.errors import CheckpointError
from squadqa.files import write_atomic
from squadqa.run_files import BEST, LAST
from squadqa.training.logs import WholeLogs


class TrainingStopped(BaseException):
    """A signal stopped a training, after the step was finished and a checkpoint was saved.

    Args:
        checkpoint: The checkpoint to resume from.
    """

    def __init__(self, checkpoint: Path) -> None:
        super().__init__(f"stopped; checkpoint {checkpoint}")
        self.checkpoint = checkpoint


class WholeCheckpoints(TorchCheckpointIO):
    """Saves a checkpoint beside its final place and renames it, so that it is never half a file.

    Lightning's own class writes to the system's folder of temporary files, which may be on another
    disk, and copies from there.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Save a checkpoint (called by Lightning).

        Args:
            checkpoint: Its content.
            path: The file to write.
            storage_options: Nothing, as there are no such options.

        Raises:
            OutputError: The file cannot be written, or the disk is full.
        """
        assert storage_options is None
        content = io.BytesIO()  # torch would turn the system's errors into others
        torch.save(checkpoint, content)
        with write_atomic(path, mode="wb") as file:
            file.write(content.getbuffer())


class BestCheckpoint(ModelCheckpoint):
    """Keeps `best.ckpt` and its score, also when the run folder is moved or copied.

    Its state names checkpoints by their names in the folder. Lightning's own class keeps absolute
    paths, and forgets the best score where they differ.

    Args:
        folder: Folder of checkpoints.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder,
            filename=Path(BEST).stem,
            monitor="val/f1",
            mode="max",
            enable_version_counter=False,
        )

    @property
    def state_key(self) -> str:
        """The key of the state in checkpoints, which is that of Lightning's own class."""
        return super().state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__, 1)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, without the folder's place (called by Lightning)."""
        return _renamed(super().state_dict(), lambda path: Path(path).name) | {"dirpath": ""}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state for this folder (called by Lightning).

        The best score is forgotten if `best.ckpt` is not there any more.
        """
        folder = Path(str(self.dirpath))
        if not (folder / BEST).is_file():
            return
        here = _renamed(state_dict, lambda path: str(folder / Path(path).name))
        super().load_state_dict(here | {"dirpath": self.dirpath})
        self.current_score = here.get("current_score")  # Lightning's own class leaves it out


_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")


def _renamed(state: dict[str, Any], rename: Callable[[str], str]) -> dict[str, Any]:
    """Return the state of a `ModelCheckpoint` with other paths; an empty path stays empty."""
    best = {rename(path): score for path, score in state["best_k_models"].items()}
    paths = {name: rename(state[name]) if state[name] else "" for name in _PATHS}
    return {**state, **paths, "best_k_models": best}


class LastCheckpoint(Checkpoint):
    """Keeps `last.ckpt` up to date, also when a signal stops training.

    It is a Lightning `Checkpoint`, since those are called after all other callbacks. So the state
    of other callbacks after a batch or an epoch is saved too.

    After Ctrl+C (SIGINT) or SIGTERM the step is finished, the checkpoint saved, and
    `TrainingStopped` raised; a second signal stops at once. A kill -9 loses at most `every_n_steps`
    steps and an evaluation.

    Nothing is saved between an epoch's last step and its evaluation, since Lightning would skip the
    evaluation when it resumes from there. A signal in between takes effect after the evaluation.

    Args:
        folder: Folder of checkpoints.
        every_n_steps: Optimiser steps between two saves.
    """

    def __init__(self, folder: Path, *, every_n_steps: int = 500) -> None:
        self.path = folder / LAST
        self.every_n_steps = every_n_steps
        self._signal: int | None = None
        self._handlers: dict[int, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen to signals (called by Lightning)."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._handle)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Stop listening (called by Lightning)."""
        self._restore()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Stop listening (called by Lightning)."""
        self._restore()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Save if it is due, or if a signal came (called by Lightning)."""
        if not trainer.is_last_batch:
            self._save(trainer, is_due=trainer.global_step % self.every_n_steps == 0)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save at the end of every epoch (called by Lightning)."""
        self._save(trainer, is_due=True)

    def _save(self, trainer: pl.Trainer, *, is_due: bool) -> None:
        stop = bool(self._signal)
        if trainer.world_size > 1:  # a signal may have reached only one process
            stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
        if stop or is_due:
            for logger in trainer.loggers:  # a resumed run logs only what comes after
                if isinstance(logger, WholeLogs):
                    logger.flush()
            trainer.save_checkpoint(self.path)
        if stop:
            raise TrainingStopped(self.path)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._signal:
            self._restore()
            raise KeyboardInterrupt
        self._signal = number

    def _restore(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}


class Keeper(Protocol):
    """Keeps a training's best weights, which are scored at its end."""

    def restore(self, module: pl.LightningModule, trainer: pl.Trainer) -> Path | None:
        """Restore the best weights: load them, or return the checkpoint that contains them."""


class CheckpointFolder:
    """Keeps `best.ckpt` and `last.ckpt` in a folder.

    Args:
        folder: Folder of checkpoints.
        every_n_steps: Optimiser steps between two saves of `last.ckpt`.
    """

    def __init__(self, folder: Path, *, every_n_steps: int = 500) -> None:
        self.folder = folder
        best = BestCheckpoint(folder)
        self.callbacks = [best, LastCheckpoint(folder, every_n_steps=every_n_steps)]

    def restore(self, module: pl.LightningModule, trainer: pl.Trainer) -> Path:
        """Return the best checkpoint, or the last one if there was no evaluation.

        Processes that a scheduler started may each have their own folder; the first process's is
        used.
        """
        folder = Path(trainer.strategy.broadcast(str(self.folder)))
        best = folder / BEST
        return best if best.is_file() else folder / LAST


class BestWeights(pl.Callback):
    """Keeps the weights of the best evaluation in memory, as `best.ckpt` keeps them on disk."""

    def __init__(self) -> None:
        self.val_f1 = 0.0
        self._weights: dict[str, Any] = {}
        self._calibration: Any = None

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the weights if they are the best so far (called by Lightning)."""
        f1 = float(trainer.callback_metrics["val/f1"])
        if trainer.state.fn != "fit" or (self._weights and f1 <= self.val_f1):
            return
        self.val_f1 = f1
        self._weights = {name: value.clone() for name, value in pl_module.state_dict().items()}
        self._calibration = pl_module.calibration

    def restore(self, module: pl.LightningModule, trainer: pl.Trainer) -> None:
        """Load the best weights; without an evaluation, leave the module as it is."""
        if self._weights:
            module.load_state_dict(self._weights)
            module.calibration = self._calibration
        self._weights = {}


def require_model(saved: str | None, described: str) -> None:
    """Check that a checkpoint belongs to the model that a configuration describes.

    Args:
        saved: The class of the model in the checkpoint, if the checkpoint says so.
        described: The class that the configuration names.

    Raises:
        CheckpointError: They differ.
    """
    if saved != described:
        raise CheckpointError(
            f'the checkpoint holds the weights of "{saved}", not of "{described}"',
            next_step="Name a checkpoint of this model, or the configuration it belongs to.",
        )
