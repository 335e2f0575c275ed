"""Predictions of an evaluation, collected from all processes, each question counted once."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class Predictions:
    """The answer spans of N questions, in the data set's order.

    Not a tuple or dataclass: torchmetrics would drop the dimension N of those if N is 1.

    Args:
        index: (N,) index in the data set, ascending, each once.
        spans: (N, 2) first and last token, inclusive.
        losses: (N,) loss of each question in nats.
        certainties: (N, T, 2) probabilities of the answer and of "no answer", which is NaN from a
            model that answers every question, at each of some temperatures.
    """

    def __init__(self, index: Tensor, spans: Tensor, losses: Tensor, certainties: Tensor) -> None:
        self.index = index
        self.spans = spans
        self.losses = losses
        self.certainties = certainties


class PredictionGatherer(Metric):
    """Collects spans from batches and processes.

    Distributed evaluation repeats questions so that every process has the same number of batches.
    Repeats are found by the index in the data set, and each question is kept once.
    """

    full_state_update = False
    index: list[Tensor]
    spans: list[Tensor]
    losses: list[Tensor]
    certainties: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("index", "spans", "losses", "certainties"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, index: Tensor, spans: Tensor, losses: Tensor, certainties: Tensor) -> None:
        """Add a batch.

        Args:
            index: (B,) index of each question in the data set.
            spans: (B, 2) first and last token, inclusive.
            losses: (B,) in nats.
            certainties: (B, T, 2) probabilities of the answer and of "no answer".
        """
        self.index.append(index)
        self.spans.append(spans)
        self.losses.append(losses.float())
        self.certainties.append(certainties.float())

    def compute(self) -> Predictions:
        """Return the predictions of all processes, each question once."""
        index, spans, losses, certainties = (
            torch.cat(list(state)) if isinstance(state, list) else state
            for state in (self.index, self.spans, self.losses, self.certainties)
        )
        order = index.argsort(stable=True)
        index = index[order]
        first = torch.ones_like(index, dtype=torch.bool)
        first[1:] = index[1:] != index[:-1]
        order = order[first]
        return Predictions(index[first], spans[order], losses[order], certainties[order])
