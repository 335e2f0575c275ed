"""What probabilities of answers are worth: calibration, reliability, and risk against coverage.

References: Guo, Pleiss, Sun and Weinberger, 2017, On Calibration of Modern Neural Networks (arXiv
1706.04599), for the temperature and the expected calibration error; El-Yaniv and Wiener, 2010, On
the Foundations of Noise-free Selective Classification, for risk and coverage.

Letters: N questions, T temperatures.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squadqa.evaluation.calibration import TEMPERATURES, Calibration
from squadqa.evaluation.reliability import reliability_diagram
from squadqa.scoring import exact_match, f1
from squadqa.scoring_v2 import best_threshold, score_pair

MOST_POINTS = 1000
"""Most points of a curve of risk and coverage."""

SMALLEST = 1e-12
"""Probabilities of 0 and 1 count as this far from them in a logarithm."""

Floats = NDArray[np.float64]


def calibrated(
    answers: Floats,
    no_answers: Floats | None,
    *,
    exact: Floats,
    f1: Floats,
    unanswerable: NDArray[np.bool_],
) -> Calibration:
    """Choose the temperature, and with it the threshold of "no answer".

    The temperature makes what happened most probable: which best answers are exact matches, and
    which questions have no answer. The threshold is that of the best mean F1.

    Args:
        answers: (N, T) probability of each question's best answer, at each of `TEMPERATURES`.
        no_answers: (N, T) likewise, of "no answer"; None from a model that answers every question.
        exact: (N,) exact match of the best answer, 0 or 1.
        f1: (N,) its F1, 0 to 1.
        unanswerable: (N,) True if the question has no answer.
    """
    losses = log_losses(answers, exact)
    if no_answers is not None:
        no_answers = np.nan_to_num(no_answers, nan=1.0)  # after a diverged training
        losses = losses + log_losses(no_answers, unanswerable.astype(np.float64))
    best = int(losses.argmin()) if np.isfinite(losses).all() else TEMPERATURES.index(1.0)
    threshold = None
    if no_answers is not None:
        gains = np.where(unanswerable, -1.0, f1)
        _, threshold = best_threshold(gains.tolist(), no_answers[:, best].tolist(), keeps_ties=True)
    return Calibration(TEMPERATURES[best], threshold)


def log_losses(probabilities: Floats, happened: Floats) -> Floats:
    """Return (T,) mean negative log-likelihoods of (N,) events by (N, T) probabilities."""
    certain = probabilities.clip(SMALLEST, 1 - SMALLEST)
    events = happened[:, None]
    losses: Floats = -(events * np.log(certain) + (1 - events) * np.log1p(-certain)).mean(axis=0)
    return losses


def reliability(probabilities: Floats, right: Floats) -> dict[str, Any]:
    """Compare probabilities with how often the answers were right.

    Args:
        probabilities: (N,) probability of each answer.
        right: (N,) whether it was right, 0 or 1.

    Returns:
        "ece", the expected calibration error: the mean distance, over the questions, between a
        bin's mean probability and the share of its answers that are right; "log_loss", their mean
        negative log-likelihood in nats; and "bins", each with its bounds "from" and "to", its
        "questions", and their mean "probability" and share "right"; empty bins are left out.
    """
    diagram = reliability_diagram(probabilities, right)
    return {
        "ece": diagram.error / 100,
        "log_loss": float(log_losses(probabilities[:, None], right)[0]),
        "bins": [
            {
                "from": one.low,
                "to": one.high,
                "questions": one.questions,
                "probability": one.probability,
                "right": one.exact_match,
            }
            for one in diagram.bins
        ],
    }


def risk_coverage(probabilities: Floats, right: Floats) -> dict[str, Any]:
    """Measure how often answers are wrong if only the most probable ones are given.

    Args:
        probabilities: (N,) probability of each answer.
        right: (N,) whether it was right, from 0 to 1.

    Returns:
        "area", the mean risk over all coverages; and "curve", points of "coverage" (the share of
        questions that are answered), "risk" (the share of these that are wrong) and "probability"
        (that of the last one answered). Answers of equal probability are given together.
    """
    order = np.argsort(-probabilities, kind="stable")
    sorted_probabilities = probabilities[order]
    answered = np.arange(1, len(order) + 1)
    risks = 1 - np.cumsum(right[order]) / answered
    ends = np.flatnonzero(np.append(np.diff(sorted_probabilities) != 0, True))
    group = np.searchsorted(ends, np.arange(len(order)))
    shown = ends[np.unique(np.linspace(0, len(ends) - 1, MOST_POINTS).round().astype(np.int64))]
    return {
        "area": float(risks[ends][group].mean()),
        "curve": [
            {
                "coverage": (place + 1) / len(order),
                "risk": float(risks[place]),
                "probability": float(sorted_probabilities[place]),
            }
            for place in shown.tolist()
        ],
    }


def confidence_report(
    before: Mapping[str, tuple[float, float | None]],
    after: Mapping[str, tuple[float, float | None]],
    *,
    references: Mapping[str, Sequence[str]],
    texts: Mapping[str, str],
    threshold: float | None,
) -> dict[str, Any]:
    """Measure what the probabilities of answers are worth, without and with the temperature.

    Args:
        before: The probabilities of each question's best span and of "no answer", None from a run
            that answers every question; without the temperature.
        after: The same with the temperature.
        references: The given answers of each question id.
        texts: The text of the best span of each question id.
        threshold: The threshold of "no answer"; None if every question is answered.

    Returns:
        Under "answers", and from a run that may abstain under "no_answer", the reliability
        "before" and "after" (see `reliability`); the number of "questions"; and "risk_coverage"
        (see `risk_coverage`) of the replies that the run gives, which may be that there is none.
    """
    names = list(after)
    rule = score_pair if threshold is not None else _pair
    exact = np.array([rule(texts[name], references[name])[0] for name in names])
    none = np.array([float(not references[name]) for name in names])
    report: dict[str, Any] = {"questions": len(names), "answers": {}}
    events = [("answers", 0, exact)]
    if threshold is not None:
        events.append(("no_answer", 1, none))
    for event, place, right in events:
        report[event] = {
            when: reliability(np.array([given[name][place] for name in names], np.float64), right)
            for when, given in (("before", before), ("after", after))
        }
    answers, nones = np.array([after[name] for name in names], np.float64).T
    if threshold is None:
        return {**report, "risk_coverage": risk_coverage(answers, exact)}
    abstains = nones > threshold
    confidence, right = np.where(abstains, nones, answers), np.where(abstains, none, exact)
    return {**report, "risk_coverage": risk_coverage(confidence, right)}


def _pair(prediction: str, references: Sequence[str]) -> tuple[float, float]:
    return exact_match(prediction, references), f1(prediction, references)
