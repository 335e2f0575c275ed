"""A training from its first step to the score of its best weights."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from squadqa.training.checkpoints import BestWeights, CheckpointFolder
from squadqa.training.clock import TrainingClock
from squadqa.training.fit import fit
from tests.support.small_training import Questions, span_module, trainer


def test_scores_the_test_part_with_the_best_weights(tmp_path: Path) -> None:
    clock, best = TrainingClock(), BestWeights()
    run = trainer(tmp_path, callbacks=[clock, best])
    evaluation = fit(span_module(), Questions(), run, seed=1, clock=clock, keeper=best)  # type: ignore[arg-type]
    # Validation and test are the same questions here.
    assert evaluation.scores["f1"] == pytest.approx(best.val_f1, rel=1e-6)
    assert len(evaluation.predictions) == 8


def test_without_an_evaluation_the_last_weights_are_kept(tmp_path: Path) -> None:
    clock, best = TrainingClock(), BestWeights()
    run = trainer(tmp_path, limit_val_batches=0, callbacks=[clock, best])
    evaluation = fit(span_module(), Questions(), run, seed=1, clock=clock, keeper=best)  # type: ignore[arg-type]
    assert len(evaluation.predictions) == 8


def test_a_folder_of_checkpoints_gives_the_same_scores_as_memory(tmp_path: Path) -> None:
    evaluations = []
    for keeper in (BestWeights(), CheckpointFolder(tmp_path / "checkpoints")):
        clock = TrainingClock()
        own = [keeper] if isinstance(keeper, BestWeights) else keeper.callbacks
        run = trainer(tmp_path, callbacks=[clock, *own], enable_checkpointing=True)
        module = span_module()
        evaluations.append(fit(module, Questions(), run, seed=1, clock=clock, keeper=keeper))  # type: ignore[arg-type]
        assert clock.questions == 2 * 8, "the time of the whole training, not of a checkpoint"
        assert module.clock is clock
    assert evaluations[0] == evaluations[1]


class Rates(pl.Callback):
    """Records the learning rate of every step."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        self.seen.append(trainer.optimizers[0].param_groups[0]["lr"])


def test_the_clock_and_the_seed_are_handed_over(tmp_path: Path) -> None:
    """The learning rate depends on the clock, and the order of questions on the seed."""
    clock, best, rates, questions = (
        TrainingClock(budget_minutes=1e9), BestWeights(), Rates(), Questions()
    )  # fmt: skip
    clock.seconds = 30e9  # half of the budget
    module = span_module(decay="linear")
    run = trainer(tmp_path, callbacks=[clock, best, rates], max_epochs=20)
    fit(module, questions, run, seed=7, clock=clock, keeper=best)  # type: ignore[arg-type]
    assert questions.seed == 7  # type: ignore[attr-defined]
    assert rates.seen[0] == pytest.approx(2e-3 * (0.01 + 0.99 * 0.5))
