"""Reading of checkpoints: weights and plain values, nothing that could run code."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squadqa.errors import CheckpointError, shown
from squadqa.evaluation.calibration import Calibration

if TYPE_CHECKING:
    from torch import Tensor

MODEL_PREFIX, AVERAGE = "model.", "average.model."
"""Prefixes in a checkpoint of the names of weights, and of their average if one was kept."""

REFUSED = re.compile(r"GLOBAL (\S+) (?:was not an allowed|whose module)")
"""Torch's message about a checkpoint that needs more than weights and plain values."""


@dataclass(frozen=True)
class Checkpoint:
    """Weights, and facts about them.

    Args:
        path: The file.
        epoch: The epoch it was saved in, from 0.
        step: Number of optimiser steps before it.
        model_name: Class of the model that the weights belong to.
        weights: The weights by name; their average if training kept one.
        inputs_state: The state that the inputs learned from train, and the sizes of the data.
        calibration: The temperature and the threshold of "no answer" that belong to the weights.
    """

    path: Path
    epoch: int
    step: int
    model_name: str
    weights: dict[str, "Tensor"]
    inputs_state: dict[str, Any]
    calibration: Calibration = Calibration()

    def __str__(self) -> str:
        # Lightning counts epochs from 0; whoever reads this has seen a training count them from 1.
        return f"{self.path} (epoch {self.epoch + 1}, step {self.step:,})"


def read_checkpoint(path: Path) -> Checkpoint:
    """Read weights and plain values from a checkpoint, without running anything in it.

    Args:
        path: A file that training saved.

    Raises:
        CheckpointError: It cannot be read, is not a checkpoint, is older than squadqa 0.1.0, or
            could run code.
    """
    import torch

    advice = "Name a run of `squadqa train`, or put back the file that it saved."
    try:
        with warnings.catch_warnings(
            action="ignore"
        ):  # torch warns about files that are not checkpoints
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(
            f'cannot read the checkpoint "{path}": {error.strerror or error}', next_step=advice
        ) from error
    except Exception as error:  # torch raises many kinds of errors
        refused = REFUSED.search(str(error))
        if refused:
            raise CheckpointError(
                f'"{path}" asks for "{refused[1]}", which is neither weights nor a plain value',
                hint="Such a file could run any code, so it was not opened; none of its code ran.",
                next_step=advice,
            ) from error
        raise CheckpointError(
            f'"{path}" is not a checkpoint', hint="It is damaged, cut short, or something else.",
            next_step=advice,
        ) from error  # fmt: skip
    try:
        saved = content["state_dict"]
        prefix = AVERAGE if any(name.startswith(AVERAGE) for name in saved) else MODEL_PREFIX
        weights = {
            name.removeprefix(prefix): value
            for name, value in saved.items()
            if name.startswith(prefix)
        }
        strange = [name for name, value in weights.items() if not isinstance(value, torch.Tensor)]
        if strange:
            raise TypeError(f'a weight at "{strange[0]}"')
        model_name = content["squadqa"]["model"]
        if not isinstance(model_name, str):
            raise TypeError(f"the name of its model: it is {shown(model_name)}")
        checkpoint = Checkpoint(
            path=path,
            epoch=int(content["epoch"]),
            step=int(content["global_step"]),
            model_name=model_name,
            weights=weights,
            inputs_state=dict(content["SquadDataModule"]["inputs"]),
            calibration=Calibration(**content["squadqa"].get("calibration", {})),
        )
    except (AttributeError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(
            f'"{path}" is not a checkpoint of squadqa: it lacks {error}', next_step=advice
        ) from error
    _require_no_way_out(content.get("callbacks"), path)
    if "sizes" not in checkpoint.inputs_state:
        raise CheckpointError(
            f'"{path}" is from a squadqa before 0.1.0, which did not record the sizes of its data',
            next_step="Train the run again, or use it with the version that made it.",
        )
    return checkpoint


def _require_no_way_out(callbacks: Any, path: Path) -> None:
    """Refuse paths that lead out of a run: Lightning deletes the best checkpoint before the last.

    Raises:
        CheckpointError: There is one.
    """
    states = callbacks.values() if isinstance(callbacks, dict) else ()
    for state in states:
        for name, value in state.items() if isinstance(state, dict) else ():
            named = [value, *(value if isinstance(value, dict | list) else ())]
            out = [one for one in named if isinstance(one, str) and ".." in Path(one).parts]
            if out:
                raise CheckpointError(
                    f'"{path}" names a file that is not in its run, as {name}: "{out[0]}"',
                    hint="A resumed training could delete it, so the checkpoint was not used.",
                    next_step="Put back the file that training saved, or name another run.",
                )
