"""What a model makes of one question: a probability for each span of context tokens.

- A reader gives one over all spans of at most its `max_span_length` tokens: P(start) P(end),
  divided by the sum of that over these spans, so that nothing is lost on spans that cannot be an
  answer.
- A scorer gives one over its candidates: their softmax.

Both are small: of a reader two numbers for each context token are kept, of a scorer three for each
candidate. Letters: C context tokens, L longest span, N candidates.
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
    def longest(self) -> int:
        """Tokens of the longest span that has a probability."""

    @property
    def is_finite(self) -> bool:
        """Whether all probabilities are numbers; those of a diverged training are not."""

    def table(self) -> NDArray[np.float64]:
        """Probabilities of spans, (C, L): by first token, and by the number of tokens after it."""


@dataclass(frozen=True)
class PointerDistribution:
    """What a reader makes of a question with C context tokens.

    Args:
        start: (C,) probability of each token as the first.
        end: (C,) probability of each token as the last.
        max_span_length: Longest span, in tokens.
    """

    start: Floats
    end: Floats
    max_span_length: int

    @property
    def longest(self) -> int:
        """Tokens of the longest span that has a probability."""
        return min(self.max_span_length, len(self.start))

    @property
    def is_finite(self) -> bool:
        """Whether all probabilities are numbers."""
        return bool(np.isfinite(self.start).all() and np.isfinite(self.end).all())

    def table(self) -> NDArray[np.float64]:
        """Probabilities of spans, (C, L): by first token, and by the number of tokens after it."""
        ends = np.pad(self.end.astype(np.float64), (0, self.longest - 1))
        starts = self.start.astype(np.float64)
        spans: NDArray[np.float64] = starts[:, None] * sliding_window_view(ends, self.longest)
        return normalized(spans)


@dataclass(frozen=True)
class CandidateDistribution:
    """What a scorer makes of a question with C context tokens and N candidates.

    Args:
        tokens: C.
        spans: (N, 2) first and last token of each candidate, inclusive.
        probabilities: (N,) of the candidates.
    """

    tokens: int
    spans: NDArray[np.int32]
    probabilities: Floats

    @property
    def longest(self) -> int:
        """Tokens of the longest span that has a probability."""
        return int((self.spans[:, 1] - self.spans[:, 0]).max()) + 1

    @property
    def is_finite(self) -> bool:
        """Whether all probabilities are numbers."""
        return bool(np.isfinite(self.probabilities).all())

    def table(self) -> NDArray[np.float64]:
        """Probabilities of spans, (C, L): by first token, and by the number of tokens after it."""
        table = np.zeros((self.tokens, self.longest))
        first, last = self.spans.T
        np.add.at(table, (first, last - first), self.probabilities)
        return table


def normalized(spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide by the sum, if anything is left: a reader's start and end may have underflowed."""
    total = spans.sum()
    return spans / total if total else spans
