"""Choosing without learning, against the algorithms as in the papers."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.data.candidates.generators import GENERATORS, Candidates, DependencyRuns, NGrams
from squadqa.data.candidates.parse import Parse, parse_paragraphs
from squadqa.data.prepare import PreparedData
from squadqa.evaluation.sliding_window import (
    STOP_WORDS,
    answer_texts,
    choose_at_random,
    choose_by_sliding_window,
)
from tests.support.parsed import Question, Text, prepared, random_data


def flat(text: str) -> Text:
    """Sentences of words; the first word is the head of its sentence."""
    return Text([[(word, 0) for word in part.split()] for part in text.split("|")])


class Slow:
    """The sliding window by sets and loops, over one question."""

    def __init__(self, data: PreparedData, parse: Parse, question: int) -> None:
        paragraph = int(data.paragraphs[question])
        self.begin, end = data.tokens.bounds[paragraph : paragraph + 2].tolist()
        self.tokens = self.words(data, paragraph)
        self.sentences = parse.sentences[self.begin : end].tolist()
        asked = self.words(data, len(data.contexts) + question)
        self.asked = [word for word in asked if self.is_word(word)]
        self.passage = [word for word in self.tokens if self.is_word(word)]

    @staticmethod
    def words(data: PreparedData, text: int) -> list[str]:
        begin, end = data.tokens.bounds[text : text + 2]
        return [data.tokens.lexicon[form].lower() for form in data.tokens.forms[begin:end]]

    @staticmethod
    def is_word(token: str) -> bool:
        return any(character.isalnum() for character in token)

    def sentence(self, first: int) -> list[int]:
        return [
            t
            for t, number in enumerate(self.sentences)
            if number == self.sentences[first] and self.is_word(self.tokens[t])
        ]

    def overlap(self, first: int, last: int) -> int:
        sentence = self.sentence(first)
        outside = {self.tokens[t] for t in sentence if not first <= t <= last}
        pairs = {
            (self.tokens[a], self.tokens[b])
            for a, b in pairwise(sentence)
            if not first <= a <= last and not first <= b <= last
        }
        return len(outside & set(self.asked)) + len(pairs & set(pairwise(self.asked)))

    def answer(self, first: int, last: int) -> set[str]:
        return {word for word in self.tokens[first : last + 1] if self.is_word(word)}

    def window(self, first: int, last: int) -> float:
        sentence = [self.tokens[t] for t in self.sentence(first)]
        target = set(self.asked) | self.answer(first, last)
        best = 0.0
        for start in range(len(sentence)):
            window = sentence[start : start + len(target)]
            counts = [self.passage.count(word) for word in window if word in target]
            best = max(best, sum(math.log(1 + 1 / count) for count in counts))
        return best

    def distance(self, first: int, last: int) -> float:
        sentence = [self.tokens[t] for t in self.sentence(first)]
        asked = set(self.asked) & set(sentence) - STOP_WORDS
        answer = self.answer(first, last) - set(self.asked) - STOP_WORDS
        if not asked or not answer:
            return 1.0
        steps = [
            abs(i - j)
            for i, word in enumerate(sentence)
            for j, other in enumerate(sentence)
            if word in asked and other in answer
        ]
        return min(steps) / (len(sentence) - 1)

    def choose(self, spans: list[list[int]], *, distance: bool) -> int:
        most = max(self.overlap(*span) for span in spans)
        scores = [
            round(self.window(*span) - (self.distance(*span) if distance else 0), 9)
            if self.overlap(*span) == most
            else -math.inf
            for span in spans
        ]
        return scores.index(max(scores))


@given(st.integers(0, 2**32), st.booleans(), st.booleans(), st.sampled_from(list(GENERATORS)))
def test_choice_equals_the_slow_algorithm(
    seed: int, parsed: bool, distance: bool, name: str
) -> None:
    data = random_data(seed, parse=parsed)
    parse = parse_paragraphs(data)
    candidates = GENERATORS[name]().generate(data, parse)
    chosen = choose_by_sliding_window(data, parse, candidates, distance=distance)
    for question, found in enumerate(chosen.tolist()):
        begin, end = candidates.bounds[data.paragraphs[question] :][:2]
        spans = candidates.spans[begin:end].tolist()
        assert found - begin == Slow(data, parse, question).choose(spans, distance=distance)


def answered(context: str, question: str, *, distance: bool = False) -> str:
    """Answer one question with any token or pair of tokens."""
    data = prepared([flat(context)], [Question(flat(question), 0)])
    parse = parse_paragraphs(data)
    candidates = NGrams(max_tokens=2).generate(data, parse)
    chosen = choose_by_sliding_window(data, parse, candidates, distance=distance)
    return answer_texts(data, candidates, chosen)["q0"]


def test_the_sentence_with_most_of_the_questions_words_first() -> None:
    # The candidate's own words do not count: "sold" and "boat" stay outside "Tom".
    assert answered("Ida kept ships | Tom sold boat", "who sold boat") == "Tom"


def test_pairs_of_words_count_too() -> None:
    # Both sentences have "sold" and "boat"; only in the second they are neighbours.
    assert answered("boat Ida sold | Tom sold boat", "who sold boat") == "Tom"


def test_the_window_prefers_more_and_rarer_words() -> None:
    # The windows of the words after "sold" are equally long, and only "x" is frequent.
    assert answered("sold x | x x | sold rye", "who sold") == "rye"
    assert answered("sold plum cake", "who sold") == "plum cake"


def test_distance_prefers_what_is_near_the_questions_words() -> None:
    context = "plum cake rye bread sold"
    assert answered(context, "what is sold") == "plum cake"  # the first of equal windows
    assert answered(context, "what is sold", distance=True) == "rye bread"


def test_a_question_without_words_and_candidates_without_words() -> None:
    assert answered("( – | Tom", "?") == "Tom"
    assert answered("( –", "who") == "("


def some_candidates(data: PreparedData) -> Candidates:
    return DependencyRuns().generate(data, parse_paragraphs(data))


def test_random_candidates_are_of_the_questions_paragraph_and_all_equally_likely() -> None:
    context = flat("Ann ate red apples")
    questions = [Question(flat("what"), 1)] * 4000
    data = prepared([flat("never this"), context], questions)
    candidates = some_candidates(data)
    begin, end = candidates.bounds[1:3]
    counts = np.bincount(choose_at_random(data, candidates, seed=3), minlength=end)
    assert counts[:begin].sum() == 0
    mean = 4000 / (end - begin)
    assert counts[begin:] == pytest.approx(mean, abs=5 * math.sqrt(mean))


def test_the_seed_decides_the_random_choice() -> None:
    data = prepared([flat("Ann ate red apples")], [Question(flat("what"), 0)] * 50)
    first, again, other = (choose_at_random(data, some_candidates(data), seed=s) for s in (1, 1, 2))
    assert first.tolist() == again.tolist() != other.tolist()


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_texts_are_the_candidates(seed: int) -> None:
    data = random_data(seed)
    candidates = some_candidates(data)
    chosen = choose_at_random(data, candidates, seed=1)
    texts = answer_texts(data, candidates, chosen)
    assert list(texts) == data.ids.to_pylist()
    for question, text in enumerate(texts.values()):
        words = data.contexts[data.paragraphs[question]].as_py().split(" ")
        first, last = candidates.spans[chosen[question]]
        assert text == " ".join(words[first : last + 1])


def test_without_candidates_the_text_is_empty() -> None:
    data = prepared([flat("Ann ate"), flat("Tom")], [Question(flat("who"), n) for n in (0, 1)])
    nothing = np.zeros(0, np.int32)
    candidates = Candidates(
        np.array([0, 0, 1]), np.zeros((1, 2), np.int32), nothing, nothing, dropped={}
    )
    parse = parse_paragraphs(data)
    for chosen in (
        choose_at_random(data, candidates),
        choose_by_sliding_window(data, parse, candidates),
    ):
        assert chosen.tolist() == [-1, 0]
        assert answer_texts(data, candidates, chosen) == {"q0": "", "q1": "Tom"}


def test_progress_counts_every_question() -> None:
    data = random_data(5)
    parse = parse_paragraphs(data)
    reported: list[tuple[str, int, int]] = []
    choose_by_sliding_window(
        data, parse, some_candidates(data), progress=lambda *what: reported.append(what)
    )
    assert reported[-1] == ("questions", len(data.ids), len(data.ids))
