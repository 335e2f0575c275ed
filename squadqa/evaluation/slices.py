"""Detailed scores: by type of answer, and how often the right sentence was found."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from squadqa.data.candidates.parse import parse_paragraphs
from squadqa.data.prepare import PreparedData
from squadqa.evaluation.answer_types import ANSWER_TYPES, answer_types
from squadqa.scoring import Score, score

PAPER_F1 = dict(
    zip(ANSWER_TYPES, (72.1, 62.5, 56.2, 55.4, 52.2, 46.5, 37.9, 31.2, 34.3, 34.8), strict=True)
)
"""F1 in percent of the paper's logistic regression on SQuAD v1.1 dev, by type of answer.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250), section 6.
"""

PAPER_SENTENCE_ACCURACY = 79.3
"""How often, in percent, the paper's logistic regression finds the right sentence of dev."""


@dataclass(frozen=True)
class DetailedScore:
    """Detailed scores.

    Args:
        by_answer_type: The score by type of answer (see `scores_by_type`).
        sentence_accuracy: How often the right sentence was found, in percent (see
            `sentence_accuracy`); None if only the texts of the answers are known.
    """

    by_answer_type: dict[str, Score]
    sentence_accuracy: float | None


def score_in_detail(
    data: PreparedData,
    predictions: Mapping[str, str],
    *,
    spans: Mapping[str, tuple[int, int]] | None = None,
) -> DetailedScore:
    """Score predictions in detail.

    Args:
        data: A prepared source with annotation.
        predictions: The predicted text by question id; an id that is missing scores 0.
        spans: The predicted characters by question id, half-open; None if only texts are known.

    Raises:
        DataError: A question has no references, or the source was prepared without annotation.
    """
    return DetailedScore(
        by_answer_type=scores_by_type(data, predictions),
        sentence_accuracy=None if spans is None else sentence_accuracy(data, spans),
    )


def scores_by_type(data: PreparedData, predictions: Mapping[str, str]) -> dict[str, Score]:
    """Score the questions of each type of answer separately.

    Args:
        data: A prepared source with annotation.
        predictions: The predicted text by question id; an id that is missing scores 0.

    Returns:
        The score by type (see `answer_types`), in the order of `ANSWER_TYPES`; types that do not
        occur are left out.

    Raises:
        DataError: A question has no references, or the source was prepared without annotation.
    """
    references: dict[str, dict[str, list[str]]] = {name: {} for name in ANSWER_TYPES}
    types = answer_types(data).tolist()
    for (question_id, answers), number in zip(data.references.items(), types, strict=True):
        references[ANSWER_TYPES[number]][question_id] = answers
    return {name: score(some, predictions) for name, some in references.items() if some}


def sentence_accuracy(data: PreparedData, spans: Mapping[str, tuple[int, int]]) -> float:
    """Measure how often the chosen span is in the sentence of a reference.

    A question counts if its whole chosen span is in the sentence of any of its references. If a
    reference extends over several sentences, all of these count. References that are not at their
    `answer_start` are ignored.

    Args:
        data: A prepared source; its sentences are those of its annotation.
        spans: The first character of the chosen span and the character after its last one, by
            question id; a missing id counts as wrong.

    Returns:
        The share of all questions, in percent.
    """
    parse = parse_paragraphs(data)
    first_tokens = parse.sentence_bounds[:-1]
    paragraphs = np.searchsorted(parse.bounds, first_tokens, side="right") - 1
    # A key for each character of the source, so that one search finds all sentences.
    begins = (paragraphs << 32) + data.tokens.offset_mapping[first_tokens, 0]

    chosen = [(-1, -1)] * len(data.ids)
    golds = []
    contexts = data.contexts.to_pylist()
    rows = zip(
        data.ids.to_pylist(),
        data.paragraphs.tolist(),
        data.answer_texts.to_pylist(),
        data.answer_starts.to_pylist(),
        strict=True,
    )
    for row, (question_id, paragraph, texts, starts) in enumerate(rows):
        key = paragraph << 32
        if question_id in spans:
            start, end = spans[question_id]
            chosen[row] = (key + start, key + end - 1)
        for text, start in zip(texts, starts, strict=True):
            end = start + len(text.rstrip())
            begin = start + len(text) - len(text.lstrip())
            if 0 <= begin < end and contexts[paragraph][start:end] == text.rstrip():
                golds.append((row, key + begin, key + end - 1))
    gold = np.array(golds, np.int64).reshape(-1, 3)
    gold_sentences = np.searchsorted(begins, gold[:, 1:], side="right")
    sentences = np.searchsorted(begins, np.array(chosen, np.int64), side="right")[gold[:, 0]]
    inside = (gold_sentences[:, 0] <= sentences[:, 0]) & (sentences[:, 1] <= gold_sentences[:, 1])
    return 100.0 * len(np.unique(gold[inside, 0])) / len(data.ids)
