"""A check of data before training."""

from pathlib import Path

import pytest

from squadqa.data.prepare import PreparedData, prepare_data
from squadqa.evaluation.data_check import check_data
from tests.support import tiny


def joined(*files: tiny.Json) -> tiny.Json:
    """Files as one, with ids that differ."""
    file = tiny.join(*files)
    numbers = iter(range(10_000))
    for article in file["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                question["id"] = f"n{next(numbers)}"
    return file


def test_counts_and_lengths() -> None:
    found = check_data(tiny.prepared(), vectors=["made"])
    assert (found.counts.questions, found.counts.paragraphs) == (8, 3)
    assert (found.without_answers, found.several_answers) == (0, 3)
    assert (found.repeated_paragraphs, found.repeated_questions) == (0, 0)
    assert [one.name for one in found.lengths] == ["context", "question", "first answer"]
    assert found.lengths[2].percentiles == {50: 1, 90: 2, 95: 2, 99: 2, 100: 2}
    assert {one.lost for one in found.limits} == {0}
    assert found.best_exact_match[10] == 100
    assert found.overlap is None
    assert found.advice == [
        "8 questions are few to train from: begin with a run that was trained on more "
        "(--warm-start)."
    ]


def test_what_limits_lose() -> None:
    context = "word " * 450 + "end."
    long = " ".join(["word"] * 12)
    file = joined(
        tiny.one_question(context, answers=[(long, 0)]),
        tiny.one_question(context, "Where?", answers=[("end", context.index("end"))]),
        tiny.one_question(context, "Both?", answers=[(long, 0), ("word", 0)]),
    )
    found = check_data(tiny.prepared(file, annotated=False))
    lost = {(one.name, one.tokens): one.lost for one in found.limits}
    assert lost["answer", 10] == 2  # by the first answer, as training takes it
    assert lost["answer", 15] == 0
    assert (lost["context", 400], lost["context", 600]) == (1, 0)
    assert found.best_exact_match == {
        10: pytest.approx(200 / 3), 15: 100, 17: 100, 20: 100, 30: 100
    }  # fmt: skip


def test_alignment_with_examples() -> None:
    file = joined(
        tiny.one_question(answers=[("dog", 4)]),
        tiny.one_question(answers=[("he ca", 1)]),
        tiny.one_question(answers=[]),
    )
    found = check_data(tiny.prepared(file, annotated=False))
    assert [(one.kind, one.answer, one.found) for one in found.misaligned] == [
        ("misplaced", "dog", "cat"),
        ("expanded", "he ca", "The cat"),
    ]
    assert found.best_exact_match[17] == 0
    advice = " ".join(found.advice)
    assert "1 questions have no answer" in advice
    assert "1 answers are not at their answer_start" in advice


def test_repetition_and_overlap(tmp_path: Path) -> None:
    def prepared(file: tiny.Json) -> PreparedData:
        return prepare_data(tiny.read(tiny.write(tmp_path / "questions.json", file)))

    one = tiny.squad()
    twice, other = prepared(joined(one, one)), prepared({"data": one["data"][:1]})
    found = check_data(twice, against=other)
    assert (found.repeated_paragraphs, found.repeated_questions) == (3, 8)
    assert found.overlap is not None
    assert (found.overlap.paragraphs, found.overlap.questions, found.overlap.same) == (4, 12, 12)
    assert any("4 paragraphs are in" in line for line in found.advice)
    alone = check_data(other, against=prepared(tiny.one_question()))
    assert alone.overlap is not None
    assert (alone.overlap.paragraphs, alone.overlap.same) == (0, 0)


def test_questions_alone() -> None:
    found = check_data(tiny.prepared(tiny.one_question(answers=[]), annotated=False))
    assert found.advice[0].startswith("No question has an answer")
    assert [one.name for one in found.lengths] == ["context", "question"]
