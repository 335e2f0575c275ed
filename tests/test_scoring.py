"""The official v1.1 score, by hand, by its algebra, and on published predictions."""

import gzip
import json
import os
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.errors import DataError
from squadqa.scoring import (
    Score,
    exact_match,
    f1,
    normalize_answer,
    require_references,
    score,
    score_pairs,
)

# Words, articles, ASCII punctuation, and characters that look similar but must stay.
TEXT = st.lists(
    st.sampled_from(["the", "A", "an", "then", "Ann", "red", "Red", "1854", "é", "–", "”", "-"])
    | st.text(alphabet="abAB .,–é" + string.punctuation, max_size=6),
    max_size=8,
).map(" ".join)
REFERENCES = st.lists(TEXT, min_size=1, max_size=4)

# Exact match and F1 of dev-v1.1 by the official script.
PUBLISHED = {
    "logistic_regression.json": (40.14191106906339, 50.98153647324461, 13),
    "match_lstm_ensemble.json": (67.63481551561021, 76.75556184979695, 0),
}


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("The  Norman\tConquest", "norman conquest"),
        ("a b, an c; the d", "b c d"),
        ("well-known", "wellknown"),
        ("1854–1855", "1854–1855"),
        ("“quoted”", "“quoted”"),
        ("the-end", "theend"),
        ("A.N. Other", "other"),
        ("another theme", "another theme"),
        ("$1,000.50", "100050"),
        ("The!", ""),
        ("\u00a0x\u00a0", "x"),
    ],
)
def test_normalisation(text: str, normalized: str) -> None:
    assert normalize_answer(text) == normalized


def test_f1_by_hand() -> None:
    assert f1("red big house", ["a big house"]) == pytest.approx(0.8)  # 2 of 3, 2 of 2
    assert f1("x x y", ["x y y"]) == pytest.approx(2 / 3)  # a word counts as often as in both
    assert f1("red", ["blue"]) == 0


def test_maxima_are_independent() -> None:
    assert exact_match("x", ["y", "X."]) == 1
    assert f1("x y", ["x", "z"]) == pytest.approx(2 / 3)


def test_both_empty_is_an_exact_match_without_f1() -> None:
    assert exact_match("the", ["..."]) == 1
    assert f1("the", ["..."]) == 0


def test_no_references_is_an_error() -> None:
    for rule in (exact_match, f1):
        with pytest.raises(DataError, match="no answers"):
            rule("x", [])


def test_missing_ids_count_and_extra_ids_do_not() -> None:
    references = {"1": ["red house"], "2": ["blue"], "3": ["green"], "4": ["grey"]}
    assert score(references, {"1": "house", "2": "the blue", "4": "", "extra": "x"}) == Score(
        exact_match=25.0, f1=100 * (2 / 3 + 1) / 4, total=4, missing=1
    )


def test_score_names_the_question_without_answers() -> None:
    with pytest.raises(DataError, match='"q7" has no answers'):
        score({"q1": ["x"], "q7": []}, {})
    with pytest.raises(DataError, match="no questions"):
        score({}, {"q1": "x"})


def test_pairs_are_scored_in_order() -> None:
    assert score_pairs(["x", "y z"], [["x"], ["w", "z"]]) == ([1.0, 0.0], [1.0, 2 / 3])
    with pytest.raises(ValueError, match="shorter"):
        score_pairs(["x", "y"], [["x"]])


@given(TEXT, TEXT)
def test_f1_is_symmetric(one: str, other: str) -> None:
    assert f1(one, [other]) == f1(other, [one])


@given(TEXT, REFERENCES)
def test_bounds(prediction: str, references: list[str]) -> None:
    exact, overlap = exact_match(prediction, references), f1(prediction, references)
    assert exact in (0.0, 1.0)
    assert 0.0 <= overlap <= 1.0
    assert exact <= overlap or not normalize_answer(prediction)


@given(TEXT, st.permutations(["the", "an", "A"]), st.sampled_from(string.punctuation))
def test_case_articles_and_punctuation_do_not_count(
    text: str, articles: list[str], mark: str
) -> None:
    words = text.swapcase().split(" ")
    changed = " ".join([articles[0], *(mark + word + mark for word in words), *articles[1:]])
    assert normalize_answer(changed) == normalize_answer(text)


@given(TEXT, REFERENCES, REFERENCES)
def test_more_references_never_lower(prediction: str, some: list[str], more: list[str]) -> None:
    for rule in (exact_match, f1):
        assert rule(prediction, some + more) == max(rule(prediction, some), rule(prediction, more))


@given(TEXT)
def test_normalisation_of_a_normalised_text_changes_nothing(text: str) -> None:
    assert normalize_answer(normalize_answer(text)) == normalize_answer(text)


@pytest.mark.parametrize("name", PUBLISHED)
def test_equals_the_official_script(name: str) -> None:
    if "SQUADQA_DATA_DIR" not in os.environ:
        pytest.skip("needs SQuAD: set SQUADQA_DATA_DIR to its folder")
    folder = Path(os.environ["SQUADQA_DATA_DIR"])
    file = folder / "published_predictions" / name
    if not file.exists():
        pytest.skip(f"{folder.name} has no published_predictions/{name}")
    plain, packed = folder / "dev-v1.1.json", folder / "dev-v1.1.json.gz"
    dev = json.loads(plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes()))
    references = {
        question["id"]: [answer["text"] for answer in question["answers"]]
        for article in dev["data"]
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    }
    result = score(references, json.loads(file.read_bytes()))
    assert (result.total, result.missing) == (10_570, PUBLISHED[name][2])
    assert result.exact_match == pytest.approx(PUBLISHED[name][0], abs=1e-9)
    assert result.f1 == pytest.approx(PUBLISHED[name][1], abs=1e-9)


def test_the_question_without_answers_is_named() -> None:
    require_references({"a": ["x"], "b": ["y", "z"]}, "dev.json")
    with pytest.raises(DataError) as caught:
        require_references({"a": ["x"], "b": [], "c": []}, "dev.json")
    assert caught.value.what == (
        '"dev.json": 2 of 3 questions have no answers to score against, such as "b"'
    )
