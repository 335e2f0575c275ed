"""Checks before a training begins, so that it does not fail at its end."""

from typing import Any

import torch

from squadqa.data.inputs import Inputs
from squadqa.errors import ConfigError, did_you_mean, require_range
from squadqa.nn.kernels.available import has_fast_bfloat16
from squadqa.training.module import QAModule

BETTER = {"val/f1": "max", "val/exact_match": "max", "val/loss": "min"}
"""Scores that early stopping can watch, and whether larger or smaller values are better."""


def require_inputs(module: QAModule, inputs: Inputs) -> None:
    """Check that a model can be trained on the data's inputs.

    Args:
        module: The model and how it is trained.
        inputs: The inputs of the data.

    Raises:
        ConfigError: The inputs are for the other family, or have no word vectors to drop.
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


def require_precision(module: QAModule, precision: str, device: torch.device) -> None:
    """Check that a model can be trained in a precision.

    Args:
        module: The model and how it is trained.
        precision: Lightning's name for the precision.
        device: The device of the training.

    Raises:
        ConfigError: It cannot; the hint says why.
    """
    if precision == "32-true":
        return
    next_step = "Leave out trainer.precision, or --precision: the default is 32-true."
    if not precision.endswith("-mixed"):
        raise ConfigError(
            f'trainer.precision cannot be "{precision}"',
            hint="It is 32-true, bf16-mixed or, on a GPU, 16-mixed.",
            next_step=next_step,
        )
    if device.type != "cpu":
        return
    if not has_fast_bfloat16(device):
        raise ConfigError(
            f'trainer.precision cannot be "{precision}" on this CPU',
            hint="It has no instructions for bfloat16: training would be slower than in float32.",
            next_step=next_step,
        )
    model = module.outline()
    if model is not None and not model.mixes_on_cpu:
        raise ConfigError(
            f'trainer.precision cannot be "{precision}" on a CPU for this "{type(model).__name__}"',
            hint="It has torch's LSTM, which only some CPUs run in half precision, and no faster.",
            next_step=f"{next_step} Many readers have other cells too: --model.reader.cell sru.",
        )


def require_practice(config: Any) -> None:
    """Check the options of clipping, early stopping and cuts of the learning rate.

    Args:
        config: The whole configuration of a training.

    Raises:
        ConfigError: An option is out of its range, or two do not fit each other.
    """
    practice, stopping = config.model.init_args, config.early_stopping
    clip = config.trainer.gradient_clip_val
    if clip is not None and clip < 0:
        raise ConfigError(
            f"trainer.gradient_clip_val cannot be {clip}",
            hint="It is the largest norm of all gradients, such as 5; 0 clips nothing.",
        )
    require_range(1, **{"early_stopping.patience": stopping.patience})
    require_range(0, **{"early_stopping.min_delta": stopping.min_delta})
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
    """Check that a training has an end if its learning rate falls until then.

    Args:
        config: The whole configuration of a training.

    Raises:
        ConfigError: The training has no end.
    """
    trainer, decay = config.trainer, config.model.init_args.get("decay")
    is_endless = trainer.max_epochs == trainer.max_steps == -1 and config.budget_minutes is None
    if decay in ("linear", "cosine") and is_endless:
        raise ConfigError(
            f'model.decay cannot be "{decay}": the training has no end',
            next_step="Set trainer.max_epochs, trainer.max_steps or budget_minutes, or choose "
            "decay: plateau or none.",
        )
