"""The base class of all models: what every model can do with a batch.

Letters: B batch, K best spans, T temperatures.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from squadqa.models.distributions import SpanDistribution
from squadqa.nn.rnn import StackedBiRNN


class QAModel(nn.Module, ABC):
    """A model that chooses the answer's span; either a `SpanReader` or a `CandidateScorer`."""

    temperature: float = 1.0
    """Divides all scores before the softmax of `best_spans` and `no_answer_probabilities`, so that
    probabilities are as high as the answers are often right. The loss does not depend on it."""

    @abstractmethod
    def loss(self, output: Any, batch: Any) -> Tensor:
        """Return the (B,) loss of each question, in nats, 0 if the answer is unknown.

        Args:
            output: What `forward` returned for the batch.
            batch: The batch.
        """

    @abstractmethod
    def best_spans(self, output: Any, batch: Any, *, n_best: int = 1) -> tuple[Tensor, Tensor]:
        """Choose the most probable spans.

        Args:
            output: What `forward` returned for the batch.
            batch: The batch.
            n_best: Most spans to return for each question.

        Returns:
            `best_spans` (B, K, 2), first and last token, inclusive, the best first, and
            `span_scores` (B, K), their log-probabilities. If a question has fewer spans, the
            remaining ones are invalid: their scores are below `squadqa.nn.decoding.IMPOSSIBLE`.
        """

    @abstractmethod
    def distributions(self, output: Any, batch: Any) -> Sequence[SpanDistribution]:
        """Return the B questions' probabilities of spans, as arrays outside the device.

        Args:
            output: What `forward` returned for the batch.
            batch: The batch.
        """

    def no_answer_log_odds(self, output: Any, batch: Any) -> Tensor | None:
        """Return the (B,) log-odds of "no answer" against all spans together.

        Args:
            output: What `forward` returned for the batch.
            batch: The batch.

        Returns:
            The log-odds; None if every question is to be answered.
        """
        return None

    def log_weights(self, output: Any, batch: Any) -> Tensor:
        """Return how much each context has to say: the (B,) log-weights of all its spans together.

        Of several contexts for one question, the one with the largest weight is most probable to
        hold the answer. Weights are relative to "no answer" in the same context, if that is
        possible, and otherwise as the scores are.

        Args:
            output: What `forward` returned for the batch.
            batch: The batch.
        """
        raise NotImplementedError(f"{type(self).__name__} is neither a reader nor a scorer")

    def no_answer_probabilities(self, output: Any, batch: Any) -> Tensor | None:
        """Return the (B,) probabilities of "no answer"; None if every question is to be answered.

        Args:
            output: What `forward` returned for the batch.
            batch: The batch.
        """
        log_odds = self.no_answer_log_odds(output, batch)
        return None if log_odds is None else log_odds.sigmoid()

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the parameters to train, in groups that may have their own learning rates."""
        return [{"params": list(self.parameters())}]

    def start_epoch(self, epoch: int, *, epochs: int) -> None:
        """Prepare for a pass over train; called before each of its batches.

        Args:
            epoch: The pass's number, from 0.
            epochs: How many passes the training has.
        """

    def log_probabilities(self, output: Any, batch: Any, spans: Tensor) -> Tensor:
        """Return the (B,) log-probabilities of the best spans, as `best_spans` gives them.

        Args:
            output: What `forward` returned for the batch.
            batch: The batch.
            spans: (B, 2) the best spans, which no temperature changes.
        """
        return self.best_spans(output, batch)[1][:, 0]

    def certainties(
        self, output: Any, batch: Any, spans: Tensor, *, temperatures: Sequence[float]
    ) -> Tensor:
        """Return how probable the best spans and "no answer" are at several temperatures.

        Args:
            output: What `forward` returned for the batch.
            batch: The batch.
            spans: (B, 2) the best spans.
            temperatures: T temperatures.

        Returns:
            (B, T, 2) probabilities of the span, and of "no answer", NaN if every question is to be
            answered.
        """
        found, before = [], self.temperature
        try:
            for self.temperature in temperatures:
                answers = self.log_probabilities(output, batch, spans).exp()  # (B,)
                no_answers = self.no_answer_probabilities(output, batch)  # (B,)
                if no_answers is None:
                    no_answers = torch.full_like(answers, torch.nan)
                found.append(torch.stack([answers, no_answers], dim=1))
        finally:
            self.temperature = before
        return torch.stack(found, dim=1)

    def _no_answers(self, output: Any, batch: Any) -> list[float | None]:
        """Return the probability of "no answer" of each question, outside the device."""
        probabilities = self.no_answer_probabilities(output, batch)
        return [None] * len(batch) if probabilities is None else probabilities.tolist()

    @property
    def mixes_on_cpu(self) -> bool:
        """Whether the model can be trained in mixed precision without a GPU.

        With torch's own RNNs it cannot: only some CPUs run them in half precision, and no faster.
        They are looked for among the model's own layers and in `StackedBiRNN`.
        """
        stacks = (module for module in self.modules() if isinstance(module, StackedBiRNN))
        has_own = any(isinstance(layer, nn.RNNBase) for layer in self.children())
        return not has_own and all(stack.mixes_on_cpu for stack in stacks)

    @property
    def num_parameters(self) -> int:
        """The number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())
