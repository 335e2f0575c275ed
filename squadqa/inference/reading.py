"""What a run reads, such as its held-out questions, and makes of them: distributions, answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squadqa.data.dataset import QuestionDataset
from squadqa.data.held_out import held_out
from squadqa.data.negatives import VAL_SEED, with_negatives
from squadqa.data.prepared import PreparedData
from squadqa.errors import CheckpointError
from squadqa.evaluation.predictions import Answer
from squadqa.inference.run_folder import HeldOut, Run
from squadqa.models.distributions import SpanDistribution


@dataclass(frozen=True)
class Reading:
    """A model's distributions for questions.

    Args:
        dataset: The questions.
        distributions: The probabilities of each question's spans.
    """

    dataset: QuestionDataset[Any]
    distributions: Sequence[SpanDistribution]


def held_out_questions(
    own: HeldOut, data: PreparedData
) -> tuple[PreparedData, NDArray[np.int64] | None]:
    """Choose the validation questions of a training's prepared data.

    Args:
        own: Which these are.
        data: The source that holds them.

    Returns:
        The data, with the questions that the training made of others, and the rows to take; None
        takes all.
    """
    rows = np.arange(len(data.ids))
    if own.share is not None:
        rows = np.flatnonzero(held_out(data, share=own.share))
    elif data.unanswerable.any():
        return data, None
    if own.negatives:
        number = len(data.ids)
        data, made_of = with_negatives(data, rows, share=own.negatives, seed=VAL_SEED)
        rows = np.concatenate([rows, number + np.arange(len(made_of))])
    return data, rows


def diverged(run: Run) -> CheckpointError:
    """Make the error for a run whose scores are NaN."""
    return CheckpointError(
        f'"{run.checkpoint.path}" gives NaN instead of numbers: its training diverged',
        next_step="Use another checkpoint or run, or train with a lower learning rate.",
    )


def cut_spans(
    dataset: QuestionDataset[Any],
    item: int,
    spans: NDArray[np.int64],
    probabilities: NDArray[np.float64],
) -> list[Answer]:
    """Make answers of spans, with their texts and characters.

    Args:
        dataset: The questions.
        item: The question's index among them.
        spans: (K, 2) first and last tokens, inclusive; one at least.
        probabilities: (K,) probabilities of the spans.
    """
    data = dataset.data
    context: str = data.contexts[int(data.paragraphs[dataset.rows[item]])].as_py()
    answers = []
    for (first, last), probability in zip(spans.tolist(), probabilities.tolist(), strict=True):
        start, end = dataset.characters_of(item, first, last)
        answers.append(Answer(context[start:end], probability, start, end))
    assert answers, "a context with text has a token, and a token is a span"
    return answers
