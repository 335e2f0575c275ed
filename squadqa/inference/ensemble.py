"""Answers of several runs together, of whatever architecture and of both families.

The rule. For each question every member gives a distribution over spans of tokens:

- a reader, over all spans of at most its `max_span_length` tokens: P(start) P(end), divided by the
  sum of that over these spans, so that nothing is lost on spans that cannot be an answer;
- a scorer, over its candidates: their softmax.

The ensemble's probability of a span is the weighted mean of the members'; a span that a member does
not consider, because it is too long or no candidate, has probability 0 there. No list of best spans
is cut off before the mean is taken, so it is exact. The most probable span is the answer.

Members read one after the other. What is kept of each is small: of a reader two numbers for each
context token of each question, of a scorer three for each candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from squadqa.data.dataset import QuestionDataset
from squadqa.data.prepare import Progress
from squadqa.evaluation.predictions import NBest
from squadqa.inference.predictor import Predictor, cut_spans, diverged
from squadqa.models.base import SpanLogits

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class PointerReading:
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

    def table(self) -> NDArray[np.float64]:
        """Probabilities of spans, (C, L): by first token, and by tokens behind it."""
        ends = np.pad(self.end.astype(np.float64), (0, self.longest - 1))
        starts = self.start.astype(np.float64)
        spans: NDArray[np.float64] = starts[:, None] * sliding_window_view(ends, self.longest)
        total = spans.sum()
        return spans / total if total else spans  # nothing is left where both have underflowed


@dataclass(frozen=True)
class CandidateReading:
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

    def table(self) -> NDArray[np.float64]:
        """Probabilities of spans, (C, L): by first token, and by tokens behind it."""
        table = np.zeros((self.tokens, self.longest))
        first, last = self.spans.T
        np.add.at(table, (first, last - first), self.probabilities)
        return table


Reading = PointerReading | CandidateReading


def read_questions(
    predictor: Predictor, dataset: QuestionDataset[Any], *, progress: Progress | None = None
) -> list[Reading]:
    """Let one member of an ensemble read every question.

    Args:
        predictor: The member.
        dataset: The questions, made by the inputs of the member's run.
        progress: Called after each batch.

    Returns:
        What it makes of each question, in the data set's order.

    Raises:
        CheckpointError: The weights do not fit, or give no numbers.
    """

    def probabilities(logits: Tensor) -> Floats:
        if torch.isnan(logits).any():
            raise diverged(predictor.run)
        softmax: Floats = torch.softmax(logits.float(), dim=1).cpu().numpy()
        return softmax

    lengths = dataset.context_lengths
    found: dict[int, Reading] = {}
    for items, batch, output in predictor.outputs(dataset, progress=progress):
        tokens = lengths[items].tolist()
        if isinstance(output, SpanLogits):
            limit = predictor.run.max_span_length
            assert limit is not None
            start, end = (probabilities(one) for one in (output.start_logits, output.end_logits))
            read: list[Reading] = [
                PointerReading(its_start[:count].copy(), its_end[:count].copy(), limit)
                for count, its_start, its_end in zip(tokens, start, end, strict=True)
            ]
        else:
            spans = batch.candidate_spans.cpu().numpy().astype(np.int32)
            masks = batch.candidate_mask.cpu().numpy()
            read = [
                CandidateReading(count, its_spans[mask], its_probabilities[mask])
                for count, its_spans, mask, its_probabilities in zip(
                    tokens, spans, masks, probabilities(output), strict=True
                )
            ]
        found.update(zip(items, read, strict=True))
    return [found[item] for item in range(len(dataset))]


def mean_table(readings: Sequence[Reading], weights: Sequence[float]) -> NDArray[np.float64]:
    """The weighted mean of what members make of one question.

    Args:
        readings: What each member makes of it.
        weights: The members' weights, positive; their sum may be anything.

    Returns:
        (C, L) probabilities of spans by first token, and by tokens behind it.
    """
    tables = [reading.table() for reading in readings]
    mean = np.zeros((len(tables[0]), max(table.shape[1] for table in tables)))
    for table, weight in zip(tables, weights, strict=True):
        mean[:, : table.shape[1]] += weight / sum(weights) * table
    return mean


def ensemble_answers(
    dataset: QuestionDataset[Any],
    members: Sequence[Sequence[Reading]],
    *,
    weights: Sequence[float] | None = None,
    n_best: int = 1,
) -> dict[str, list[NBest]]:
    """Answer every question by the mean of what the members make of it.

    Args:
        dataset: The questions, as any member's run makes them.
        members: What each member makes of each question, in the data set's order.
        weights: The members' weights, positive; None weighs all alike.
        n_best: Most spans to give of each question.

    Returns:
        The best spans of each question id, the most probable first; ids in the data set's order.
    """
    weights = [1.0] * len(members) if weights is None else weights
    found = {}
    for item, readings in enumerate(zip(*members, strict=True)):
        table = mean_table(readings, weights)
        first, behind = _best(table, n_best)
        spans = np.stack([first, first + behind], axis=1)
        found[dataset.id_of(item)] = cut_spans(dataset, item, spans, table[first, behind])
    return found


def _best(table: NDArray[np.float64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of the largest values, the first of equal ones first; one at least."""
    places = np.array([table.argmax()])
    if count > 1:
        places = np.argsort(-table, axis=None, kind="stable")[:count]
        places = places[: max(1, int((table.flat[places] > 0).sum()))]
    rows, columns = np.unravel_index(places, table.shape)
    return rows, columns
