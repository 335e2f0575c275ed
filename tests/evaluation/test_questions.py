"""What is known of each question before any system answers it."""

import numpy as np
import pytest

from squadqa.evaluation.answer_types import ANSWER_TYPES
from squadqa.evaluation.questions import (
    QUESTION_WORDS,
    Questions,
    describe_questions,
    span_lengths,
)
from tests.support import tiny


@pytest.fixture(scope="module")
def questions() -> Questions:
    return describe_questions(tiny.prepared())


def test_question_words(questions: Questions) -> None:
    words = [QUESTION_WORDS[place] for place in questions.question_words]
    assert words == ["who", "how many", "when", "where", "what", "how many", "who", "when"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("In what year was it?", "what"),
        ("How did it end, and what came then?", "how"),
        ("HOW MUCH is it?", "how many"),
        ("To whom did they write?", "who"),
        ("Name the river.", "other"),
        ("many how", "how"),
    ],
)
def test_the_first_question_word_counts(text: str, word: str) -> None:
    found = describe_questions(tiny.prepared(tiny.one_question(question=text), annotated=False))
    assert [QUESTION_WORDS[place] for place in found.question_words] == [word]


def test_lengths_and_places(questions: Questions) -> None:
    assert questions.answer_lengths.tolist() == [2, 1, 1, 1, 2, 2, 2, 1]
    assert questions.context_lengths[0] == questions.context_lengths[3] > 20
    assert questions.positions[0] == 0
    assert questions.positions[3] > 0.9
    assert ((questions.positions >= 0) & (questions.positions <= 1)).all()
    for row, (start, end) in enumerate(questions.gold_spans.tolist()):
        assert questions.context_of(row)[start:end] == questions.references[row][0]


def test_an_answer_that_is_not_at_its_place_has_none() -> None:
    file = tiny.one_question(answers=[("dog", 4)])
    found = describe_questions(tiny.prepared(file, annotated=False))
    assert found.answer_lengths.tolist() == [0]
    assert np.isnan(found.positions).all()
    assert np.isnan(found.overlaps).all()
    assert found.gold_spans.tolist() == [[-1, -1]]


@pytest.mark.parametrize(
    ("question", "overlap"),
    [
        ("Who sat on the mat?", 1.0),  # sat, mat
        ("Which cat SAT?", 1.0),
        ("Who lay on the mat?", 0.5),
        ("Who slept?", 0.0),
        ("Who is it?", np.nan),  # function words alone
    ],
)
def test_overlap_with_the_sentence_of_the_answer(question: str, overlap: float) -> None:
    context = "Tom slept. The cat sat on the mat. Ida lay there."
    file = tiny.one_question(context, question, [("cat", context.index("cat"))])
    found = describe_questions(tiny.prepared(file, annotated=False)).overlaps
    np.testing.assert_equal(found, [overlap])


def test_types_of_answers_need_a_parse() -> None:
    assert describe_questions(tiny.prepared(annotated=False)).answer_types is None
    types = describe_questions(tiny.prepared()).answer_types
    assert types is not None
    assert ((types >= 0) & (types < len(ANSWER_TYPES))).all()


def test_lengths_of_spans_are_counted_in_their_own_context(questions: Questions) -> None:
    spans = questions.gold_spans.copy()
    assert span_lengths(questions.data, spans).tolist() == questions.answer_lengths.tolist()
    spans[2] = -1
    spans[3] = 0, len(questions.context_of(3))
    lengths = span_lengths(questions.data, spans)
    assert lengths[2] == -1
    assert lengths[3] == questions.context_lengths[3]
