"""What the training of both families shares: optimiser, schedule, logged scores."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn

from squadqa.data.dataset import QuestionDataset
from squadqa.data.inputs import Inputs
from squadqa.errors import CheckpointError, ConfigError
from squadqa.scoring import score_pairs
from squadqa.training.metrics import PredictionGatherer
from squadqa.training.schedule import Decay, learning_rate_factor


def adamax(parameters: Any) -> torch.optim.Optimizer:
    """Make the optimiser of DrQA: Adamax with its published learning rate."""
    return torch.optim.Adamax(parameters, lr=2e-3)


class QAModule(pl.LightningModule):
    """Trains and evaluates one model on questions.

    Args:
        optimizer: Makes the optimiser from parameters.
        decay: How the learning rate falls over the training.
        warmup_steps: Optimiser steps over which the learning rate rises from zero.
    """

    inputs_type: type[Inputs]
    """What the models of this family read."""

    def __init__(self, *, optimizer: OptimizerCallable, decay: Decay, warmup_steps: int) -> None:
        super().__init__()
        self.make_optimizer = optimizer
        self.decay = decay
        self.warmup_steps = warmup_steps
        self.model: nn.Module | None = None
        self.gatherer = PredictionGatherer()
        self.scores: dict[str, float] = {}  # of the last evaluation; Lightning's own are rounded
        self.predictions: dict[str, str] = {}  # answers of the last evaluation, by question id

    @abstractmethod
    def make_model(self, sizes: dict[str, int]) -> nn.Module:
        """Build the model for data of these sizes (see `Inputs.sizes`)."""

    @abstractmethod
    def losses(self, batch: Any) -> Tensor:
        """Give the (B,) losses of a batch's questions in nats."""

    @abstractmethod
    def predict_spans(self, batch: Any) -> tuple[Tensor, Tensor]:
        """Give the (B, 2) best spans, inclusive tokens, and the (B,) losses."""

    def parameter_groups(self) -> Any:
        """Give the parameters to train, as optimisers take them."""
        return self.parameters()

    def configure_model(self) -> None:
        """Build the model when the data's sizes are known (called by Lightning)."""
        if self.model is not None:
            return
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if not isinstance(data.inputs, self.inputs_type):
            raise ConfigError(
                f'"{type(self).__name__}" cannot be trained on "{type(data.inputs).__name__}"',
                next_step="Readers take SpanInputs, scorers CandidateInputs, as data.inputs.",
            )
        self.model = self.make_model(data.sizes)

    def configure_optimizers(self) -> Any:
        """Make optimiser and schedule (called by Lightning)."""
        optimizer = self.make_optimizer(self.parameter_groups())
        total_steps = self._total_steps()

        def factor(step: int) -> float:
            return learning_rate_factor(
                step,
                total_steps=total_steps,
                warmup_steps=self.warmup_steps,
                decay=self.decay,
            )

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _total_steps(self) -> int:
        """Optimiser steps of the whole training.

        Lightning's own estimate opens the training data before the checkpoint is restored, after
        which it no longer restores the place inside the epoch.
        """
        trainer = self.trainer
        if trainer.max_steps >= 0:
            return trainer.max_steps
        batches: int = trainer.datamodule.batches_per_epoch  # type: ignore[attr-defined]
        limit = trainer.limit_train_batches
        if isinstance(limit, int):
            batches = min(batches, limit)
        elif limit is not None:
            batches = int(batches * limit)
        return -(-batches // trainer.accumulate_grad_batches) * (trainer.max_epochs or 1)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Give the mean loss of a batch (called by Lightning)."""
        loss = self.losses(batch).mean()
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch))
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Evaluate behind the last step, also inside an epoch (called by Lightning)."""
        if self.trainer.global_step == self.trainer.max_steps:
            self.trainer.should_stop = True

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Collect a batch's predictions (called by Lightning)."""
        self.gatherer.update(batch.index, *self.predict_spans(batch))

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Collect a batch's predictions (called by Lightning)."""
        self.gatherer.update(batch.index, *self.predict_spans(batch))

    def predict_step(self, batch: Any, batch_idx: int) -> None:
        """Collect a batch's predictions (called by Lightning)."""
        self.gatherer.update(batch.index, *self.predict_spans(batch))

    def on_validation_epoch_end(self) -> None:
        """Score what was collected by the official rule (called by Lightning)."""
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        """Score what was collected by the official rule (called by Lightning)."""
        self._log_scores("test")

    def on_predict_epoch_end(self) -> None:
        """Keep what was collected in `predictions` (called by Lightning)."""
        self._gather("predict")

    def _log_scores(self, stage: str) -> None:
        items, losses = self._gather(stage)
        dataset = self._dataset(stage)
        predicted = [self.predictions[dataset.id_of(item)] for item in items]
        exact, f1 = score_pairs(predicted, [dataset.references_of(item) for item in items])
        # A question that a limit of the trainer left out is wrong: nothing inflates a score.
        total = len(items) if self.trainer.sanity_checking else len(dataset)
        self.scores = {
            f"{stage}/exact_match": 100.0 * sum(exact) / total,
            f"{stage}/f1": 100.0 * sum(f1) / total,
            f"{stage}/loss": float(losses.double().mean()),
        }
        self.log_dict(self.scores)

    def _gather(self, stage: str) -> tuple[list[int], Tensor]:
        """Set `predictions` to the answers by id; give the questions' places and losses."""
        gathered = self.gatherer.compute()
        self.gatherer.reset()
        dataset = self._dataset(stage)
        items = gathered.index.tolist()
        self.predictions = {
            dataset.id_of(item): dataset.text_of(item, first, last)
            for item, (first, last) in zip(items, gathered.spans.tolist(), strict=True)
        }
        return items, gathered.losses

    def _dataset(self, stage: str) -> QuestionDataset[Any]:
        dataset: QuestionDataset[Any] = self.trainer.datamodule.datasets[stage]  # type: ignore[attr-defined]
        return dataset

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Copy a batch to the device (called by Lightning)."""
        return batch.to(device, non_blocking=True)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Take weights (called by Lightning).

        Raises:
            CheckpointError: They are of another size, or of other parts.
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
        """Say in the checkpoint which model its weights belong to (called by Lightning)."""
        checkpoint["squadqa"] = {"model": type(self.model).__name__}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse another model's weights (called by Lightning)."""
        name = checkpoint.get("squadqa", {}).get("model")
        if name != type(self.model).__name__:
            raise CheckpointError(
                f'the checkpoint holds the weights of "{name}", not of '
                f'"{type(self.model).__name__}"',
                next_step="Name a checkpoint of this model, or the configuration it belongs to.",
            )
