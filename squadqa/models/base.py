"""What both families of models have in common with their own kind.

Letters: B batch, C context tokens, N candidates.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from squadqa.batch import CandidateBatch, SpanBatch
from squadqa.nn.losses import span_nll


@dataclass(frozen=True)
class SpanLogits:
    """A reader's scores of every context token.

    Args:
        start_logits: (B, C) scores of being the first token, masked.
        end_logits: (B, C) scores of being the last token, masked.
    """

    start_logits: Tensor
    end_logits: Tensor


class SpanReader(nn.Module, ABC):
    """A model of P(start | question, context) and P(end | question, context)."""

    @abstractmethod
    def forward(self, batch: SpanBatch) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked."""

    def loss(self, logits: SpanLogits, batch: SpanBatch) -> Tensor:
        """Give the (B,) loss of each question, in nats, 0 where the answer is unknown.

        Args:
            logits: What `forward` gave for the batch.
            batch: The batch.
        """
        return span_nll(
            logits.start_logits, logits.end_logits, batch.start_positions, batch.end_positions
        )


class CandidateScorer(nn.Module, ABC):
    """A model of P(candidate | question, context) over the candidate answers of the context."""

    @abstractmethod
    def forward(self, batch: CandidateBatch) -> Tensor:
        """Give the (B, N) `candidate_logits`; padded candidates are masked."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give the parameters to train, as optimisers take them: a group may have its own rate."""
        return [{"params": list(self.parameters())}]

    def start_epoch(self, epoch: int, *, epochs: int) -> None:
        """Hear which pass over train is going on; told again and again.

        Args:
            epoch: Its number, from 0.
            epochs: How many there are to be.
        """
