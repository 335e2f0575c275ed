"""The official SQuAD v1.1 score: how close a predicted text is to its closest reference answer.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250), section 6.1, and the evaluation script v1.1
published with the data set. The two maxima over the references are taken independently.
"""

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from squadqa.errors import DataError

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class Score:
    """The score of a set of predictions.

    Args:
        exact_match: Mean exact match over all questions, in percent.
        f1: Mean F1 over all questions, in percent.
        total: Number of questions, including those without a prediction.
        missing: Number of questions without a prediction; each scores 0.
    """

    exact_match: float
    f1: float
    total: int
    missing: int


@lru_cache(maxsize=1 << 16)  # the same answers come again in every epoch
def normalize_answer(text: str) -> str:
    """Lower-case, delete ASCII punctuation (its sides join) and articles, tidy white space.

    Args:
        text: An answer, predicted or given. Dashes and quotes outside ASCII stay.
    """
    return " ".join(_ARTICLE.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split())


def exact_match(prediction: str, references: Sequence[str]) -> float:
    """Return whether a prediction equals any reference after normalisation.

    Args:
        prediction: The predicted text.
        references: The given answers, one or more.

    Returns:
        1 or 0; 1 also if prediction and reference are both empty after normalisation.

    Raises:
        DataError: There are no references.
    """
    return float(normalize_answer(prediction) in _normalized(references))


def f1(prediction: str, references: Sequence[str]) -> float:
    """Compare the bag of words of a prediction with that of its best reference.

    Args:
        prediction: The predicted text.
        references: The given answers, one or more.

    Returns:
        The largest harmonic mean of precision and recall, 0 to 1; 0 if prediction and reference are
        both empty after normalisation, as in the official script.

    Raises:
        DataError: There are no references.
    """
    words = normalize_answer(prediction).split()
    return max(_word_f1(words, reference.split()) for reference in _normalized(references))


def score_pairs(
    predictions: Iterable[str], references: Iterable[Sequence[str]]
) -> tuple[list[float], list[float]]:
    """Score questions one by one.

    Args:
        predictions: The predicted text of each question.
        references: The given answers of each question, in the same order.

    Returns:
        Exact match (0 or 1) and F1 (0 to 1) of each question.

    Raises:
        DataError: A question has no references.
    """
    pairs = list(zip(predictions, references, strict=True))
    return [exact_match(*pair) for pair in pairs], [f1(*pair) for pair in pairs]


def score(references: Mapping[str, Sequence[str]], predictions: Mapping[str, str]) -> Score:
    """Score predictions as the official script does.

    Args:
        references: The given answers of each question id. Scores are summed in this order.
        predictions: The predicted text by question id. An id that is missing here scores 0 and
            counts; an id that is not among the references is ignored.

    Raises:
        DataError: There are no questions, or one has no references.
    """
    if not references:
        raise DataError("there are no questions to score")
    for question_id, answers in references.items():
        if not answers:
            raise DataError(
                f'question "{question_id}" has no answers to score against',
                next_step="Score on a file in which every question has answers.",
            )
    answered = [question_id for question_id in references if question_id in predictions]
    exact_matches, f1s = score_pairs(
        (predictions[question_id] for question_id in answered),
        (references[question_id] for question_id in answered),
    )
    total = len(references)
    return Score(
        exact_match=100.0 * sum(exact_matches) / total,
        f1=100.0 * sum(f1s) / total,
        total=total,
        missing=total - len(answered),
    )


def require_references(
    references: Mapping[str, Sequence[str]],
    source: str,
    *,
    next_step: str = "Name a file in which every question has answers; `squadqa predict` needs "
    "none.",
) -> None:
    """Check that every question can be scored.

    Args:
        references: The given answers of each question id.
        source: Where the questions come from, for messages.
        next_step: The advice if one cannot.

    Raises:
        DataError: A question has no answers.
    """
    without = [name for name, answers in references.items() if not answers]
    if without:
        raise DataError(
            f'"{source}": {len(without):,} of {len(references):,} questions have no answers to '
            f'score against, such as "{without[0]}"',
            next_step=next_step,
        )


def _normalized(references: Sequence[str]) -> set[str]:
    if not references:
        raise DataError("a question has no answers to score against")
    return {normalize_answer(reference) for reference in references}


def _word_f1(prediction: list[str], reference: list[str]) -> float:
    common = (Counter(prediction) & Counter(reference)).total()
    if common == 0:
        return 0.0
    precision = common / len(prediction)
    recall = common / len(reference)
    return 2 * precision * recall / (precision + recall)
