"""Answers of several runs together, of whatever architecture and of both families.

The rule. For each question every member gives a distribution over spans of tokens:

- a reader, over all spans of at most its `max_span_length` tokens: P(start) P(end), divided by the
  sum of that over these spans, so that nothing is lost on spans that cannot be an answer;
- a scorer, over its candidates: their softmax.

The ensemble's probability of a span is the weighted mean of the members'; a span that a member does
not consider, because it is too long or no candidate, has probability 0 there. No list of best spans
is cut off before the mean is taken, so it is exact. The mean is geometric, over all spans that a
member considers, and a member's probability is raised by `FLOOR` there, so that none of them can
rule out a span alone; or it is arithmetic. Three readers on held-out articles, whose best has an F1
of 63.5, have 64.8 by the geometric mean and 64.0 by the arithmetic one; two have 64.1 and 64.2.

The answer is the most probable span or, on demand, that of the highest expected F1: its F1 in
tokens against every probable span, weighed by that one's probability. Measured with a reader and
two scorers, the latter is 1 F1 better and 1.6 exact match worse where questions have one answer, as
the held-out articles of SQuAD's train; on dev, where they have several, it is worse in both.

Weights can be fitted: those under which the arithmetic mean makes the answers of held-out questions
most probable. There is one such mixture, and expectation maximisation (Dempster, Laird and Rubin,
1977) walks to it.

Members read one after the other. What is kept of each is small: of a reader two numbers for each
context token of each question, of a scorer three for each candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from squadqa.data.dataset import QuestionDataset
from squadqa.data.held_out import held_out
from squadqa.data.prepare import Progress
from squadqa.data.squad import find_source
from squadqa.errors import DataError
from squadqa.evaluation.predictions import NBest
from squadqa.inference.predictor import Predictor, cut_spans, diverged
from squadqa.models.base import SpanLogits

Floats = NDArray[np.float32]

Aim = Literal["f1", "exact_match"]
"""What an answer is chosen for."""

Mean = Literal["geometric", "arithmetic"]
"""How the members' probabilities of a span become one."""

FLOOR = 1e-4
"""What is added to a member's probability of each span before the geometric mean is taken."""

CONSIDERED = 50
"""Most probable spans that the answer is one of, and that its expected F1 is summed over."""

FIT_STEPS = 1000
"""Steps of fitting weights at most; a hundred are usual."""

FITTED = 1e-5
"""Change of every weight in a step below which weights are fitted."""


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
        return _distribution(spans)


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


def mean_table(
    readings: Sequence[Reading], weights: Sequence[float], *, mean: Mean = "geometric"
) -> NDArray[np.float64]:
    """The weighted mean of what members make of one question.

    Args:
        readings: What each member makes of it.
        weights: The members' weights, positive; their sum may be anything.
        mean: Which one.

    Returns:
        (C, L) probabilities of spans by first token, and by tokens behind it.
    """
    tables = [reading.table() for reading in readings]
    every = np.zeros((len(tables), len(tables[0]), max(table.shape[1] for table in tables)))
    for table, given in zip(every, tables, strict=True):
        table[:, : given.shape[1]] = given
    shares = np.array(weights) / sum(weights)
    if mean == "arithmetic":
        return np.tensordot(shares, every, axes=1)
    product = np.exp(np.tensordot(shares, np.log(every + FLOOR), axes=1))
    product *= every.any(axis=0)
    return _distribution(product)


def held_out_questions(
    predictor: Predictor,
    *,
    cache_dir: str | Path | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> QuestionDataset[Any]:
    """Open the questions that a member's training chose its checkpoint by, with their answers.

    Args:
        predictor: The member.
        cache_dir: Folder of prepared data (see `Predictor.prepare`).
        workers: Processes that annotate; 0 takes one for each core.
        progress: Called now and then.

    Raises:
        SquadQAError: The data of the training is not there any more, or cannot be prepared.
    """
    own = predictor.run.held_out
    data = predictor.prepare(
        find_source(own.source, part="dev" if own.share is None else "train"),
        cache_dir=cache_dir,
        bad_answers=own.bad_answers,
        workers=workers,
        progress=progress,
    )
    rows = None if own.share is None else np.flatnonzero(held_out(data, share=own.share))
    return predictor.run.inputs.dataset(data, rows)


def fit_weights(dataset: QuestionDataset[Any], members: Sequence[Sequence[Reading]]) -> list[float]:
    """Find the weights that make the answers of questions most probable.

    Args:
        dataset: The questions with their answers, which no member has learned from.
        members: What each member makes of each question, in the data set's order.

    Returns:
        The members' weights, which sum to 1.

    Raises:
        DataError: No member gives any answer a probability.
    """
    first = dataset.data.start_positions[dataset.rows]
    last = dataset.data.end_positions[dataset.rows]
    found = [
        [_probability(reading, *span) for reading, *span in zip(readings, first, last, strict=True)]
        for readings in members
    ]
    given = np.array(found).T  # (N, M)
    given = given[given.sum(axis=1) > 0]
    if not len(given):
        raise DataError(
            f'no member gives an answer of "{dataset.data.source}" a probability: there is nothing '
            "to fit weights to",
            next_step="Name data whose questions have answers, or give the weights.",
        )
    weights = np.full(len(members), 1 / len(members))
    for _ in range(FIT_STEPS):
        shares = weights * given
        new = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
        is_fitted = np.abs(new - weights).max() < FITTED
        weights = new
        if is_fitted:
            break
    return [float(weight) for weight in weights]


def ensemble_answers(
    dataset: QuestionDataset[Any],
    members: Sequence[Sequence[Reading]],
    *,
    weights: Sequence[float] | None = None,
    n_best: int = 1,
    aim: Aim = "exact_match",
    mean: Mean = "geometric",
) -> dict[str, list[NBest]]:
    """Answer every question by the mean of what the members make of it.

    Args:
        dataset: The questions, as any member's run makes them.
        members: What each member makes of each question, in the data set's order.
        weights: The members' weights, 0 or more; None weighs all alike.
        n_best: Most spans to give of each question.
        aim: What to choose the answer for.
        mean: Which mean it is.

    Returns:
        The best spans of each question id: by expected F1, or by probability for exact match; ids
        in the data set's order.
    """
    weights = [1.0] * len(members) if weights is None else weights
    found = {}
    for item, readings in enumerate(zip(*members, strict=True)):
        spans, probabilities = _probable(
            mean_table(readings, weights, mean=mean), n_best if aim == "exact_match" else CONSIDERED
        )
        if aim == "f1":
            order = np.argsort(-expected_f1(spans, probabilities), kind="stable")[:n_best]
            spans, probabilities = spans[order], probabilities[order]
        found[dataset.id_of(item)] = cut_spans(dataset, item, spans, probabilities)
    return found


def expected_f1(
    spans: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What F1 in tokens to expect of each span, if one of them is right.

    Args:
        spans: (K, 2) first and last token, inclusive.
        probabilities: (K,) of their being right.

    Returns:
        (K,) sums over all spans.
    """
    first, last = spans.T
    shared = np.minimum(last[:, None], last) - np.maximum(first[:, None], first) + 1  # (K, K)
    length = last - first + 1
    f1 = 2 * shared.clip(min=0) / (length[:, None] + length)
    expected: NDArray[np.float64] = f1 @ probabilities
    return expected


def _distribution(spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide by the sum, if anything is left: a reader's start and end may have underflowed."""
    total = spans.sum()
    return spans / total if total else spans


def _probability(reading: Reading, first: int, last: int) -> float:
    """The probability of a span; 0 where there is none, or none so long."""
    if first < 0 or last - first >= reading.longest:
        return 0.0
    return float(reading.table()[first, last - first])


def _probable(
    table: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(K, 2) most probable spans, the first of equal ones first, and (K,) probabilities.

    One at least; more only where they have a probability.
    """
    places = np.array([table.argmax()])
    if count > 1:
        flat = table.ravel()
        bound = np.partition(flat, -count)[-count] if count < len(flat) else 0.0
        places = np.flatnonzero((flat >= bound) & (flat > 0))
        places = places[np.argsort(-flat[places], kind="stable")[:count]]
        places = places if len(places) else np.array([0])
    first, behind = np.unravel_index(places, table.shape)
    return np.stack([first, first + behind], axis=1), table[first, behind]
