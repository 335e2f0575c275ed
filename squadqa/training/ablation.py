"""Ablation of feature groups: which variants there are, and the training of one of them."""

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl

from squadqa.errors import ConfigError, did_you_mean
from squadqa.evaluation.ablation import LEXICAL_PAIR
from squadqa.training.datamodule import SquadDataModule
from squadqa.training.module import QAModule


class BestWeights(pl.Callback):
    """Keeps the weights of the best evaluation in memory, as `best.ckpt` keeps them on disk."""

    def __init__(self) -> None:
        self.val_f1 = 0.0
        self._weights: dict[str, Any] = {}

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the weights if they are the best so far (called by Lightning)."""
        f1 = float(trainer.callback_metrics["val/f1"])
        if trainer.state.fn != "fit" or (self._weights and f1 <= self.val_f1):
            return
        self.val_f1 = f1
        self._weights = {name: value.clone() for name, value in pl_module.state_dict().items()}

    def restore(self, module: pl.LightningModule) -> None:
        """Give the best weights back to the module; without an evaluation, leave it as it is."""
        if self._weights:
            module.load_state_dict(self._weights)
        self._weights = {}


def plan(groups: Sequence[str], without: Sequence[str] | None = None) -> list[tuple[str, ...]]:
    """List the variants to train: the sets of groups to leave out, the empty one first.

    Args:
        groups: The configuration's feature groups.
        without: What to leave out, each a group or several joined by "+"; None takes each group
            alone, and the paper's pair.

    Raises:
        ConfigError: There is no such group, or none would be left.
    """
    if without is None:
        chosen: list[tuple[str, ...]] = [(name,) for name in groups]
        if set(LEXICAL_PAIR) < set(groups):
            chosen.append(LEXICAL_PAIR)
    else:
        chosen = [tuple(dict.fromkeys(names.split("+"))) for names in without]
    for names in chosen:
        for name in names:
            if name not in groups:
                raise ConfigError(
                    f'the configuration has no feature group "{name}" to leave out',
                    hint=did_you_mean(name, groups),
                )
        if set(names) == set(groups):
            raise ConfigError(
                f'without "{"+".join(names)}" there is no feature group left to train',
                next_step="Name fewer groups, or a configuration with more of them.",
            )
    order = {name: place for place, name in enumerate(groups)}
    chosen = [tuple(sorted(names, key=order.__getitem__)) for names in chosen]
    return list(dict.fromkeys([(), *chosen]))


def train_and_test(
    trainer: pl.Trainer, model: QAModule, *, datamodule: SquadDataModule, best: BestWeights
) -> None:
    """Train a model and score its best epoch on the test part: `model.scores` and `.predictions`.

    Args:
        trainer: Trains it; has `best` among its callbacks.
        model: The model, untrained.
        datamodule: The questions, which may have served other models.
        best: Keeps the best epoch.
    """
    trainer.fit(model, datamodule=datamodule)
    best.restore(model)
    trainer.test(model, datamodule=datamodule, verbose=False)
