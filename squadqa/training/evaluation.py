"""What an evaluation comes to, and what it asks of the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from squadqa.batch import Sizes
from squadqa.data.dataset import QuestionDataset
from squadqa.data.inputs import Inputs


@dataclass(frozen=True)
class Evaluation:
    """The scores and answers of all questions of a part of the data.

    Args:
        scores: "exact_match" and "f1" in percent, "loss" in nats, not rounded; none where the
            questions were answered and not scored.
        predictions: The answers by question id.
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    predictions: Mapping[str, str] = field(default_factory=dict)


class TrainingData(Protocol):
    """What a training asks of its data: `squadqa.training.datamodule.SquadDataModule` has it."""

    inputs: Inputs
    """What the model reads of the data."""

    datasets: dict[str, QuestionDataset[Any]]
    """The questions of "train", "val", "test" and "predict", where they are open."""

    @property
    def sizes(self) -> Sizes:
        """What the model must know of the data to be built."""

    @property
    def batches_per_epoch(self) -> int:
        """Training batches of one process in an epoch."""

    def counts(self) -> dict[str, int]:
        """Count the questions of train and val, and those that train leaves out."""
