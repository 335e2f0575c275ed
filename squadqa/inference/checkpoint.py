"""Read a checkpoint: weights and plain values, nothing that could run code."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squadqa.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

MODEL, AVERAGE = "model.", "average.model."
"""What a checkpoint puts before the names of weights, and of their average, where one was kept."""

REFUSED = re.compile(r"GLOBAL (\S+) was not an allowed")
"""What torch says of a checkpoint that asks for anything but weights and plain values."""


@dataclass(frozen=True)
class Checkpoint:
    """Weights, and what is known of them.

    Args:
        path: The file.
        epoch: The epoch it was saved in, from 0.
        step: Optimiser steps before it.
        model_name: Class of the model that the weights belong to.
        weights: The weights by name; the average of them where training kept one.
        inputs_state: What the inputs learned from train, and the sizes of the data.
    """

    path: Path
    epoch: int
    step: int
    model_name: str
    weights: dict[str, "Tensor"]
    inputs_state: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.path} (epoch {self.epoch}, step {self.step:,})"


def read_checkpoint(path: Path) -> Checkpoint:
    """Read weights and plain values from a checkpoint; nothing in it is run.

    Args:
        path: A file that training saved.

    Raises:
        CheckpointError: It cannot be read, is none, is older than squadqa 0.1.0, or asks to run
            code.
    """
    import torch

    advice = "Name a run of `squadqa train`, or put back the file that it saved."
    try:
        with warnings.catch_warnings(action="ignore"):  # of what no checkpoint looks like
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(
            f'cannot read the checkpoint "{path}": {error.strerror or error}', next_step=advice
        ) from error
    except Exception as error:  # torch raises many kinds for what is no checkpoint
        refused = REFUSED.search(str(error))
        if refused:
            raise CheckpointError(
                f'"{path}" asks for "{refused[1]}", which is neither weights nor a plain value',
                hint="Such a file could run any code, so it was not opened; nothing of it ran.",
                next_step=advice,
            ) from error
        raise CheckpointError(
            f'"{path}" is no checkpoint', hint="It is damaged, cut short, or something else.",
            next_step=advice,
        ) from error  # fmt: skip
    try:
        saved = content["state_dict"]
        prefix = AVERAGE if any(name.startswith(AVERAGE) for name in saved) else MODEL
        weights = {
            name.removeprefix(prefix): value
            for name, value in saved.items()
            if name.startswith(prefix)
        }
        checkpoint = Checkpoint(
            path=path,
            epoch=int(content["epoch"]),
            step=int(content["global_step"]),
            model_name=str(content["squadqa"]["model"]),
            weights=weights,
            inputs_state=dict(content["SquadDataModule"]["inputs"]),
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f'"{path}" is no checkpoint of squadqa: it misses {error}', next_step=advice
        ) from error
    if "sizes" not in checkpoint.inputs_state:
        raise CheckpointError(
            f'"{path}" is of a squadqa before 0.1.0, which did not write down the sizes of its '
            "data",
            next_step="Train the run again, or use it with the version that made it.",
        )
    return checkpoint
