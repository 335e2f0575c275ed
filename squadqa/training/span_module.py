"""Training of readers that point at a start and an end."""

from collections.abc import Callable
from typing import Any

import torch
from pytorch_lightning.cli import OptimizerCallable

from squadqa.batch import Sizes
from squadqa.data.inputs import SpanInputs
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
        **options: Any,
    ) -> None:
        super().__init__(reader, optimizer=optimizer, decay=decay, **options)
