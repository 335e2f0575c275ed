"""The scores of collected predictions: SQuAD v1.1's, or v2.0's where a model may abstain."""

from typing import Any

import numpy as np

from squadqa.data.dataset import QuestionDataset
from squadqa.evaluation.abstaining import abstaining_scores
from squadqa.evaluation.calibration import DEFAULT_THRESHOLD, TEMPERATURES, Calibration
from squadqa.evaluation.confidence import calibrated
from squadqa.scoring import score_pairs
from squadqa.scoring_v2 import NO_ANSWER, score_each
from squadqa.training.evaluation import Evaluation
from squadqa.training.metrics import Predictions


def calibration_of(dataset: QuestionDataset[Any], gathered: Predictions) -> Calibration:
    """Choose the temperature and the threshold by the answers to validation questions.

    Args:
        dataset: The questions.
        gathered: Their predictions, with certainties at each of `TEMPERATURES`.
    """
    texts, _ = answers_of(dataset, gathered, None)
    references = [dataset.references_of(item) for item in gathered.index.tolist()]
    certainties = gathered.certainties.double().cpu().numpy()  # (N, T, 2)
    exact, f1 = score_each(texts.values(), references, is_v2=dataset.abstains)
    if not len(texts) or certainties.shape[1] != len(TEMPERATURES):
        return Calibration(threshold=DEFAULT_THRESHOLD if dataset.abstains else None)
    return calibrated(
        certainties[:, :, 0],
        certainties[:, :, 1] if dataset.abstains else None,
        exact=np.array(exact),
        f1=np.array(f1),
        unanswerable=np.array([not one for one in references], bool),
    )


def answers_of(
    dataset: QuestionDataset[Any], gathered: Predictions, threshold: float | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the answers by question id.

    Args:
        dataset: The questions.
        gathered: Their predictions.
        threshold: The threshold of "no answer"; None answers every question.

    Returns:
        The texts of the best spans; and the same with an empty text where the probability of "no
        answer" is above the threshold.
    """
    items, no_answers = gathered.index.tolist(), gathered.certainties[:, 0, 1].tolist()
    texts = {
        dataset.id_of(item): dataset.text_of(item, first, last)
        for item, (first, last) in zip(items, gathered.spans.tolist(), strict=True)
    }
    if threshold is None:
        return texts, texts
    abstained = {
        name: NO_ANSWER if no_answer > threshold else text
        for (name, text), no_answer in zip(texts.items(), no_answers, strict=True)
    }
    return texts, abstained


def evaluated(
    dataset: QuestionDataset[Any],
    gathered: Predictions,
    calibration: Calibration,
    *,
    total: int,
) -> Evaluation:
    """Score the predictions of questions.

    Args:
        dataset: The questions.
        gathered: Their predictions; with the certainties of several temperatures, those of the
            calibration's count.
        calibration: The calibration.
        total: Number of questions to divide by; those without a prediction count as wrong.
    """
    loss = float(gathered.losses.double().mean())
    gathered = at_temperature(gathered, calibration)
    if not dataset.abstains:
        texts, _ = answers_of(dataset, gathered, None)
        references = [dataset.references_of(item) for item in gathered.index.tolist()]
        exact, f1 = score_pairs(texts.values(), references)
        scores = {"exact_match": 100.0 * sum(exact) / total, "f1": 100.0 * sum(f1) / total}
        certainties = gathered.certainties[:, 0, 0].tolist()
        probabilities = dict(zip(texts, certainties, strict=True))
        return Evaluation({**scores, "loss": loss}, texts, probabilities=probabilities)
    return _evaluated_v2(dataset, gathered, calibration, total, loss)


def at_temperature(gathered: Predictions, calibration: Calibration) -> Predictions:
    """Keep the certainties of the calibration's temperature alone."""
    certainties = gathered.certainties
    if certainties.shape[1] > 1:
        place = TEMPERATURES.index(calibration.temperature)
        certainties = certainties[:, place : place + 1]
    return Predictions(gathered.index, gathered.spans, gathered.losses, certainties)


def _evaluated_v2(
    dataset: QuestionDataset[Any],
    gathered: Predictions,
    calibration: Calibration,
    total: int,
    loss: float,
) -> Evaluation:
    threshold = calibration.threshold
    threshold = DEFAULT_THRESHOLD if threshold is None else threshold
    texts, abstained = answers_of(dataset, gathered, threshold)
    items = gathered.index.tolist()
    references = {dataset.id_of(item): dataset.references_of(item) for item in items}
    certainties = dict(zip(texts, gathered.certainties[:, 0].tolist(), strict=True))
    no_answers = {name: no_answer for name, (_, no_answer) in certainties.items()}
    v2 = abstaining_scores(references, texts, abstained, no_answers)
    share = v2["total"] / total
    scores = {"exact_match": v2["exact"] * share, "f1": v2["f1"] * share, "loss": loss}
    probabilities = {
        name: no_answer if no_answer > threshold else certainty
        for name, (certainty, no_answer) in certainties.items()
    }
    return Evaluation(scores, abstained, {**v2, "threshold": threshold}, probabilities)
