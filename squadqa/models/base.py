"""Base classes of the two families of models: readers, and scorers of candidates.

Every model scores a batch, computes its loss and finds its best spans.

A model is built from `Sizes` and its own options, and knows nothing else about the data. Readers
are subclasses of `SpanReader`, scorers of `CandidateScorer`: a subclass defines `forward` and
inherits the rest.

Where questions may have no answer (`batch.unanswerable` is there), all spans and "no answer" share
one softmax. "No answer" has a score of its own where a model gives it one, or else 0: then the
level of the spans' scores alone says whether one of them is right, as in Levy et al., 2017 (arXiv
1706.04115), whose bias is here part of the spans' scores.

One file, as both families have the same interface.

Letters: B batch, P distinct contexts of the batch, C context tokens, Q question tokens, N
candidates, K best spans, D embedding width, H encoding width.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from squadqa.batch import CandidateBatch, SpanBatch
from squadqa.errors import ConfigError, did_you_mean
from squadqa.models.distributions import CandidateDistribution, PointerDistribution
from squadqa.models.embedder import Embedder
from squadqa.models.model import QAModel
from squadqa.nn.decoding import CONSIDERED, best_spans, expected_f1
from squadqa.nn.losses import (
    candidate_bce,
    candidate_nll,
    no_answer_nll,
    span_nll,
    taught_cross_entropy,
)
from squadqa.nn.masking import mask_logits
from squadqa.nn.no_answer import NoAnswerHead, log_odds_of, with_no_answer

CandidateLoss = Literal["softmax", "binary"]
"""Names of the losses of scorers."""

Choose = Literal["probable", "expected_f1"]
"""Names of what a scorer's answer is chosen for."""


def require_choice(choose: str) -> None:
    """Check the name of a choice.

    Raises:
        ConfigError: There is no such choice.
    """
    if choose not in get_args(Choose):
        raise ConfigError(
            f'choose cannot be "{choose}"', hint=did_you_mean(choose, get_args(Choose))
        )


@dataclass(frozen=True)
class SpanLogits:
    """A reader's scores of every context token.

    Args:
        start_logits: (B, C) scores of being the first token, masked.
        end_logits: (B, C) scores of being the last token, masked.
        no_answer_logits: (B,) scores of "no answer", beside the sums of a start's and an end's;
            None from a reader that does not score it.
    """

    start_logits: Tensor
    end_logits: Tensor
    no_answer_logits: Tensor | None = None


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
        self.no_answer: NoAnswerHead | None = None

    @abstractmethod
    def forward(self, batch: SpanBatch) -> SpanLogits:
        """Score every context token as start and as end; padded tokens are masked."""

    def score_no_answer(
        self, context: Tensor, start_logits: Tensor, end_logits: Tensor
    ) -> Tensor | None:
        """Score "no answer", if the reader has a head for it (`self.no_answer`).

        Args:
            context: (B, C, D) encodings that the pointers read.
            start_logits: (B, C) masked scores.
            end_logits: (B, C) masked scores.

        Returns:
            (B,) scores, or None.
        """
        return None if self.no_answer is None else self.no_answer(context, start_logits, end_logits)

    def loss(self, output: SpanLogits, batch: SpanBatch) -> Tensor:
        """Return the (B,) loss of each question: -log P(span), or -log P(no answer)."""
        losses = self.span_loss(output, batch)
        if batch.unanswerable is None:
            return losses
        log_odds = log_odds_of(output.no_answer_logits, output.start_logits, output.end_logits)
        return losses + no_answer_nll(log_odds, batch.unanswerable, batch.start_positions >= 0)

    def span_loss(self, output: SpanLogits, batch: SpanBatch) -> Tensor:
        """Return each question's (B,) -log P(start) - log P(end); 0 if no answer is known."""
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

    def no_answer_log_odds(self, output: SpanLogits, batch: SpanBatch) -> Tensor | None:
        """Return the (B,) log-odds of "no answer" against all pairs of a start and an end."""
        return None if batch.unanswerable is None else -self.log_weights(output, batch)

    def log_weights(self, output: SpanLogits, batch: SpanBatch) -> Tensor:
        """Return the (B,) log-weights of all pairs of a start and an end against "no answer"."""
        tempered = self._tempered(output, batch)
        scores = tempered.start_logits, tempered.end_logits
        return -log_odds_of(tempered.no_answer_logits, *scores)

    def best_spans(
        self, output: SpanLogits, batch: SpanBatch, *, n_best: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Choose the spans of at most `max_span_length` tokens with the highest P(start) P(end)."""
        tempered = self._tempered(output, batch)
        spans, scores = best_spans(
            tempered.start_logits,
            tempered.end_logits,
            max_span_length=self.max_span_length,
            n_best=n_best,
        )
        return spans, with_no_answer(scores, self.no_answer_log_odds(output, batch))

    def log_probabilities(self, output: SpanLogits, batch: SpanBatch, spans: Tensor) -> Tensor:
        """Return the (B,) log-probabilities of (B, 2) spans."""
        tempered = self._tempered(output, batch)
        start, end = (
            logits.float().log_softmax(dim=1).gather(1, places[:, None])  # (B, 1)
            for logits, places in zip(
                (tempered.start_logits, tempered.end_logits), spans.unbind(1), strict=True
            )
        )
        return with_no_answer(start + end, self.no_answer_log_odds(output, batch)).squeeze(1)

    def _tempered(self, output: SpanLogits, batch: SpanBatch) -> SpanLogits:
        """Divide the scores by the temperature; masked ones stay as they are."""
        if self.temperature == 1.0:
            return output
        start, end = (
            mask_logits(logits.float() / self.temperature, batch.context_mask)
            for logits in (output.start_logits, output.end_logits)
        )
        no_answer = output.no_answer_logits
        if no_answer is not None:
            no_answer = no_answer.float() / self.temperature
        return SpanLogits(start, end, no_answer)

    def distributions(self, output: SpanLogits, batch: SpanBatch) -> list[PointerDistribution]:
        """Return the B questions' probabilities of starts and ends."""
        lengths = batch.context_mask.sum(dim=1).tolist()
        tempered = self._tempered(output, batch)
        starts, ends = (
            logits.float().softmax(dim=1).cpu().numpy()
            for logits in (tempered.start_logits, tempered.end_logits)
        )
        return [
            PointerDistribution(
                start[:length].copy(), end[:length].copy(), self.max_span_length, no_answer, weight
            )
            for length, start, end, no_answer, weight in zip(
                lengths,
                starts,
                ends,
                self._no_answers(output, batch),
                self.log_weights(output, batch).tolist(),
                strict=True,
            )
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
        self.no_answer: nn.Module | None = None
        require_choice(choose)
        self.choose: Choose = choose

    @abstractmethod
    def forward(self, batch: CandidateBatch) -> Tensor:
        """Return the (B, N) `candidate_logits`; padded candidates are masked."""

    def score_no_answer(self, output: Tensor, batch: CandidateBatch) -> Tensor | None:
        """Score "no answer" as one more candidate, if the scorer can do it (`self.no_answer`).

        Args:
            output: The (B, N) scores of the candidates.
            batch: The batch.

        Returns:
            (B,) scores, or None.
        """
        return None if self.no_answer is None else self.no_answer(output, batch)

    def loss(self, output: Tensor, batch: CandidateBatch) -> Tensor:
        """Return the (B,) loss of each question, by `candidate_loss` and that of "no answer"."""
        losses = self.candidate_loss(output, batch.candidate_mask, batch.candidate_labels)
        if batch.unanswerable is None:
            return losses
        log_odds = log_odds_of(self.score_no_answer(output, batch), output)
        return losses + no_answer_nll(
            log_odds, batch.unanswerable, batch.candidate_labels.any(dim=1)
        )

    def no_answer_log_odds(self, output: Tensor, batch: CandidateBatch) -> Tensor | None:
        """Return the (B,) log-odds of "no answer" against all candidates."""
        return None if batch.unanswerable is None else -self.log_weights(output, batch)

    def log_weights(self, output: Tensor, batch: CandidateBatch) -> Tensor:
        """Return the (B,) log-weights of all candidates against "no answer"."""
        score = None if batch.unanswerable is None else self.score_no_answer(output, batch)
        score = None if score is None else score.float() / self.temperature
        return -log_odds_of(score, self._tempered(output, batch))

    def best_spans(
        self, output: Tensor, batch: CandidateBatch, *, n_best: int = 1
    ) -> tuple[Tensor, Tensor]:
        """Choose the candidates with the highest probability; of equal ones, the first.

        If `choose` is "expected_f1", the most probable `CONSIDERED` come in the order of their
        expected F1, with their log-probabilities. No temperature changes the choice.
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
        if self.temperature != 1.0:
            log_probabilities = self._tempered(output, batch).log_softmax(dim=1)
        scores = log_probabilities.gather(1, places)
        index = places[:, :n_best, None].expand(-1, -1, 2)  # (B, K, 2)
        scores = with_no_answer(scores[:, :n_best], self.no_answer_log_odds(output, batch))
        return batch.candidate_spans.gather(1, index), scores

    def log_probabilities(self, output: Tensor, batch: CandidateBatch, spans: Tensor) -> Tensor:
        """Return the (B,) log-probabilities of (B, 2) spans, each of which is a candidate."""
        logits = self._tempered(output, batch).float()
        is_it = (batch.candidate_spans == spans[:, None, :]).all(dim=2) & batch.candidate_mask
        best = mask_logits(logits, is_it).amax(dim=1) - logits.logsumexp(dim=1)  # (B,)
        return with_no_answer(best[:, None], self.no_answer_log_odds(output, batch)).squeeze(1)

    def _tempered(self, output: Tensor, batch: CandidateBatch) -> Tensor:
        """Divide the scores by the temperature; masked ones stay as they are."""
        if self.temperature == 1.0:
            return output
        return mask_logits(output.float() / self.temperature, batch.candidate_mask)

    def distributions(self, output: Tensor, batch: CandidateBatch) -> list[CandidateDistribution]:
        """Return the B questions' probabilities of candidates."""
        lengths = batch.tree.mask.sum(dim=1).tolist()
        spans = batch.candidate_spans.cpu().numpy().astype(np.int32)
        masks = batch.candidate_mask.cpu().numpy()
        probabilities = self._tempered(output, batch).float().softmax(dim=1).cpu().numpy()
        return [
            CandidateDistribution(
                length, its_spans[mask], its_probabilities[mask], no_answer, weight
            )
            for length, its_spans, mask, its_probabilities, no_answer, weight in zip(
                lengths,
                spans,
                masks,
                probabilities,
                self._no_answers(output, batch),
                self.log_weights(output, batch).tolist(),
                strict=True,
            )
        ]
