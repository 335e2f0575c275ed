"""The result of an evaluation, and the interface of the data that training needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from squadqa.batch import Sizes
from squadqa.data.dataset import QuestionDataset
from squadqa.data.inputs import Inputs
from squadqa.data.prepare import PreparedData


@dataclass(frozen=True)
class Evaluation:
    """Scores and answers of all questions in a part of the data.

    Args:
        scores: "exact_match" and "f1" in percent, "loss" in nats, not rounded; empty if the
            questions were only answered.
        predictions: The answers by question id; empty texts where a model abstains.
        probabilities: The probability of each of these answers by question id, 0 to 1, or that of
            "no answer"; empty if they are not known.
        v2: The scores by the rule of SQuAD v2.0 under their official names, and more of a model
            that may abstain; empty from a model that answers every question.
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    predictions: Mapping[str, str] = field(default_factory=dict)
    v2: Mapping[str, float] = field(default_factory=dict)
    probabilities: Mapping[str, float] = field(default_factory=dict)


class TrainingData(Protocol):
    """The interface of a training's data; `squadqa.training.datamodule.SquadDataModule` has it."""

    inputs: Inputs
    """The inputs of the model."""

    datasets: dict[str, QuestionDataset[Any]]
    """The data sets of "train", "val", "test" and "predict", as far as they are open."""

    @property
    def sizes(self) -> Sizes:
        """The sizes that the model is built from."""

    @property
    def batches_per_epoch(self) -> int:
        """Number of training batches of one process in an epoch."""

    def prepared(self, part: str) -> PreparedData:
        """Return the source of a part that is open."""

    def counts(self) -> dict[str, int]:
        """Count the questions of train and val, and those that train leaves out."""
