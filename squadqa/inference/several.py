"""Answers to a question that several contexts may answer, picked over all of them.

All spans of all contexts share one softmax, and "no answer" with them where that is possible. A
context counts as much as its spans outweigh "no answer" in it, so that one which has nothing to say
does not get the probability of a full answer, as it would if each context were normalised alone.

Reference: Clark and Gardner, 2018, Simple and Effective Multi-Paragraph Reading Comprehension
(arXiv 1710.10723), on scores that are comparable between paragraphs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from squadqa.evaluation.predictions import Answer


@dataclass(frozen=True)
class Found:
    """The answers to a question in one of several contexts.

    Args:
        answers: The best spans, with their probabilities if the answer is in this context.
        log_weight: What the context has to say, against others (see `QAModel.log_weights`).
    """

    answers: Sequence[Answer]
    log_weight: float


def over_contexts(found: Sequence[Found], *, abstains: bool) -> tuple[list[Answer], float | None]:
    """Pick answers over several contexts.

    Args:
        found: The answers in each context.
        abstains: Whether none of the contexts may hold an answer.

    Returns:
        The answers of all contexts, the most probable first, each with the number of its context;
        and the probability that none of them holds one, None if one must.
    """
    shares, none = shares_of(np.array([one.log_weight for one in found]), abstains=abstains)
    answers = [
        replace(answer, probability=answer.probability * share, context=number)
        for number, (one, share) in enumerate(zip(found, shares.tolist(), strict=True))
        for answer in one.answers
    ]
    return sorted(answers, key=lambda answer: -answer.probability), none


def shares_of(
    log_weights: NDArray[np.float64], *, abstains: bool
) -> tuple[NDArray[np.float64], float | None]:
    """Return the probability of each context to hold the answer, and that of none of them.

    Args:
        log_weights: (C,) what each context has to say.
        abstains: Whether none of them may hold an answer; its log-weight is 0.
    """
    every = np.append(log_weights, 0.0) if abstains else log_weights
    weights = np.exp(every - every.max())
    shares = weights / weights.sum()
    return shares[: len(log_weights)], float(shares[-1]) if abstains else None


def mean_log_weights(
    members: Sequence[NDArray[np.float64]], *, abstain: Sequence[bool], weights: Sequence[float]
) -> NDArray[np.float64]:
    """Combine what members make of several contexts.

    The probabilities of contexts, if one holds the answer, are averaged over all members; that of
    none over those that may abstain.

    Args:
        members: (C,) log-weights of the contexts, by each member.
        abstain: Whether each member may abstain.
        weights: The members' weights, positive.

    Returns:
        (C,) log-weights.
    """
    total = sum(weights)
    shares = sum(
        weight / total * shares_of(one, abstains=False)[0]
        for one, weight in zip(members, weights, strict=True)
    )
    nones = [
        (shares_of(one, abstains=True)[1] or 0.0, weight)
        for one, may, weight in zip(members, abstain, weights, strict=True)
        if may
    ]
    with np.errstate(divide="ignore"):
        logs: NDArray[np.float64] = np.log(shares)
        if nones:
            none = sum(each * weight for each, weight in nones) / sum(weight for _, weight in nones)
            logs = logs + np.log1p(-none) - np.log(none)
    return logs
