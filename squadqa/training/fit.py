"""A training from its first step to the score of its best weights."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.plugins import CheckpointIO
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from squadqa.errors import ConfigError
from squadqa.training.checkpoints import Keeper, WholeCheckpoints
from squadqa.training.checks import require_inputs, require_precision
from squadqa.training.clock import TrainingClock
from squadqa.training.datamodule import SquadDataModule
from squadqa.training.evaluation import Evaluation
from squadqa.training.module import QAModule
from squadqa.training.restoring import restoring


def make_trainer(
    options: Mapping[str, Any],
    *,
    callbacks: Iterable[pl.Callback] = (),
    loggers: Iterable[Logger] = (),
    **more: Any,
) -> pl.Trainer:
    """Make a trainer that prints nothing.

    Args:
        options: Options of `pytorch_lightning.Trainer`, as in a configuration's section `trainer`.
        callbacks: Callbacks to add after those of the options.
        loggers: Loggers of the scores.
        **more: Options that replace those in `options`.

    Raises:
        ConfigError: Lightning refuses an option.
    """
    named, plugins = (_listed(options.get(name)) for name in ("callbacks", "plugins"))
    if not any(isinstance(plugin, CheckpointIO) for plugin in plugins):
        plugins.append(WholeCheckpoints())
    try:
        return pl.Trainer(
            **{
                **options,
                "enable_progress_bar": False,
                "enable_model_summary": False,
                **more,
                "callbacks": [*named, *callbacks],
                "plugins": plugins,
                "logger": list(loggers) or False,
            }
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise ConfigError(
            f"the trainer cannot be made with these options: {error}",
            next_step="Change the section `trainer`, or the options --device and --precision.",
        ) from error


def _listed(value: Any) -> list[Any]:
    """Return the values of an option that takes one or several."""
    if value is None:
        return []
    return [*value] if isinstance(value, (list, tuple)) else [value]


def fit(
    module: QAModule,
    data: SquadDataModule,
    trainer: pl.Trainer,
    *,
    seed: int,
    clock: TrainingClock,
    keeper: Keeper,
    resume_from: Path | None = None,
) -> Evaluation:
    """Train a model, and score its best weights on the test questions.

    Args:
        module: The model and how it is trained.
        data: The questions; another training may have used them already.
        trainer: The trainer; `clock` and the callbacks of `keeper` are among its callbacks.
        seed: Seed of the order of training questions.
        clock: Counts the training's time, which the learning rate may depend on.
        keeper: Keeps the best weights.
        resume_from: A checkpoint to resume from.

    Returns:
        The scores and answers of the test questions.

    Raises:
        SquadQAError: Model, data and trainer do not fit each other, or the data cannot be used.
        TrainingStopped: A signal stopped the training.
    """
    require_inputs(module, data.inputs)
    require_precision(module, trainer.precision, trainer.strategy.root_device)
    module.clock = clock
    data.seed = seed
    checkpoint = None if resume_from is None else str(resume_from)
    with restoring(resume_from, trainer):
        trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    taken = clock.state_dict()
    best = keeper.restore(module, trainer)
    trainer.test(
        module,
        datamodule=data,
        ckpt_path=None if best is None else str(best),
        weights_only=True,
        verbose=False,
    )
    clock.load_state_dict(taken)  # testing a checkpoint sets the clock to the checkpoint's time
    return module.evaluation
