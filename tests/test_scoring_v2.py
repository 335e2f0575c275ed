"""The official v2.0 score, by hand, by its algebra, and on published predictions."""

import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.errors import DataError
from squadqa.scoring import exact_match, f1, normalize_answer, score
from squadqa.scoring_v2 import (
    Part,
    auroc,
    best_threshold,
    require_a_reference,
    score_pair,
    score_v2,
)
from tests.test_scoring import REFERENCES, TEXT

PROBABILITY = st.floats(0, 1)
LEFT = TEXT.filter(normalize_answer)
"""Texts of which something is left after normalisation."""

QUESTIONS = st.lists(
    st.tuples(st.lists(LEFT, max_size=3), LEFT, PROBABILITY), min_size=1, max_size=12
)
"""References, a prediction and the probability of "no answer" of some questions."""


@pytest.mark.parametrize(
    ("prediction", "references", "expected"),
    [
        ("", [], (1, 1)),
        ("the", [], (1, 1)),  # nothing is left of it
        ("mill", [], (0, 0)),
        ("", ["mill"], (0, 0)),
        ("the old mill", ["mill", "old mill"], (1, 1)),
        ("mill", ["old mill"], (0, 2 / 3)),
        ("", ["..."], (1, 1)),  # a reference that is empty does not count
        ("mill", ["...", "The mill"], (1, 1)),
        ("", ["...", "mill"], (0, 0)),
    ],
)
def test_a_pair(prediction: str, references: list[str], expected: tuple[float, float]) -> None:
    assert score_pair(prediction, references) == pytest.approx(expected)


def test_scores_by_hand() -> None:
    references = {"a": ["red house"], "b": [], "c": [], "d": ["x"], "e": []}
    predictions = {"a": "house", "b": "", "c": "mill", "extra": "x"}
    probabilities = {"c": 0.5, "b": 0.9, "a": 0.2, "extra": 0.1}
    scored = score_v2(references, predictions, no_answer_probabilities=probabilities)
    assert (scored.total, scored.missing) == (3, 2)
    assert scored.has_answer == Part(0.0, pytest.approx(200 / 3), 1)
    assert scored.no_answer == Part(50.0, 50.0, 2)
    assert scored.exact_match == pytest.approx(100 / 3)
    assert scored.f1 == pytest.approx(100 * (2 / 3 + 1) / 3)
    # All three without an answer count where nothing is answered, though one has no prediction.
    assert scored.best_exact_match is not None
    assert scored.best_f1 is not None
    assert (scored.best_exact_match.score, scored.best_exact_match.threshold) == (100.0, 0.0)
    assert scored.best_f1.score == pytest.approx(100 * (3 + 2 / 3) / 3)
    assert scored.best_f1.threshold == 0.2


def test_official_names() -> None:
    scored = score_v2({"a": ["x"]}, {"a": "x"})
    assert scored.official() == {
        "exact": 100.0, "f1": 100.0, "total": 1,
        "HasAns_exact": 100.0, "HasAns_f1": 100.0, "HasAns_total": 1,
    }  # fmt: skip
    with_thresholds = score_v2({"a": []}, {"a": "x"}, no_answer_probabilities={"a": 0.3})
    assert list(with_thresholds.official()) == [
        "exact", "f1", "total", "NoAns_exact", "NoAns_f1", "NoAns_total",
        "best_exact", "best_exact_thresh", "best_f1", "best_f1_thresh",
    ]  # fmt: skip


@pytest.mark.parametrize("references", [{}, {"a": ["x"]}])
def test_nothing_to_score(references: dict[str, list[str]]) -> None:
    with pytest.raises(DataError, match="no questions with a prediction"):
        score_v2(references, {"other": "x"})


def test_data_without_any_answer_are_refused() -> None:
    require_a_reference({"a": [], "b": ["x"]}, "dev.json")
    with pytest.raises(DataError, match=r'"dev.json": none of the 2 questions has an answer'):
        require_a_reference({"a": [], "b": []}, "dev.json")


@given(st.lists(st.tuples(REFERENCES, TEXT), min_size=1, max_size=6))
def test_equals_the_rule_of_v1_if_all_questions_have_answers(
    pairs: list[tuple[list[str], str]],
) -> None:
    """Except where nothing is left of a text after normalisation."""
    kept = [
        (references, text)
        for references, text in pairs
        if normalize_answer(text) and all(map(normalize_answer, references))
    ]
    references = {str(number): some for number, (some, _) in enumerate(kept)}
    predictions = {str(number): text for number, (_, text) in enumerate(kept)}
    if not kept:
        return
    one, two = score(references, predictions), score_v2(references, predictions)
    assert (two.exact_match, two.f1, two.total) == (one.exact_match, one.f1, one.total)
    assert (two.has_answer, two.no_answer) == (Part(one.exact_match, one.f1, one.total), None)


@given(TEXT, REFERENCES)
def test_a_reference_that_is_left_counts_as_before(text: str, references: list[str]) -> None:
    counted = [one for one in references if normalize_answer(one)]
    if counted and normalize_answer(text):
        expected = exact_match(text, counted), f1(text, counted)
        assert score_pair(text, references) == expected


@given(QUESTIONS, st.booleans())
def test_the_best_threshold_is_that_of_trying_all(
    questions: list[tuple[list[str], str, float]], keeps_ties: bool
) -> None:
    distinct = {p: (some, text) for some, text, p in questions}
    references = {str(p): some for p, (some, _) in distinct.items()}
    predictions = {str(p): text for p, (_, text) in distinct.items()}
    probabilities = {str(p): p for p in distinct}
    scored = score_v2(references, predictions, no_answer_probabilities=probabilities)

    def mean(threshold: float) -> float:
        texts = {name: "" if probabilities[name] > threshold else predictions[name]
                 for name in references}  # fmt: skip
        return score_v2(references, texts).f1

    tried = {threshold: mean(threshold) for threshold in [-1.0, *distinct]}
    assert scored.best_f1 is not None
    assert scored.best_f1.score == pytest.approx(max(tried.values()))
    gains = [score_pair(text, some)[1] if some else -1.0 for some, text in distinct.values()]
    start = sum(not some for some in references.values())
    total, threshold = best_threshold(gains, list(distinct), start=start, keeps_ties=keeps_ties)
    assert 100 * total / len(references) == pytest.approx(scored.best_f1.score)
    assert total == start or tried[threshold] == pytest.approx(scored.best_f1.score)


def test_ties_are_answered_together_if_asked() -> None:
    gains, probabilities = [1.0, -1.0, -1.0], [0.5, 0.5, 0.7]
    assert best_threshold(gains, probabilities) == (1.0, 0.5)  # as the official script
    assert best_threshold(gains, probabilities, keeps_ties=True) == (0.0, 0.0)


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_auroc_is_the_share_of_pairs_in_order(positive: list[int], negative: list[int]) -> None:
    found = auroc(positive, negative)
    pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    assert found == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)


def test_equals_the_official_script() -> None:
    if "SQUADQA_DATA_DIR" not in os.environ:
        pytest.skip("needs a part of SQuAD v2.0, in squad2 beside the folder SQUADQA_DATA_DIR")
    folder = Path(os.environ["SQUADQA_DATA_DIR"]).parent / "squad2"
    if not (folder / "scores.json").exists():
        pytest.skip(f'needs "{folder}" with predictions, probabilities and scores')
    file = json.loads(gzip.decompress((folder / "dev-part-v2.0.json.gz").read_bytes()))
    references = {
        question["id"]: [answer["text"] for answer in question["answers"]]
        for article in file["data"]
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    }
    predictions, probabilities, expected = (
        json.loads((folder / f"{name}.json").read_bytes())
        for name in ("predictions", "na_prob", "scores")
    )
    scored = score_v2(references, predictions, no_answer_probabilities=probabilities)
    assert scored.missing == expected.pop("missing")
    assert len(references) == expected.pop("questions")
    assert scored.official() == pytest.approx(expected, abs=1e-9)
