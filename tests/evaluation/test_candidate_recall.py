"""Recall and the best possible score of candidates, against scoring every single one."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.data.candidates.generators import (
    GENERATORS,
    Candidates,
    DependencyRuns,
    NGrams,
    NounChunks,
)
from squadqa.data.candidates.parse import parse_paragraphs
from squadqa.data.prepare import PreparedData, prepare_data
from squadqa.evaluation.candidate_recall import (
    candidate_recall,
    found_answers,
    measure_generators,
    oracle_scores,
)
from squadqa.scoring import exact_match, f1
from tests.support import tiny
from tests.support.parsed import random_data

CONTEXT = "Ida kept the light-house, from 1871–1902. The Moss (a boat) burned – the end."


def asking(*answers: Sequence[tuple[str, int]], context: str = CONTEXT) -> PreparedData:
    """Prepare questions about one text without a parse; answers are texts and first characters."""
    files = [
        tiny.one_question(context, answers=list(some), id=f"q{number}")
        for number, some in enumerate(answers)
    ]
    return prepare_data(tiny.as_data(tiny.join(*files)))


def these(data: PreparedData, *words: str) -> Candidates:
    """Make each of the texts a candidate, in the order of the only context."""
    context, offsets = data.contexts[0].as_py(), data.tokens.offset_mapping
    spans = []
    for text in words:
        start = context.index(text)
        first = int(np.flatnonzero(offsets[:, 0] == start)[0])
        spans.append((first, int(np.flatnonzero(offsets[:, 1] == start + len(text))[0])))
    array = np.array(spans, np.int32).reshape(-1, 2)
    zeros = np.zeros(len(spans), np.int32)
    return Candidates(np.array([0, len(spans)]), array, zeros, zeros, {})


def test_an_answer_is_found_by_its_place_without_articles_and_punctuation() -> None:
    at = CONTEXT.index
    data = asking(
        [("the light-house,", at("the light"))],
        [("light-house", at("light"))],
        [("house", at("house"))],
        [("1871", at("1871")), ("1902", at("1902"))],
        [("a boat", at("a boat"))],
        [("oat", at("oat"))],  # covered by "boat"
        [("Ida", 1)],  # is not there
        [("Ida", -1)],
        [],
    )
    candidates = these(data, "light-house", "1902", "boat")
    first, any_answer = found_answers(data, parse_paragraphs(data), candidates)
    expected = [True, True, False, False, True, True, False, False, False]
    assert first.tolist() == expected
    expected[3] = True
    assert any_answer.tolist() == expected


def test_the_same_words_elsewhere_are_not_the_answer() -> None:
    context = "Ida left. Then Ida came."
    data = asking([("Ida", context.rindex("Ida"))], context=context)
    candidates = these(data, "Ida")
    first, _ = found_answers(data, parse_paragraphs(data), candidates)
    assert first.tolist() == [False]
    assert [scores.tolist() for scores in oracle_scores(data, candidates)] == [[1.0], [1.0]]


@pytest.mark.parametrize(
    ("candidate", "answer", "expected"),
    [
        ("light-house", "lighthouse", (1, 1)),  # the hyphen's sides join
        ("house", "light-house", (0, 0)),
        ("light", "light house", (0, 2 / 3)),
        ("kept the light-house, from", "from lighthouse", (0, 4 / 5)),
        ("1902", "1871–1902", (0, 0)),  # the dash stays, and keeps one word together
        ("1871–1902", "1871–1902.", (1, 1)),
        ("The Moss (a boat)", "boat moss", (0, 1)),
        ("(a", "the", (1, 0)),  # both become empty
        ("– the end", "end –", (0, 1)),
    ],
)
def test_the_best_score_by_hand(candidate: str, answer: str, expected: tuple[float, float]) -> None:
    data = asking([(answer, 0)])
    exact_matches, f1s = oracle_scores(data, these(data, "burned", candidate))
    assert (exact_matches[0], f1s[0]) == pytest.approx(expected)


def test_maxima_of_exact_match_and_f1_are_independent() -> None:
    data = asking([("an", 0), ("Ida Moss", 0)])  # "an" and "The" become empty
    exact_matches, f1s = oracle_scores(data, these(data, "The", "Moss"))
    assert (exact_matches[0], f1s[0]) == pytest.approx((1, 2 / 3))


def test_figures_of_a_set() -> None:
    at = CONTEXT.index
    data = asking([("Ida", 0)], [("Moss", at("Moss")), ("boat", at("boat"))], [("the end", 70)])
    figures = candidate_recall(data, parse_paragraphs(data), these(data, "Ida", "boat", "end."))
    assert vars(figures) == {
        "paragraphs": 1,
        "questions": 3,
        "candidates": 3,
        "most_candidates": 3,
        "recall_first": pytest.approx(100 / 3),
        "recall_any": pytest.approx(200 / 3),
        "exact_match": 100.0,
        "f1": 100.0,
    }


def test_paragraphs_without_candidates_and_questions_without_answers() -> None:
    data = asking([("Ida", 0)], [])
    parse = parse_paragraphs(data)
    for candidates in (these(data), these(data, "boat")):
        assert [one.tolist() for one in found_answers(data, parse, candidates)] == [[False] * 2] * 2
        assert [one.tolist() for one in oracle_scores(data, candidates)] == [[0.0] * 2] * 2


PIECES = ["the", "a", "A", "Ann", "ann", "red", "an", "–", "-", ",", "(", ".", "ΑΣ", "İ", "x", "1"]


@given(st.integers(0, 2**32), st.sampled_from(list(GENERATORS)))
def test_scores_equal_scoring_every_candidate(seed: int, name: str) -> None:
    chance = random.Random(seed)

    def text(least: int, most: int) -> str:
        pieces = chance.choices(PIECES, k=chance.randint(least, most))
        return "".join(piece + chance.choice(["", " ", " ", "\u00a0 "]) for piece in pieces)

    files = []
    for number in range(chance.randint(1, 3)):
        context = "Ann " + text(0, 25)
        for asked in range(chance.randint(1, 3)):
            answers = [(text(1, 5), 0) for _ in range(chance.randint(0, 3))]
            files.append(tiny.one_question(context, answers=answers, id=f"{number} {asked}"))
    data = prepare_data(tiny.as_data(tiny.join(*files)))
    candidates = GENERATORS[name](max_tokens=4).generate(data, parse_paragraphs(data))
    assert_as_scoring_every_one(data, candidates)


def assert_as_scoring_every_one(data: PreparedData, candidates: Candidates) -> None:
    exact_matches, f1s = oracle_scores(data, candidates)
    for question, answers in enumerate(data.answer_texts.to_pylist()):
        paragraph = data.paragraphs[question]
        offsets = data.tokens.offset_mapping[data.tokens.bounds[paragraph] :]
        begin, end = candidates.bounds[paragraph : paragraph + 2]
        context = data.contexts[paragraph].as_py()
        said = [context[offsets[a, 0] : offsets[b, 1]] for a, b in candidates.spans[begin:end]]
        scored = said if answers else []
        assert exact_matches[question] == max((exact_match(t, answers) for t in scored), default=0)
        assert f1s[question] == max((f1(t, answers) for t in scored), default=0)


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_recall_equals_looking_for_each_answer(seed: int) -> None:
    data = random_data(seed)  # tokens are words with a space between
    parse = parse_paragraphs(data)
    candidates = NounChunks().generate(data, parse)
    first, any_answer = found_answers(data, parse, candidates)
    assert first.tolist() == any_answer.tolist()  # they have one answer, or none
    for question, found in enumerate(first):
        a, b = int(data.start_positions[question]), int(data.end_positions[question])
        paragraph = data.paragraphs[question]
        silent = parse.silent[data.tokens.bounds[paragraph] :]
        said = [t for t in range(a, b + 1) if not silent[t]] if a >= 0 else []
        wanted = [said[0], said[-1]] if said else [a, b]
        begin, end = candidates.bounds[paragraph : paragraph + 2]
        assert found == (wanted in candidates.spans[begin:end].tolist())


def test_questions_may_come_in_any_order() -> None:
    data = random_data(7)
    order = np.arange(len(data.ids))[::-1]
    turned = replace(
        data,
        ids=data.ids.take(pa.array(order)),
        paragraphs=data.paragraphs[order],
        answer_texts=data.answer_texts.take(pa.array(order)),
        answer_starts=data.answer_starts.take(pa.array(order)),
    )
    parse = parse_paragraphs(data)
    candidates = DependencyRuns().generate(data, parse)
    for one, other in zip(
        (*found_answers(data, parse, candidates), *oracle_scores(data, candidates)),
        (*found_answers(turned, parse, candidates), *oracle_scores(turned, candidates)),
        strict=True,
    ):
        assert one[order].tolist() == other.tolist()


def test_all_spans_contain_every_answer_inside_a_sentence() -> None:
    data = prepare_data(tiny.as_data(tiny.squad()))
    parse = parse_paragraphs(data)
    figures = candidate_recall(data, parse, NGrams(max_tokens=50).generate(data, parse))
    assert (figures.recall_first, figures.recall_any) == (100, 100)
    assert (figures.exact_match, figures.f1) == (100, 100)


def test_generators_are_measured_in_order() -> None:
    data = asking([("Ida", 0)])
    parse = parse_paragraphs(data)
    generators = [NGrams(max_tokens=1), NGrams(max_tokens=3, max_candidates=2)]
    calls: list[tuple[str, int, int]] = []
    measured = measure_generators(
        data, generators, progress=lambda task, done, total: calls.append((task, done, total))
    )
    for generator, one in zip(generators, measured, strict=True):
        candidates = generator.generate(data, parse)
        assert one.recall == candidate_recall(data, parse, candidates)
        assert one.dropped == candidates.dropped
        assert one.seconds > 0
    assert measured[0].recall != measured[1].recall
    assert calls == [("generators", number, 2) for number in range(3)]
