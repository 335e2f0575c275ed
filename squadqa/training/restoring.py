"""What a training resumes besides its weights: a checkpoint that lacks it is refused by name.

Lightning restores the progress, the callbacks and the optimiser without looking at them.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from squadqa.errors import CheckpointError, SquadQAError, shown
from squadqa.training import random_states

PARTS = {"loops": dict, "callbacks": dict, "optimizer_states": list, "lr_schedulers": list}
"""Parts of a checkpoint that Lightning restores, and their types."""

RESTORING = ("pytorch_lightning.trainer.connectors.checkpoint_connector", random_states.__name__)
"""Modules that restore."""


@contextmanager
def restoring(path: Path | None, trainer: pl.Trainer) -> Iterator[None]:
    """Let a training resume from a checkpoint.

    Args:
        path: The checkpoint; None if the training is new.
        trainer: The trainer, which has not begun.

    Raises:
        CheckpointError: What the training would go on from is missing or of another form.
    """
    if path is None:
        yield
        return
    _require_parts(path, trainer)
    try:
        yield
    except (SquadQAError, OSError):
        raise
    except Exception as error:  # Lightning and torch raise many kinds of errors
        frames = traceback.walk_tb(error.__traceback__)
        if not any(frame.f_globals.get("__name__") in RESTORING for frame, _ in frames):
            raise  # it happened in the training itself
        raise _not_resumable(path, f"{type(error).__name__}: {shown(str(error), 300)}") from error


def _require_parts(path: Path, trainer: pl.Trainer) -> None:
    content: Any = torch.load(path, map_location="cpu", weights_only=True)
    for name, kind in PARTS.items():
        if not isinstance(content.get(name), kind):
            raise _not_resumable(path, f"it lacks {name}")
    if not content["optimizer_states"]:
        raise _not_resumable(path, "it lacks the optimiser's state")
    own = {"loops": {"fit_loop": trainer.fit_loop.state_dict()}}
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set elsewhere
    own["callbacks"] = {one.state_key: one.state_dict() for one in callbacks}
    for name, part in own.items():
        _require_form(content[name], part, path, name)
    for key, state in own["callbacks"].items():
        # Lightning puts a callback's options into its key in braces: these may have changed.
        if state and "{" not in key and key not in content["callbacks"]:
            raise _not_resumable(path, f"it lacks the state of {key}")


def _require_form(saved: Any, own: Any, path: Path, where: str) -> None:
    """Compare saved values with those of a new training; what is open there may be anything.

    Raises:
        CheckpointError: One has another type.
    """
    if isinstance(own, dict):
        fits = isinstance(saved, dict)
        for key in own.keys() & saved.keys() if fits else ():
            _require_form(saved[key], own[key], path, f"{where}.{key}")
    elif isinstance(own, bool | str):
        fits = type(saved) is type(own)
    elif isinstance(own, int):
        fits = type(saved) is int and saved >= 0
    elif isinstance(own, float | Tensor):
        fits = isinstance(saved, int | float | Tensor) and not isinstance(saved, bool)
    else:
        fits = own is None or isinstance(saved, list | tuple)
    if not fits:
        raise _not_resumable(path, f"it has {shown(saved)} at {where}")


def _not_resumable(path: Path, problem: str) -> CheckpointError:
    return CheckpointError(
        f'no training can be resumed from "{path}": {problem}',
        hint="It was changed or damaged, or another version of Lightning saved it.",
        next_step="Put back the file that training saved, or train a new run from its weights with "
        "--warm-start.",
    )
