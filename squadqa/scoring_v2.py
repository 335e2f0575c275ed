"""The official SQuAD v2.0 score: some questions have no answer, and the right reply is none.

Reference: Rajpurkar, Jia and Liang, 2018, Know What You Don't Know: Unanswerable Questions for
SQuAD (arXiv 1806.03822), and the rule of the evaluation script v2.0.

What differs from `squadqa.scoring`: a question without answers is rightly answered by an empty
text. References that are empty after normalisation do not count. Two texts that are both empty
after normalisation have an F1 of 1. A question without a prediction is left out of the totals
instead of scoring 0.

With a probability of "no answer" for each question, the rule also finds the best threshold: a
question whose probability is at most the threshold has its predicted text, any other has none.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from squadqa.errors import DataError
from squadqa.scoring import exact_match, f1, normalize_answer, score_pairs

NO_ANSWER = ""
"""The text that says a question has no answer."""


@dataclass(frozen=True)
class Part:
    """The score of some of the questions, such as those that have no answer.

    Args:
        exact_match: Mean exact match, in percent.
        f1: Mean F1, in percent.
        total: How many of the questions have a prediction.
    """

    exact_match: float
    f1: float
    total: int


@dataclass(frozen=True)
class Threshold:
    """A threshold of the probability of "no answer", and the score with it.

    Args:
        score: Mean exact match or F1 with it, in percent.
        threshold: Questions whose probability is higher have no answer.
    """

    score: float
    threshold: float


@dataclass(frozen=True)
class ScoreV2:
    """The score of a set of predictions by the rule of SQuAD v2.0.

    Args:
        exact_match: Mean exact match over the questions that have a prediction, in percent.
        f1: Mean F1 over them, in percent.
        total: Their number.
        missing: Number of questions without a prediction, which do not count.
        has_answer: The score of the questions that have an answer; None if there are none.
        no_answer: The score of those that have none; None if there are none.
        best_exact_match: The best threshold for exact match; None if no probabilities were given.
        best_f1: The best threshold for F1; None if no probabilities were given.
    """

    exact_match: float
    f1: float
    total: int
    missing: int
    has_answer: Part | None
    no_answer: Part | None
    best_exact_match: Threshold | None = None
    best_f1: Threshold | None = None

    def official(self) -> dict[str, float]:
        """Return the values by the official script's names; what does not exist is left out."""
        values: dict[str, float] = {"exact": self.exact_match, "f1": self.f1, "total": self.total}
        for name, part in (("HasAns", self.has_answer), ("NoAns", self.no_answer)):
            if part is not None:
                values |= {f"{name}_exact": part.exact_match, f"{name}_f1": part.f1}
                values[f"{name}_total"] = part.total
        for name, best in (("best_exact", self.best_exact_match), ("best_f1", self.best_f1)):
            if best is not None:
                values |= {name: best.score, f"{name}_thresh": best.threshold}
        return values


def score_pair(prediction: str, references: Sequence[str]) -> tuple[float, float]:
    """Score the prediction of one question.

    Args:
        prediction: The predicted text; `NO_ANSWER` says that there is none.
        references: The given answers; none if the question has no answer.

    Returns:
        Exact match (0 or 1) and F1 (0 to 1).
    """
    counted = [reference for reference in references if normalize_answer(reference)]
    if not normalize_answer(prediction) or not counted:
        right = float(not normalize_answer(prediction) and not counted)
        return right, right
    return exact_match(prediction, counted), f1(prediction, counted)


def score_each(
    texts: Iterable[str], references: Iterable[Sequence[str]], *, is_v2: bool
) -> tuple[list[float], list[float]]:
    """Score questions one by one.

    Args:
        texts: The predicted text of each question.
        references: The given answers of each question, in the same order.
        is_v2: Whether the rule of SQuAD v2.0 counts, by which a question may have no answer.

    Returns:
        Exact match (0 or 1) and F1 (0 to 1) of each question.

    Raises:
        DataError: By the rule of v1.1, a question has no references.
    """
    if not is_v2:
        return score_pairs(texts, references)
    pairs = [score_pair(*pair) for pair in zip(texts, references, strict=True)]
    return [one for one, _ in pairs], [one for _, one in pairs]


def score_v2(
    references: Mapping[str, Sequence[str]],
    predictions: Mapping[str, str],
    *,
    no_answer_probabilities: Mapping[str, float] | None = None,
) -> ScoreV2:
    """Score predictions as the official script of SQuAD v2.0 does.

    Args:
        references: The given answers of each question id; none for a question without an answer.
        predictions: The predicted text by question id. Questions that are missing here are left out
            of the totals, but those of them that have no answer still count as right where the best
            threshold is searched. An id that is not among the references is ignored.
        no_answer_probabilities: The probability of "no answer" by question id, for the search of
            the best threshold; None searches none.

    Raises:
        DataError: There are no questions, or no question has a prediction.
    """
    scored = {
        name: score_pair(predictions[name], answers)
        for name, answers in references.items()
        if name in predictions
    }
    if not scored:
        raise DataError("there are no questions with a prediction to score")
    answerable = {name for name, answers in references.items() if answers}
    bests: list[Threshold | None] = [None, None]
    if no_answer_probabilities is not None:
        known = [name for name in no_answer_probabilities if name in scored]
        gains = [_gains(name in answerable, predictions[name], scored[name]) for name in known]
        probabilities = [no_answer_probabilities[name] for name in known]
        start = len(references) - len(answerable)
        bests = [
            _in_percent(
                best_threshold([gain[which] for gain in gains], probabilities, start=start),
                len(scored),
            )
            for which in (0, 1)
        ]
    whole = _part(scored, scored)
    return ScoreV2(
        exact_match=whole.exact_match,
        f1=whole.f1,
        total=whole.total,
        missing=len(references) - whole.total,
        has_answer=_part_or_none(scored, [name for name in scored if name in answerable]),
        no_answer=_part_or_none(scored, [name for name in scored if name not in answerable]),
        best_exact_match=bests[0],
        best_f1=bests[1],
    )


def require_a_reference(references: Mapping[str, Sequence[str]], source: str) -> None:
    """Check that questions of which some may have no answer are not all without one.

    Args:
        references: The given answers of each question id.
        source: Where the questions come from, for messages.

    Raises:
        DataError: None has an answer.
    """
    if not any(references.values()):
        raise DataError(
            f'"{source}": none of the {len(references):,} questions has an answer to score against',
            hint="They seem to be questions whose answers are not known.",
            next_step="Name a file with answers; `squadqa predict` needs none.",
        )


def best_threshold(
    gains: Sequence[float],
    probabilities: Sequence[float],
    *,
    start: float = 0.0,
    keeps_ties: bool = False,
) -> tuple[float, float]:
    """Find the threshold that scores most, where questions at or below it are answered.

    Args:
        gains: What answering each question adds to the sum of scores: its score, or -1 if it has
            no answer and is given one.
        probabilities: The probability of "no answer" of each question.
        start: The sum of scores if no question is answered: how many have no answer.
        keeps_ties: Answer questions of equal probabilities together, as a threshold must. Without
            it, they are taken one by one in their order, as in the official script.

    Returns:
        The largest sum of scores, and its threshold; 0 if no question is to be answered.
    """
    order = sorted(range(len(gains)), key=probabilities.__getitem__)
    largest, threshold, total = start, 0.0, start
    following = [after for _, after in pairwise(order)] + [None]
    for place, after in zip(order, following, strict=True):
        total += gains[place]
        is_open = keeps_ties and after is not None and probabilities[after] == probabilities[place]
        if total > largest and not is_open:
            largest, threshold = total, probabilities[place]
    return largest, threshold


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Return how well numbers tell two kinds of questions apart: the area under the ROC curve.

    Args:
        positive: The numbers of one kind, such as the probabilities of "no answer" of questions
            that have none.
        negative: The numbers of the other kind.

    Returns:
        The share of pairs in which the positive one has the larger number, 0 to 1; equal ones count
        half. None if one kind is empty.
    """
    if not positive or not negative:
        return None
    marked = sorted([(value, 1) for value in positive] + [(value, 0) for value in negative])
    won, below, place = 0.0, 0, 0
    while place < len(marked):
        end = place
        while end < len(marked) and marked[end][0] == marked[place][0]:
            end += 1
        positives = sum(mark for _, mark in marked[place:end])
        negatives = end - place - positives
        won += positives * (below + negatives / 2)
        below += negatives
        place = end
    return won / (len(positive) * len(negative))


def _gains(has_answer: bool, prediction: str, score: tuple[float, float]) -> tuple[float, float]:
    """What giving the prediction adds, in exact match and F1, to saying that there is no answer."""
    if has_answer:
        return score
    return (-1.0, -1.0) if prediction else (0.0, 0.0)


def _in_percent(found: tuple[float, float], total: int) -> Threshold:
    return Threshold(100.0 * found[0] / total, found[1])


def _part(scored: Mapping[str, tuple[float, float]], names: Collection[str]) -> Part:
    exact, f1s = zip(*(scored[name] for name in names), strict=True)
    return Part(100.0 * sum(exact) / len(names), 100.0 * sum(f1s) / len(names), len(names))


def _part_or_none(scored: Mapping[str, tuple[float, float]], names: Collection[str]) -> Part | None:
    return _part(scored, names) if names else None
