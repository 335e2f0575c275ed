"""Training of readers that point at a start and an end."""

from collections.abc import Callable
from typing import Any, cast

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor

from squadqa.batch import Sizes
from squadqa.data.inputs import SpanInputs
from squadqa.errors import ConfigError, require_range
from squadqa.models.base import SpanReader
from squadqa.training.module import QAModule
from squadqa.training.schedule import Decay


def adamax(parameters: Any) -> torch.optim.Optimizer:
    """Make the optimiser of DrQA: Adamax with its published learning rate."""
    return torch.optim.Adamax(parameters, lr=2e-3)


class SpanModule(QAModule):
    """Trains a reader on the first answer's span, and evaluates its most probable span.

    Args:
        reader: The reader, without its sizes, which come from the data.
        optimizer: Makes the optimiser from parameters.
        decay: How the learning rate falls over the training (see `QAModule`).
        teacher_weight: With a teacher, share of its part in the loss, 0 to 1; the rest is that of
            the gold answers.
        teacher_temperature: Softens the teacher's probabilities and the reader's, above 0.
        **options: Options of `QAModule`: warm-up, plateau, average of weights, word dropout.
    """

    inputs_type = SpanInputs
    model_type = SpanReader

    def __init__(
        self,
        reader: Callable[[Sizes], SpanReader],
        *,
        optimizer: OptimizerCallable = adamax,
        decay: Decay = "linear",
        teacher_weight: float = 0.5,
        teacher_temperature: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(reader, optimizer=optimizer, decay=decay, **options)
        require_range(0, 1, **{"model.teacher_weight": teacher_weight})
        require_range(0, **{"model.teacher_temperature": teacher_temperature})
        if teacher_temperature == 0:
            raise ConfigError(
                "model.teacher_temperature cannot be 0", hint="It is above 0, such as 1 or 2."
            )
        self.teacher_weight = teacher_weight
        self.teacher_temperature = teacher_temperature

    def loss_of(self, output: Any, batch: Any) -> Tensor:
        """Return the (B,) losses of a batch: of the gold answers, and of what the teacher said."""
        gold = super().loss_of(output, batch)
        if batch.taught_starts is None:
            return gold
        reader = cast(SpanReader, self.active)
        taught = reader.taught_loss(output, batch, temperature=self.teacher_temperature)
        return (1 - self.teacher_weight) * gold + self.teacher_weight * taught
