"""Training of scorers that rank candidate answers."""

from collections.abc import Callable
from typing import Any

import torch
from pytorch_lightning.cli import OptimizerCallable

from squadqa.batch import Sizes
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.models.base import CandidateScorer
from squadqa.training.module import QAModule
from squadqa.training.schedule import Decay


def adagrad(parameters: Any) -> torch.optim.Optimizer:
    """Make the baseline's optimiser: AdaGrad with its published learning rate."""
    return torch.optim.Adagrad(parameters, lr=0.1)


class CandidateModule(QAModule):
    """Trains a scorer to choose the answer among the candidates, and evaluates its best candidate.

    Args:
        scorer: The scorer, without its sizes, which come from the data.
        optimizer: Makes the optimiser from parameters.
        decay: How the learning rate falls over the training (see `QAModule`).
        **options: Options of `QAModule`: warm-up, plateau, average of weights, word dropout.
    """

    inputs_type = CandidateInputs
    model_type = CandidateScorer

    def __init__(
        self,
        scorer: Callable[[Sizes], CandidateScorer],
        *,
        optimizer: OptimizerCallable = adagrad,
        decay: Decay = "none",
        **options: Any,
    ) -> None:
        super().__init__(scorer, optimizer=optimizer, decay=decay, **options)
