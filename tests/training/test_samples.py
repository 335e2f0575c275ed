from squadqa.data.dataset import SpanDataset
from squadqa.training.samples import fixed_questions
from tests.support import tiny

DATASET = SpanDataset(tiny.prepared())
ANSWERS = {f"q{number}": f"answer {number}" for number in range(8)}


def test_evenly_spread_and_the_same_every_time() -> None:
    rows = fixed_questions(DATASET, ANSWERS, count=4)
    assert [predicted for _, _, predicted in rows] == [f"answer {n}" for n in (0, 2, 4, 6)]
    assert rows[0] == ("Who kept the lighthouse?", "Ida Moss", "answer 0")
    assert rows == fixed_questions(DATASET, dict(reversed(ANSWERS.items())), count=4)


def test_never_more_than_there_are() -> None:
    assert len(fixed_questions(DATASET, ANSWERS, count=50)) == 8


def test_what_was_not_predicted_is_left_out() -> None:
    rows = fixed_questions(DATASET, {"q4": "yes"}, count=8)
    assert [predicted for _, _, predicted in rows] == ["yes"]


def test_a_question_without_answers() -> None:
    dataset = SpanDataset(tiny.prepared(tiny.one_question(answers=[])))
    assert fixed_questions(dataset, {"only": "cat"}, count=5) == [("Who sat?", "", "cat")]
