"""Explanations of chosen spans, with exact sums."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from squadqa.data.squad import SquadData, find_source, read_squad
from squadqa.errors import CheckpointError, ConfigError, DataError
from squadqa.inference.explanation import (
    ExplainedSpan,
    Explanation,
    explain,
    question_with_id,
)
from squadqa.inference.new_texts import new_questions
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import Run, open_run
from squadqa.models.base import CandidateScorer
from squadqa.scoring import normalize_answer
from tests.support import tiny

IDS = [f"q{number}" for number in range(8)]


@pytest.fixture
def run(scorer_run: Path) -> Run:
    return open_run(scorer_run)


def read(folder: Path, file: tiny.Json) -> SquadData:
    return read_squad(find_source(str(tiny.write(folder / "questions.json", file))))


def one(
    run: Run, folder: Path, context: str, *answers: tuple[str, int], question: str = "Who?"
) -> Explanation:
    file = tiny.one_question(context, question, list(answers))
    return explain(run, question_with_id(read(folder, file), "only"), device="cpu")


def span(**groups: float) -> ExplainedSpan:
    """A span that differs from others only in its groups."""
    return ExplainedSpan("x", 0, 1, "x", 0, 0.5, sum(groups.values()), groups)


@pytest.mark.parametrize("question_id", IDS)
def test_the_groups_add_up_to_the_score(question_id: str, run: Run, tmp_path: Path) -> None:
    asked = question_with_id(read(tmp_path, tiny.squad()), question_id)
    found = explain(run, asked, device="cpu")
    spans = [found.chosen, found.runner_up, found.gold]
    assert None not in spans
    for one in spans:
        assert one is not None
        assert one.groups.keys() == found.chosen.groups.keys()
        assert sum(one.groups.values()) == pytest.approx(one.score, abs=1e-5)
        assert any(one.groups.values())


@pytest.mark.parametrize("question_id", IDS)
def test_the_spans_are_those_of_prediction(question_id: str, run: Run, tmp_path: Path) -> None:
    asked = question_with_id(read(tmp_path, tiny.squad()), question_id)
    found = explain(run, asked, device="cpu")
    (context,), (question,) = asked.contexts, asked.questions
    answers = Predictor(run, device="cpu").answer(context, question, n_best=1000)
    first = normalize_answer(answers[0].text)
    other = next(answer for answer in answers if normalize_answer(answer.text) != first)
    for one, answer in ((found.chosen, answers[0]), (found.runner_up, other)):
        assert one is not None
        assert (one.start, one.end, one.text) == (answer.start, answer.end, answer.text)
        assert one.probability == pytest.approx(answer.probability, rel=1e-4)


@pytest.mark.parametrize("question_id", IDS)
def test_spans_are_in_their_sentence_and_gold_contains_the_answer(
    question_id: str, run: Run, tmp_path: Path
) -> None:
    asked = question_with_id(read(tmp_path, tiny.squad()), question_id)
    found = explain(run, asked, device="cpu")
    (context,) = asked.contexts
    for one in (found.chosen, found.runner_up, found.gold):
        assert one is not None
        assert context[one.start : one.end] == one.text
        assert context[one.sentence_start :].startswith(one.sentence)
        begin = one.start - one.sentence_start
        assert one.sentence[begin : begin + len(one.text)] == one.text
    assert found.gold is not None
    assert found.gold.start <= asked.answer_starts[0][0] < found.gold.end
    assert asked.answer_texts[0][0] in found.gold.text
    assert found.references == asked.answer_texts[0]


def test_sentences_end_where_the_next_begins(run: Run, tmp_path: Path) -> None:
    found = one(run, tmp_path, " Tom  slept. Rain fell.  Ida sang.", ("Rain", 13))
    assert found.gold is not None
    assert (found.gold.text, found.gold.sentence) == ("Rain", "Rain fell.")
    assert found.gold.sentence_start == 13


def test_the_gold_is_where_the_answer_is(run: Run, tmp_path: Path) -> None:
    """Also if training is on all occurrences of the answer's text."""
    context = "Tom slept. Tom woke. Tom sang."
    for targets in ("answer", "occurrences"):
        run.inputs.targets = targets  # type: ignore[attr-defined]
        for start in (0, 11, 21):
            found = one(run, tmp_path, context, ("Tom", start), question="Who sang?")
            assert found.gold is not None
            assert (found.gold.start, found.gold.text) == (start, "Tom")


def test_an_answer_in_no_candidate(run: Run, tmp_path: Path) -> None:
    found = one(run, tmp_path, "Tom slept. Rain fell.", ("slept. Rain", 4))
    assert found.gold is None
    assert found.references == ["slept. Rain"]


def test_an_answer_that_is_not_known(run: Run) -> None:
    found = explain(run, new_questions("Tom slept. Rain fell.", ["Who slept?"]), device="cpu")
    assert (found.gold, found.references) == (None, [])
    assert found.rival == found.runner_up is not None


def test_without_another_text_there_is_no_runner_up(run: Run) -> None:
    found = explain(run, new_questions("Tom", ["Who?"]), device="cpu")
    assert normalize_answer(found.chosen.text) == "tom"
    assert found.runner_up is None
    assert found.separations == found.chosen.groups


def test_groups_are_sorted_by_separation() -> None:
    chosen, runner_up = span(a=1.0, b=2.0, c=-3.0), span(a=1.5, b=2.0, c=-3.0)
    gold = span(a=0.75, b=-1.0, c=1.0)
    found = Explanation("?", ["x"], chosen, runner_up, gold)
    assert found.rival == gold
    assert list(found.separations.items()) == [("c", -4.0), ("b", 3.0), ("a", 0.25)]
    right = replace(found, gold=chosen)
    assert right.rival == runner_up
    assert list(right.separations.items()) == [("a", -0.5), ("b", 0.0), ("c", 0.0)]


def test_unknown_ids(tmp_path: Path) -> None:
    data = read(tmp_path, tiny.squad())
    with pytest.raises(DataError) as caught:
        question_with_id(data, "q77")
    assert caught.value.what == 'none of the 8 questions has the id "q77"'
    assert caught.value.hint == 'Did you mean "q7"?'
    with pytest.raises(DataError) as caught:
        question_with_id(data, "something else")
    assert (caught.value.hint, caught.value.next_step) == (
        "",
        'Name an id of the data, such as "q0".',
    )


class Opaque(CandidateScorer):
    """A scorer without groups."""


def test_models_that_cannot_be_explained(run: Run, reader_run: Path) -> None:
    asked = new_questions("Tom slept.", ["Who?"])
    for other in (open_run(reader_run), replace(run, make_model=partial(Opaque))):
        with pytest.raises(CheckpointError, match="cannot be explained") as caught:
            explain(other, asked)
        assert "LogisticScorer" in caught.value.hint


def test_a_diverged_model_is_named(run: Run) -> None:
    for weight in run.checkpoint.weights.values():
        weight.fill_(torch.nan)
    with pytest.raises(CheckpointError, match="its training diverged"):
        explain(run, new_questions("Tom slept.", ["Who?"]))


def test_a_missing_device(run: Run) -> None:
    with pytest.raises(ConfigError, match='there is no device "cuda:99"'):
        explain(run, new_questions("Tom slept.", ["Who?"]), device="cuda:99")
