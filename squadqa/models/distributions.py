"""Distributions: a probability for each span of context tokens, for one question.

- A reader's distribution is over all spans of at most its `max_span_length` tokens: P(start)
  P(end), normalised over these spans, so that spans which cannot be an answer take no probability.
- A scorer's distribution is over its candidates: their softmax.

Where a question may have no answer, the probability of that is beside it; the spans' are those if
there is an answer.

Both are small: a reader's has two numbers per context token, a scorer's three per candidate.

Letters: C context tokens, L longest span, N candidates.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class SpanDistribution(Protocol):
    """A probability for each span of one question's context."""

    @property
    def no_answer(self) -> float | None:
        """The probability of "no answer"; None from a model that answers every question."""

    @property
    def log_weight(self) -> float:
        """What this context has to say, against others (see `QAModel.log_weights`)."""

    @property
    def longest(self) -> int:
        """Tokens of the longest span that has a probability."""

    @property
    def is_finite(self) -> bool:
        """Whether all probabilities are finite; after a diverged training they are not."""

    def table(self) -> NDArray[np.float64]:
        """Probabilities of spans, (C, L): by first token, and by the number of tokens after it."""


@dataclass(frozen=True)
class PointerDistribution:
    """A reader's distribution for a question with C context tokens.

    Args:
        start: (C,) probability of each token as the first.
        end: (C,) probability of each token as the last.
        max_span_length: Longest span, in tokens.
        no_answer: The probability of "no answer"; None from a reader that always answers.
        log_weight: What this context has to say, against others (see `QAModel.log_weights`).
    """

    start: Floats
    end: Floats
    max_span_length: int
    no_answer: float | None = None
    log_weight: float = 0.0

    @property
    def longest(self) -> int:
        """Tokens of the longest span that has a probability."""
        return min(self.max_span_length, len(self.start))

    @property
    def is_finite(self) -> bool:
        """Whether all probabilities are finite."""
        return bool(np.isfinite(self.start).all() and np.isfinite(self.end).all())

    def table(self) -> NDArray[np.float64]:
        """Probabilities of spans, (C, L): by first token, and by the number of tokens after it."""
        ends = np.pad(self.end.astype(np.float64), (0, self.longest - 1))
        starts = self.start.astype(np.float64)
        spans: NDArray[np.float64] = starts[:, None] * sliding_window_view(ends, self.longest)
        return normalized(spans)


@dataclass(frozen=True)
class CandidateDistribution:
    """A scorer's distribution for a question with C context tokens and N candidates.

    Args:
        tokens: C.
        spans: (N, 2) first and last token of each candidate, inclusive.
        probabilities: (N,) probabilities of the candidates.
        no_answer: The probability of "no answer"; None from a scorer that always answers.
        log_weight: What this context has to say, against others (see `QAModel.log_weights`).
    """

    tokens: int
    spans: NDArray[np.int32]
    probabilities: Floats
    no_answer: float | None = None
    log_weight: float = 0.0

    @property
    def longest(self) -> int:
        """Tokens of the longest span that has a probability."""
        return int((self.spans[:, 1] - self.spans[:, 0]).max()) + 1

    @property
    def is_finite(self) -> bool:
        """Whether all probabilities are finite."""
        return bool(np.isfinite(self.probabilities).all())

    def table(self) -> NDArray[np.float64]:
        """Probabilities of spans, (C, L): by first token, and by the number of tokens after it."""
        table = np.zeros((self.tokens, self.longest))
        first, last = self.spans.T
        np.add.at(table, (first, last - first), self.probabilities)
        return table


def marginals(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities that the answer starts, and that it ends, at each token.

    Args:
        table: (C, L) probabilities of spans by first token, and by the number of tokens after it.

    Returns:
        Two arrays (C,), each with the table's sum.
    """
    tokens, longest = table.shape
    last = np.arange(tokens)[:, None] + np.arange(longest)  # (C, L), some after the context
    ends = np.bincount(last.ravel(), weights=table.ravel(), minlength=tokens)[:tokens]
    return table.sum(axis=1), ends.astype(np.float64)


def normalized(spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide by the sum, unless it is 0: a reader's start and end may have underflowed."""
    total = spans.sum()
    return spans / total if total else spans
