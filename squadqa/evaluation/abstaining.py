"""Scores of a model that may abstain: SQuAD v2.0's, and how well it tells the questions apart."""

from collections.abc import Mapping, Sequence

from squadqa.scoring_v2 import auroc, score_v2

AUROC = "auroc"
"""How well the probabilities of "no answer" tell questions without an answer from others."""

ALWAYS = "always_"
"""Begins the names of the scores of questions that have an answer, where each one is answered."""


def abstaining_scores(
    references: Mapping[str, Sequence[str]],
    always: Mapping[str, str],
    abstained: Mapping[str, str],
    probabilities: Mapping[str, float],
) -> dict[str, float]:
    """Score the answers of a model that may abstain.

    Args:
        references: The given answers of each question id; none for a question without an answer.
        always: The best text of each question.
        abstained: The same, with an empty text where the model abstains.
        probabilities: The probability of "no answer" of each question.

    Returns:
        The score of `abstained` under the official names, with the best thresholds for `always`;
        "auroc", from 0 to 1, if there are questions of both kinds; and "always_HasAns_exact" and
        "always_HasAns_f1", the score of `always` for the questions that have an answer.
    """
    free = score_v2(references, always, no_answer_probabilities=probabilities)
    values = score_v2(references, abstained).official()
    bests = {name: value for name, value in free.official().items() if name.startswith("best_")}
    values |= bests
    kinds: tuple[list[float], list[float]] = [], []
    for name, answers in references.items():
        kinds[bool(answers)].append(probabilities[name])
    area = auroc(*kinds)
    if area is not None:
        values[AUROC] = area
    if free.has_answer is not None:
        values[f"{ALWAYS}HasAns_exact"] = free.has_answer.exact_match
        values[f"{ALWAYS}HasAns_f1"] = free.has_answer.f1
    return values
