"""Scores by type of answer, and how often the right sentence was found."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.prepare import PreparedData
from squadqa.evaluation.answer_types import ANSWER_TYPES
from squadqa.evaluation.predictions import read_predictions
from squadqa.evaluation.slices import (
    PAPER_F1,
    DetailedScore,
    score_in_detail,
    scores_by_type,
    sentence_accuracy,
)
from squadqa.scoring import Score
from tests.support import tiny
from tests.support.parsed import Question, Text, prepared, random_data

WHAT = Text([[("What", 0)]])
# Characters: "Ida sold boats . " 0 to 17, "Rain fell . " 17 to 29, "Tom slept ." 29 to 40.
TALE = Text(
    [
        [("Ida", 1), ("sold", 1), ("boats", 1), (".", 1)],
        [("Rain", 1), ("fell", 1), (".", 1)],
        [("Tom", 1), ("slept", 1), (".", 1)],
    ],
    tags={"Ida": "NNP", "Tom": "NNP", "sold": "VBD", "boats": "NNS", "fell": "VBD"},
    entities=[(0, 0, "PERSON"), (7, 7, "PERSON")],
)


def asked(*answers: tuple[int, int] | None) -> PreparedData:
    """Questions about the second of two paragraphs."""
    return prepared([TALE, TALE], [Question(WHAT, 1, answer) for answer in answers])


def with_references(data: PreparedData, *references: tuple[str, int]) -> PreparedData:
    """Set the references of the only question: texts with their first characters."""
    texts, starts = zip(*references, strict=True)
    return replace(
        data,
        answer_texts=pa.array([list(texts)], pa.list_(pa.string())),
        answer_starts=pa.array([list(starts)], pa.list_(pa.int32())),
    )


def test_each_type_is_scored_separately() -> None:
    data = asked((0, 0), (7, 7), (2, 2))
    found = scores_by_type(data, {"q0": "Ida", "q1": "Ida", "q2": "old boats"})
    assert found == {
        "person": Score(exact_match=50, f1=50, total=2, missing=0),
        "common noun phrase": Score(exact_match=0, f1=pytest.approx(200 / 3), total=1, missing=0),
    }
    assert list(scores_by_type(data, {})) == ["person", "common noun phrase"]
    assert scores_by_type(data, {})["person"].missing == 2


def test_all_parts_together() -> None:
    data, texts = asked((0, 0), (7, 7)), {"q0": "Ida", "q1": "Ida"}
    by_type = scores_by_type(data, texts)
    assert score_in_detail(data, texts) == DetailedScore(by_type, sentence_accuracy=None)
    found = score_in_detail(data, texts, spans={"q0": (0, 3), "q1": (0, 3)})
    assert found == DetailedScore(by_type, sentence_accuracy=50.0)


def test_the_papers_figures_are_for_all_types() -> None:
    assert tuple(PAPER_F1) == ANSWER_TYPES


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((4, 8), 100),  # "sold", in the sentence of "Ida"
        ((0, 16), 100),  # all of it
        ((17, 21), 0),  # "Rain"
        ((9, 21), 0),  # "boats . Rain", which crosses the end
        ((29, 32), 0),  # "Tom"
    ],
)
def test_the_sentence_of_the_answer(span: tuple[int, int], expected: float) -> None:
    assert sentence_accuracy(asked((0, 0)), {"q0": span}) == expected


def test_any_reference_counts() -> None:
    data = with_references(asked((0, 0)), ("Ida", 0), ("boats", 9), ("Tom", 29))
    for span, expected in (((4, 8), 100), ((33, 38), 100), ((17, 21), 0)):
        assert sentence_accuracy(data, {"q0": span}) == expected


def test_each_paragraph_has_its_own_sentences() -> None:
    long = Text([[("Rain", 0)] * 9])
    data = prepared([long, TALE, long], [Question(WHAT, number, (0, 0)) for number in range(3)])
    assert sentence_accuracy(data, dict.fromkeys(("q0", "q1", "q2"), (20, 24))) == pytest.approx(
        200 / 3
    )


def test_sentences_without_a_space_between() -> None:
    context = "Tom slept.Rain fell."
    file = tiny.one_question(context, answers=[("Tom", 0)])
    data = tiny.prepared(file, annotated=False)
    assert sentence_accuracy(data, {"only": (0, 10)}) == 100
    assert sentence_accuracy(data, {"only": (0, 11)}) == 0


def test_a_reference_of_two_sentences() -> None:
    data = with_references(asked((0, 0)), ("boats . Rain", 9))
    for span in ((0, 3), (17, 21), (4, 26)):
        assert sentence_accuracy(data, {"q0": span}) == 100
    assert sentence_accuracy(data, {"q0": (29, 32)}) == 0
    assert sentence_accuracy(data, {"q0": (22, 32)}) == 0


def test_white_space_around_a_reference_does_not_count() -> None:
    data = with_references(asked((0, 0)), (" Rain ", 16))
    assert sentence_accuracy(data, {"q0": (17, 21)}) == 100
    assert sentence_accuracy(data, {"q0": (0, 3)}) == 0


def test_a_reference_that_is_not_there() -> None:
    data = with_references(asked((0, 0)), ("Ida", 29), (" ", 3), ("Tom", -1))
    assert sentence_accuracy(data, {"q0": (29, 32)}) == 0
    assert sentence_accuracy(data, {"q0": (0, 3)}) == 0


def test_all_questions_count() -> None:
    data = asked((0, 0), (4, 4), (7, 7), None)
    spans = {"q0": (4, 8), "q2": (0, 3), "q3": (0, 3), "other": (0, 3)}
    assert sentence_accuracy(data, spans) == 25


@given(seed=st.integers(0, 2**32), parse=st.booleans())
def test_the_references_themselves_are_right(seed: int, parse: bool) -> None:
    data = random_data(seed, parse=parse)
    spans = {
        name: (starts[0], starts[0] + len(texts[0]))
        for name, texts, starts in zip(
            data.ids.to_pylist(),
            data.answer_texts.to_pylist(),
            data.answer_starts.to_pylist(),
            strict=True,
        )
        if texts
    }
    assert sentence_accuracy(data, spans) == pytest.approx(100 * len(spans) / len(data.ids))


def test_the_papers_own_predictions_score_as_published(
    squad_folder: Path, annotated_dev: PreparedData
) -> None:
    """Our rules give the paper's F1 by type, so they sort answers much like the paper's."""
    file = squad_folder / "published_predictions" / "logistic_regression.json"
    if not file.is_file():
        pytest.skip(f'"{squad_folder}" has no published_predictions/{file.name}')
    found = scores_by_type(annotated_dev, read_predictions(file))
    apart = {name: abs(found[name].f1 - f1) for name, f1 in PAPER_F1.items()}
    assert apart.pop("other") < 7  # 2 % of the questions
    assert max(apart.values()) < 4
