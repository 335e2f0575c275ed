"""Answers of a run that may abstain: "no answer" is one of them."""

from collections.abc import Sequence
from dataclasses import replace

from squadqa.evaluation.predictions import Answer
from squadqa.scoring_v2 import NO_ANSWER


def with_no_answer(
    answers: Sequence[Answer], probability: float, *, threshold: float | None, n_best: int
) -> list[Answer]:
    """Put "no answer" among a question's answers.

    Args:
        answers: The most probable spans, the best first.
        probability: The probability of "no answer".
        threshold: If the probability is above it, "no answer" comes first; otherwise it has the
            place of its probability, but not the first. None leaves it out.
        n_best: Most answers to return.

    Returns:
        The answers, each with the probability of "no answer".
    """
    told = [replace(answer, no_answer_probability=probability) for answer in answers]
    if threshold is None:
        return told[:n_best]
    place = 0
    if probability <= threshold:
        place = max(1, sum(answer.probability >= probability for answer in told))
    none = Answer(NO_ANSWER, probability, 0, 0, no_answer_probability=probability)
    return [*told[:place], none, *told[place:]][:n_best]
