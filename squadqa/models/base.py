"""Base classes of models: every model scores a batch, computes its loss and finds its best spans.

A model is built from `Sizes` and its own options, and knows nothing else about the data. Readers
are subclasses of `SpanReader`, scorers of `CandidateScorer`: a subclass defines `forward` and
inherits the rest.

Letters: B batch, P distinct contexts of the batch, C context tokens, Q question tokens, N
candidates, K best spans, D embedding width, H encoding width.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from squadqa.batch import CandidateBatch, SpanBatch
from squadqa.errors import ConfigError, did_you_mean
from squadqa.models.distributions import (
    CandidateDistribution,
    PointerDistribution,
    SpanDistribution,
)
from squadqa.models.embedder import Embedder
from squadqa.nn.decoding import CONSIDERED, best_spans, expected_f1
from squadqa.nn.losses import candidate_bce, candidate_nll, span_nll, taught_cross_entropy
from squadqa.nn.rnn import StackedBiRNN

CandidateLoss = Literal["softmax", "binary"]
"""Names of the losses of scorers."""

Choose = Literal["probable", "expected_f1"]
"""Names of what a scorer's answer is chosen for."""


@dataclass(frozen=True)
class SpanLogits:
    """A reader's scores of every context token.

    Args:
        start_logits: (B, C) scores of being the first token, masked.
        end_logits: (B, C) scores of being the last token, masked.
    """

    start_logits: Tensor
    end_logits: Tensor


class QAModel(nn.Module, ABC):
    """A model that chooses the answer's span; either a `SpanReader` or a `CandidateScorer`."""

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

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the parameters to train, in groups that may have their own learning rates."""
        return [{"params": list(self.parameters())}]

    def start_epoch(self, epoch: int, *, epochs: int) -> None:
        """Prepare for a pass over train; called before each of its batches.

        Args:
            epoch: The pass's number, from 0.
            epochs: How many passes the training has.
        """

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


class SpanReader(QAModel):
    """A model of P(start | question, context) and P(end | question, context).

    Args:
        max_span_length: Longest answer to predict, in tokens, 1 or more.

    Raises:
        ConfigError: It is below 1.
    """

    def __init__(self, *, max_span_length: int = 17) -> None:
        super().__init__()
        if max_span_length < 1:
            raise ConfigError(
                f"max_span_length cannot be {max_span_length}",
                hint="It is the longest answer to predict, in tokens: 1 or more.",
            )
        self.max_span_length = max_span_length

    @abstractmethod
    def forward(self, batch: SpanBatch) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked."""

    def loss(self, output: SpanLogits, batch: SpanBatch) -> Tensor:
        """Return the (B,) loss of each question: -log P(start) - log P(end)."""
        return span_nll(
            output.start_logits, output.end_logits, batch.start_positions, batch.end_positions
        )

    def taught_loss(self, output: SpanLogits, batch: SpanBatch, *, temperature: float) -> Tensor:
        """Return the (B,) cross-entropy with a teacher's starts and ends, softened alike.

        Args:
            output: What `forward` returned for the batch.
            batch: The batch, with what the teacher said.
            temperature: See `squadqa.nn.losses.taught_cross_entropy`.
        """
        assert batch.taught_starts is not None and batch.taught_ends is not None
        return taught_cross_entropy(
            output.start_logits, batch.taught_starts, temperature=temperature
        ) + taught_cross_entropy(output.end_logits, batch.taught_ends, temperature=temperature)

    def best_spans(
        self, output: SpanLogits, batch: SpanBatch, *, n_best: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Choose the spans of at most `max_span_length` tokens with the highest P(start) P(end)."""
        return best_spans(
            output.start_logits,
            output.end_logits,
            max_span_length=self.max_span_length,
            n_best=n_best,
        )

    def distributions(self, output: SpanLogits, batch: SpanBatch) -> list[PointerDistribution]:
        """Return the B questions' probabilities of starts and ends."""
        lengths = batch.context_mask.sum(dim=1).tolist()
        starts, ends = (
            logits.float().softmax(dim=1).cpu().numpy()
            for logits in (output.start_logits, output.end_logits)
        )
        return [
            PointerDistribution(start[:length].copy(), end[:length].copy(), self.max_span_length)
            for length, start, end in zip(lengths, starts, ends, strict=True)
        ]


class ContextFirstReader(SpanReader):
    """A reader that encodes contexts before it reads questions.

    One encoding serves every question about its context, unless the encoder is told which words the
    question holds (`word_in_question` is "before"). A subclass defines `encode`, and its `forward`
    begins with `read_texts`.
    """

    embedder: Embedder
    """Embeds both texts; a subclass makes it."""

    @property
    def keeps_contexts(self) -> bool:
        """Whether `encode_context` does not depend on the question."""
        return self.embedder.word_in_question != "before"

    @abstractmethod
    def encode(self, context: Tensor, context_mask: Tensor) -> Tensor:
        """Encode embedded contexts, (P, C, D) with their (P, C) mask, to (P, C, H)."""

    def encode_context(self, batch: SpanBatch) -> Tensor:
        """Encode the context of each row, (B, C, H)."""
        context, _ = self.embedder(batch)  # (B, C, D)
        return self.encode(context, batch.context_mask)

    def read_texts(
        self, batch: SpanBatch, context_encoded: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Encode each context once, and embed the questions.

        A context that several questions of the batch share is encoded for all of them together, if
        the batch says which ones do (`SpanBatch.paragraphs`) and `keeps_contexts`.

        Args:
            batch: The batch.
            context_encoded: (B, C, H) from `encode_context`; None encodes the batch's contexts.

        Returns:
            (B, C, H) the context's encoding for each question, joined with which words the question
            holds where this comes after the encoder (H is then wider by `embedder.num_marks`); and
            (B, Q, D) the embedded questions.
        """
        if context_encoded is not None:
            question = self.embedder.embed_question(batch)  # (B, Q, D)
            return self.embedder.mark_context(context_encoded, batch), question
        rows, paragraphs = batch.paragraph_rows, batch.paragraphs
        if rows is None or paragraphs is None or len(rows) == len(batch) or not self.keeps_contexts:
            context, question = self.embedder(batch)  # (B, C, D), (B, Q, D)
            context_encoded = self.encode(context, batch.context_mask)  # (B, C, H)
        else:
            context, question = self.embedder(batch, rows=rows)  # (P, C, D), (B, Q, D)
            distinct = self.encode(context, batch.context_mask[rows])  # (P, C, H)
            context_encoded = distinct.index_select(0, paragraphs)  # (B, C, H)
        return self.embedder.mark_context(context_encoded, batch), question

    @abstractmethod
    def forward(self, batch: SpanBatch, context_encoded: Tensor | None = None) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked.

        Args:
            batch: The batch.
            context_encoded: (B, C, H) from `encode_context`; None encodes the batch's contexts.
        """


class CandidateScorer(QAModel):
    """A model of P(candidate | question, context) over the candidate answers of the context.

    Args:
        loss: "softmax" over the paragraph's candidates, or "binary": each candidate is a separate
            sample, right or wrong.
        choose: "probable" takes the most probable candidate, "expected_f1" the one of the highest
            expected F1 (see `squadqa.nn.decoding.expected_f1`).
    """

    def __init__(self, *, loss: CandidateLoss = "softmax", choose: Choose = "probable") -> None:
        super().__init__()
        self.candidate_loss = {"softmax": candidate_nll, "binary": candidate_bce}[loss]
        if choose not in get_args(Choose):
            raise ConfigError(
                f'choose cannot be "{choose}"', hint=did_you_mean(choose, get_args(Choose))
            )
        self.choose: Choose = choose

    @abstractmethod
    def forward(self, batch: CandidateBatch) -> Tensor:
        """Return the (B, N) `candidate_logits`; padded candidates are masked."""

    def loss(self, output: Tensor, batch: CandidateBatch) -> Tensor:
        """Return the (B,) loss of each question, computed by `candidate_loss`."""
        return self.candidate_loss(output, batch.candidate_mask, batch.candidate_labels)

    def best_spans(
        self, output: Tensor, batch: CandidateBatch, *, n_best: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Choose the candidates with the highest probability; of equal ones, the first.

        If `choose` is "expected_f1", the most probable `CONSIDERED` come in the order of their
        expected F1, with their log-probabilities.
        """
        log_probabilities = output.float().log_softmax(dim=1)  # (B, N)
        scores, places = log_probabilities.sort(dim=1, descending=True, stable=True)
        if self.choose == "expected_f1":
            some = places[:, :CONSIDERED]  # (B, K)
            spans = batch.candidate_spans.gather(1, some[:, :, None].expand(-1, -1, 2))
            shares = scores[:, :CONSIDERED].exp()
            expected = expected_f1(spans, shares, batch.tree.counted)  # (B, K)
            expected = expected.masked_fill(~batch.candidate_mask.gather(1, some), -1.0)
            order = expected.argsort(dim=1, descending=True, stable=True)
            places = torch.cat([some.gather(1, order), places[:, CONSIDERED:]], dim=1)
            scores = log_probabilities.gather(1, places)
        index = places[:, :n_best, None].expand(-1, -1, 2)  # (B, K, 2)
        return batch.candidate_spans.gather(1, index), scores[:, :n_best]

    def distributions(self, output: Tensor, batch: CandidateBatch) -> list[CandidateDistribution]:
        """Return the B questions' probabilities of candidates."""
        lengths = batch.tree.mask.sum(dim=1).tolist()
        spans = batch.candidate_spans.cpu().numpy().astype(np.int32)
        masks = batch.candidate_mask.cpu().numpy()
        probabilities = output.float().softmax(dim=1).cpu().numpy()
        return [
            CandidateDistribution(length, its_spans[mask], its_probabilities[mask])
            for length, its_spans, mask, its_probabilities in zip(
                lengths, spans, masks, probabilities, strict=True
            )
        ]
