"""What is found out before a training begins, so that it does not fail at its end."""

from typing import Any

import torch

from squadqa.data.inputs import Inputs
from squadqa.errors import ConfigError, did_you_mean
from squadqa.models.base import QAModel
from squadqa.training.module import QAModule

BETTER = {"val/f1": "max", "val/exact_match": "max", "val/loss": "min"}
"""Scores that early stopping can watch, and whether larger or smaller ones are better."""


def require_inputs(module: QAModule, inputs: Inputs) -> None:
    """Make sure that a model can be trained on what there is to read.

    Args:
        module: The model and how it is trained.
        inputs: Those of the data.

    Raises:
        ConfigError: They are the other family's, or have no word vectors to drop.
    """
    if not isinstance(inputs, module.inputs_type):
        raise ConfigError(
            f'"{type(module).__name__}" cannot be trained on "{type(inputs).__name__}"',
            next_step=f"Name {module.inputs_type.__name__} as data.inputs.",
        )
    if module.word_dropout and not inputs.vectors:
        raise ConfigError(
            f"model.word_dropout cannot be {module.word_dropout}: there are no word vectors to "
            "drop",
            next_step="Leave it out, or name at least one source with data.inputs.vectors.",
        )


def require_precision(kind: type[QAModel], precision: str, device: torch.device) -> None:
    """Make sure that a kind of models can be trained in a precision.

    Args:
        kind: The kind of models.
        precision: Lightning's name for the precision.
        device: Where the model is to be trained.

    Raises:
        ConfigError: It cannot: see the hint.
    """
    if precision == "32-true":
        return
    next_step = "Leave trainer.precision out, or --precision: it is 32-true."
    if not precision.endswith("-mixed"):
        raise ConfigError(
            f'trainer.precision cannot be "{precision}"',
            hint="It is 32-true; where there is a GPU, bf16-mixed or 16-mixed.",
            next_step=next_step,
        )
    if device.type == "cpu" and not kind.mixes_on_cpu:
        raise ConfigError(
            f'trainer.precision cannot be "{precision}" on a CPU',
            hint="Only some CPUs can run an LSTM in half precision; every GPU can.",
            next_step=next_step,
        )


def require_practice(config: Any) -> None:
    """Make sure that a training can be clipped and stopped, and its rate cut, as it is told.

    Args:
        config: The whole configuration of a training.

    Raises:
        ConfigError: It cannot.
    """
    practice, stopping = config.model.init_args, config.early_stopping
    clip = config.trainer.gradient_clip_val
    if clip is not None and clip < 0:
        raise ConfigError(
            f"trainer.gradient_clip_val cannot be {clip}",
            hint="It is the largest norm of all gradients, such as 5; 0 leaves them as they are.",
        )
    mode = BETTER.get(stopping.monitor)
    if mode is None:
        raise ConfigError(
            f'early_stopping.monitor cannot be "{stopping.monitor}"',
            hint=did_you_mean(stopping.monitor, BETTER),
        )
    if stopping.mode != mode:
        raise ConfigError(
            f'early_stopping.mode cannot be "{stopping.mode}" with "{stopping.monitor}"',
            next_step=f"Set early_stopping.mode to {mode}.",
        )
    is_futile = practice.get("decay") == "plateau" and (
        practice.plateau_patience >= stopping.patience
        and stopping.monitor == f"val/{practice.plateau_score}"
    )
    if is_futile:
        raise ConfigError(
            f"training would stop before its learning rate falls: early_stopping.patience is "
            f"{stopping.patience}, model.plateau_patience {practice.plateau_patience}",
            hint="Both count evaluations in a row without a better score.",
            next_step="Give early stopping more patience than the plateau.",
        )


def require_end(config: Any) -> None:
    """Make sure that a rate that falls over the whole training has an end to fall to.

    Args:
        config: The whole configuration of a training.

    Raises:
        ConfigError: The training is endless.
    """
    trainer, decay = config.trainer, config.model.init_args.get("decay")
    is_endless = trainer.max_epochs == trainer.max_steps == -1 and config.budget_minutes is None
    if decay in ("linear", "cosine") and is_endless:
        raise ConfigError(
            f'model.decay cannot be "{decay}": the training has no end',
            next_step="Give trainer.max_epochs, trainer.max_steps or budget_minutes, or choose "
            "decay: plateau or none.",
        )
