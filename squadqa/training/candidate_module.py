"""Training of scorers that rank candidate answers."""

from collections.abc import Callable
from typing import Any, Literal, cast

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor

from squadqa.batch import CandidateBatch, CandidateSizes
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.models.base import CandidateScorer
from squadqa.nn.losses import candidate_bce, candidate_nll
from squadqa.training.module import QAModule
from squadqa.training.schedule import Decay

Loss = Literal["softmax", "binary"]
"""Names of the losses of scorers."""


def adagrad(parameters: Any) -> torch.optim.Optimizer:
    """Make the baseline's optimiser: AdaGrad with its published learning rate."""
    return torch.optim.Adagrad(parameters, lr=0.1)


class CandidateModule(QAModule):
    """Trains a scorer to choose the answer among the candidates; evaluates its first choice.

    Args:
        scorer: The scorer, without its sizes: they come from the data.
        loss: "softmax" over the paragraph's candidates, or "binary": each candidate is a sample of
            its own, right or wrong.
        optimizer: Makes the optimiser from parameters.
        decay: How the learning rate falls over the training (see `QAModule`).
        **options: Of `QAModule`: warm-up, plateau, average of weights, word dropout.
    """

    inputs_type = CandidateInputs

    def __init__(
        self,
        scorer: Callable[[CandidateSizes], CandidateScorer],
        *,
        loss: Loss = "softmax",
        optimizer: OptimizerCallable = adagrad,
        decay: Decay = "none",
        **options: Any,
    ) -> None:
        super().__init__(optimizer=optimizer, decay=decay, **options)
        self.make_scorer = scorer
        self.candidate_loss = {"softmax": candidate_nll, "binary": candidate_bce}[loss]

    @property
    def scorer(self) -> CandidateScorer:
        """The scorer that is trained; while evaluating, with averaged weights if they are kept."""
        return cast(CandidateScorer, self.active)

    def make_model(self, sizes: dict[str, int]) -> CandidateScorer:
        """Build the scorer for the data's sizes."""
        return self.make_scorer(CandidateSizes(sizes["num_buckets"], sizes["vector_size"]))

    def parameter_groups(self) -> Any:
        """Give the scorer's parameters, as optimisers take them."""
        return cast(CandidateScorer, self.model).parameter_groups()

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Tell the scorer which pass it is in, a resumed one too (called by Lightning)."""
        for model in (self.model, self.average.model if self.average else None):
            if isinstance(model, CandidateScorer):
                model.start_epoch(self.current_epoch, epochs=self.trainer.max_epochs or 1)

    def losses(self, batch: CandidateBatch) -> Tensor:
        """Give the (B,) losses of a batch's questions in nats."""
        return self._losses(self.scorer(batch), batch)

    def predict_spans(self, batch: CandidateBatch) -> tuple[Tensor, Tensor]:
        """Give the (B, 2) best spans, inclusive tokens, and the (B,) losses."""
        candidate_logits = self.scorer(batch)  # (B, N)
        # By the same numbers as in prediction: rounding can make two of them equal.
        scores = candidate_logits.float().log_softmax(dim=1)
        best = scores.argmax(dim=1)[:, None, None].expand(-1, 1, 2)
        spans = batch.candidate_spans.gather(1, best)[:, 0]
        return spans, self._losses(candidate_logits, batch)

    def _losses(self, candidate_logits: Tensor, batch: CandidateBatch) -> Tensor:
        return self.candidate_loss(candidate_logits, batch.candidate_mask, batch.candidate_labels)
