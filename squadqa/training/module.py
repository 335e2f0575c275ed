"""Training and evaluation of one model with Lightning: steps, optimiser, schedule, scores.

One file, as it is one class: Lightning calls all hooks of a training on its module.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, ClassVar, Literal, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor

from squadqa.batch import Sizes
from squadqa.data.inputs import Inputs
from squadqa.errors import CheckpointError, ConfigError, SquadQAError, require_range
from squadqa.evaluation.calibration import TEMPERATURES, Calibration
from squadqa.models.base import QAModel
from squadqa.training.averaging import WeightAverage
from squadqa.training.checkpoints import require_model
from squadqa.training.clock import TrainingClock
from squadqa.training.evaluation import Evaluation, TrainingData
from squadqa.training.metrics import PredictionGatherer, Predictions
from squadqa.training.optimizers import asked_for_fused, fit_to_device
from squadqa.training.parts import in_order, parts, recomputed
from squadqa.training.schedule import Decay, Plateau, learning_rate_factor
from squadqa.training.scores import answers_of, calibration_of, evaluated
from squadqa.training.word_dropout import drop_words

MANY_WORDS = 2**31
"""More words than a model tunes."""

ValScore = Literal["f1", "exact_match", "loss"]
"""Names of the scores of an evaluation."""


class QAModule(pl.LightningModule):
    """Trains and evaluates one model on questions.

    Args:
        make_model: Makes the model from the sizes of the data.
        optimizer: Makes the optimiser from parameters.
        decay: How the learning rate falls: "linear" or "cosine" over the training, to 1 % at its
            last step or at the end of its time, whichever is first; "plateau", cut whenever the
            val score stalls; or "none".
        warmup_steps: Optimiser steps during which the learning rate rises from zero, before any
            decay.
        plateau_factor: With "plateau", a cut multiplies the learning rate by this.
        plateau_patience: With "plateau", number of evaluations in a row without a better score
            before a cut.
        plateau_score: With "plateau", the watched score of an evaluation.
        ema_decay: Keep and evaluate an exponential moving average of the weights with this decay,
            such as 0.999; None evaluates the weights themselves.
        word_dropout: Share of a batch's word forms whose vectors are zeroed in training, 0 to 1;
            their characters stay.

    Raises:
        ConfigError: A value is out of its range.
    """

    inputs_type: ClassVar[type[Inputs]]
    """The inputs that the family's models need."""

    model_type: ClassVar[type[QAModel]]
    """The kind of model that this class trains."""

    def __init__(
        self,
        make_model: Callable[[Sizes], QAModel],
        *,
        optimizer: OptimizerCallable,
        decay: Decay,
        warmup_steps: int = 0,
        plateau_factor: float = 0.1,
        plateau_patience: int = 1,
        plateau_score: ValScore = "f1",
        ema_decay: float | None = None,
        word_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= word_dropout < 1:
            raise ConfigError(
                f"model.word_dropout cannot be {word_dropout}", hint="It is 0 or more and below 1."
            )
        require_range(0, **{"model.warmup_steps": warmup_steps})
        self.make_model = make_model
        self.make_optimizer = optimizer
        self.decay = decay
        self.warmup_steps = warmup_steps
        self.plateau = Plateau(factor=plateau_factor, patience=plateau_patience)
        self.plateau_score = plateau_score
        self.ema_decay = ema_decay
        self.word_dropout = word_dropout
        self.model: QAModel | None = None
        self.average: WeightAverage | None = None
        self.gatherer = PredictionGatherer()
        self.clock: TrainingClock | None = None
        self.evaluation = Evaluation()
        self.calibration = Calibration()
        self._asked_for_fused: list[bool] = []

    @property
    def data(self) -> TrainingData:
        """The questions that the trainer uses."""
        return cast(TrainingData, self.trainer.datamodule)  # type: ignore[attr-defined]

    @property
    def active(self) -> QAModel:
        """The model; in evaluation the average of its weights, if one is kept."""
        assert self.model is not None
        if self.average is None or self.training:
            return self.model
        return cast(QAModel, self.average.model)

    def outline(self) -> QAModel | None:
        """Make the model without memory for its weights, for data of some size.

        Returns:
            The model; None if it cannot be made so.
        """
        try:
            with torch.device("meta"):
                return self.make_model(Sizes(vector_size=1, tuned_words=MANY_WORDS, num_buckets=1))
        except Exception:  # such as a model of the user's that reads its weights
            return None

    def configure_model(self) -> None:
        """Build the model, once the data's sizes are known (called by Lightning)."""
        if self.model is not None:
            return
        with _made("the model", "Change the sizes and shares of the model in the configuration."):
            self.model = self.make_model(self.data.sizes)
        if self.ema_decay is not None:
            self.average = WeightAverage(self.model, decay=self.ema_decay)

    def configure_optimizers(self) -> Any:
        """Make optimiser and schedule (called by Lightning)."""
        assert self.model is not None
        with _made("the optimiser", "Change model.optimizer in the configuration."):
            optimizer = self.make_optimizer(self.model.parameter_groups())
        self._asked_for_fused = asked_for_fused(optimizer)
        total_steps = self.total_steps()

        def factor(step: int) -> float:
            return self.plateau.share * learning_rate_factor(
                step,
                total_steps=total_steps,
                warmup_steps=self.warmup_steps,
                decay=self.decay,
                budget_spent=self.clock.budget_spent if self.clock else 0.0,
            )

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def total_steps(self) -> float:
        """Return the number of optimiser steps of the whole training; infinite if it has no end.

        Lightning's own estimate would open the training data before the checkpoint is restored;
        Lightning would then not restore the place inside the epoch.
        """
        trainer = self.trainer
        if trainer.max_steps >= 0:
            return trainer.max_steps
        batches = self.data.batches_per_epoch
        limit = trainer.limit_train_batches
        if isinstance(limit, int):
            batches = min(batches, limit)
        elif limit is not None:
            batches = int(batches * limit)
        epochs = math.inf if trainer.max_epochs == -1 else trainer.max_epochs or 1
        return -(-batches // trainer.accumulate_grad_batches) * epochs

    def losses(self, batch: Any) -> Tensor:
        """Return the (B,) losses of a batch's questions in nats."""
        split = parts(batch)
        if len(split) == 1:
            return self._losses_of(batch)
        # One part after the other, in the backward pass too: together they would take the memory
        # that splitting is to save.
        losses = [recomputed(self._losses_of, part) for _, part in split]
        return in_order([rows for rows, _ in split], losses)

    def _losses_of(self, part: Any) -> Tensor:
        return self.loss_of(self.active(part), part)

    def loss_of(self, output: Any, batch: Any) -> Tensor:
        """Return the (B,) losses of a batch in training, from what the model made of it."""
        return self.active.loss(output, batch)

    def predict_spans(
        self, batch: Any, *, temperatures: Sequence[float] = (1.0,)
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Choose the best spans.

        Args:
            batch: The batch.
            temperatures: T temperatures.

        Returns:
            (B, 2) best spans (inclusive tokens), (B,) losses, and (B, T, 2) probabilities of the
            best span and of "no answer" (see `QAModel.certainties`).
        """
        rows, spans, losses, certainties = [], [], [], []
        for part_rows, part in parts(batch):
            output = self.active(part)
            rows.append(part_rows)
            best = self.active.best_spans(output, part)[0][:, 0]
            spans.append(best)
            losses.append(self.active.loss(output, part))
            certainties.append(
                self.active.certainties(output, part, best, temperatures=temperatures)
            )
        return in_order(rows, spans), in_order(rows, losses), in_order(rows, certainties)

    def on_train_start(self) -> None:
        """Fit the optimiser to the device, also after a resume (called by Lightning)."""
        for optimizer in self.trainer.optimizers if self._asked_for_fused else ():
            fit_to_device(optimizer, self._asked_for_fused)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Prepare the model for the current pass, also after a resume (called by Lightning)."""
        for model in (self.model, self.average.model if self.average else None):
            if isinstance(model, QAModel):
                model.start_epoch(self.current_epoch, epochs=self.trainer.max_epochs or 1)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the mean loss of a batch (called by Lightning)."""
        if self.word_dropout:
            batch = drop_words(batch, share=self.word_dropout)
        loss = self.losses(batch).mean()
        # Not for a progress bar: Lightning would read its value in each step, and wait for a GPU.
        self.log("train/loss", loss, batch_size=len(batch))
        return loss

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Update the weights, and then their average (called by Lightning)."""
        super().optimizer_step(*args, **kwargs)
        if self.average is not None:
            assert self.model is not None
            self.average.update(self.model, steps=self.trainer.global_step + 1)

    def on_train_batch_end(self, *_: Any) -> None:
        """Evaluate after the last step, also inside an epoch (called by Lightning)."""
        if self.trainer.global_step == self.trainer.max_steps:
            self.trainer.should_stop = True

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Collect a batch's predictions (called by Lightning)."""
        self.gatherer.update(batch.index, *self.predict_spans(batch, temperatures=TEMPERATURES))

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Collect a batch's predictions (called by Lightning)."""
        temperatures = [self.calibration.temperature]
        self.gatherer.update(batch.index, *self.predict_spans(batch, temperatures=temperatures))

    predict_step = test_step

    def on_validation_epoch_end(self) -> None:
        """Score the collected predictions by the official rule (called by Lightning)."""
        self._evaluate("val")
        is_training = self.trainer.state.fn == "fit" and not self.trainer.sanity_checking
        if self.decay == "plateau" and is_training:
            self._follow_plateau()

    def on_test_epoch_end(self) -> None:
        """Score the collected predictions by the official rule (called by Lightning)."""
        self._evaluate("test")

    def on_predict_epoch_end(self) -> None:
        """Keep the collected predictions (called by Lightning)."""
        dataset = self.data.datasets["predict"]
        _, abstained = answers_of(dataset, self._gathered(), self.calibration.threshold)
        self.evaluation = Evaluation(predictions=abstained)

    def _follow_plateau(self) -> None:
        """Cut the learning rate from the next step on, if the score has stalled."""
        score, before = self.evaluation.scores[self.plateau_score], self.plateau.share
        self.plateau.update(-score if self.plateau_score == "loss" else score)
        for optimizer in self.trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] *= self.plateau.share / before

    def _evaluate(self, stage: str) -> None:
        """Set `evaluation` from the collected predictions, and log its scores.

        Validation questions also choose the calibration, with which they are scored.
        """
        gathered, dataset = self._gathered(), self.data.datasets[stage]
        if stage == "val":
            self.calibration = calibration_of(dataset, gathered)
        # A question that a limit of the trainer left out counts as wrong, so that no score is
        # inflated.
        total = len(gathered.index) if self.trainer.sanity_checking else len(dataset)
        self.evaluation = evaluated(dataset, gathered, self.calibration, total=total)
        logged = {**self.evaluation.v2, **self.evaluation.scores}
        self.log_dict({f"{stage}/{name}": value for name, value in logged.items()})

    def _gathered(self) -> Predictions:
        gathered = self.gatherer.compute()
        self.gatherer.reset()
        return gathered

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Copy a batch to the device (called by Lightning)."""
        return batch.to(device, non_blocking=True)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load weights (called by Lightning).

        Raises:
            CheckpointError: They have other names or sizes.
        """
        try:
            return super().load_state_dict(state_dict, strict=strict, assign=assign)
        except RuntimeError as error:
            *_, problem = str(error).splitlines()
            raise CheckpointError(
                f"the checkpoint's weights do not fit the model: {problem.strip()}",
                next_step="Name the configuration and the word vectors that it was trained with.",
            ) from error

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the model's name and what was learned beside its weights (called by Lightning)."""
        checkpoint["squadqa"] = {
            "model": type(self.model).__name__,
            "plateau": self.plateau.state_dict(),
            "calibration": asdict(self.calibration),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse another model's weights (called by Lightning)."""
        require_model(checkpoint.get("squadqa", {}).get("model"), type(self.model).__name__)
        self.plateau.load_state_dict(checkpoint["squadqa"]["plateau"])
        self.calibration = Calibration(**checkpoint["squadqa"].get("calibration", {}))


@contextmanager
def _made(what: str, next_step: str) -> Iterator[None]:
    """Turn PyTorch's errors into a `ConfigError`, as the values are the configuration's."""
    try:
        yield
    except SquadQAError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"{what} cannot be made with these values: {error}", next_step=next_step
        ) from error
