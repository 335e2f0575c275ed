"""Candidate answers against a slow generator that follows their definitions."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from squadqa.data.candidates.generators import (
    FALLBACK_TOKENS,
    GENERATORS,
    CandidateGenerator,
    DependencyRuns,
    NGrams,
    NounChunks,
)
from squadqa.data.candidates.parse import parse_paragraphs
from squadqa.data.prepare import PreparedData
from tests.support.parsed import Question, Text, prepared, random_data
from tests.support.slow_candidates import SILENT, SlowCandidates, Span

QUESTION = Question(Text([[("what", 0)]]), 0)


def generated(data: PreparedData, generator: CandidateGenerator) -> list[list[Span]]:
    candidates = generator.generate(data, parse_paragraphs(data))
    pairs = zip(candidates.bounds[:-1], candidates.bounds[1:], strict=True)
    return [[tuple(span) for span in candidates.spans[a:b].tolist()] for a, b in pairs]


def texts(data: PreparedData, generator: CandidateGenerator) -> set[str]:
    words = data.contexts[0].as_py().split(" ")
    return {" ".join(words[first : last + 1]) for first, last in generated(data, generator)[0]}


@given(st.integers(0, 2**32), st.booleans(), st.integers(0, 3), st.sampled_from([2, 20]))
@example(seed=420, projective=False, depth=1, max_tokens=20)  # a left child that reaches right
def test_runs_equal_the_slow_generator(
    seed: int, projective: bool, depth: int, max_tokens: int
) -> None:
    data = random_data(seed, projective=projective)
    generator = DependencyRuns(depth=depth, max_tokens=max_tokens)
    slow = [SlowCandidates(data, p) for p in range(len(data.contexts))]
    assert generated(data, generator) == [s.candidates(s.runs(depth), max_tokens) for s in slow]


@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([1, 2, 20]))
def test_noun_chunks_equal_the_slow_generator(seed: int, projective: bool, max_tokens: int) -> None:
    data = random_data(seed, projective=projective)
    expected = []
    for paragraph in range(len(data.contexts)):
        slow = SlowCandidates(data, paragraph)
        tokens = {(t, t) for t in range(len(slow.words))}
        expected.append(slow.candidates(tokens | slow.noun_chunks(), max_tokens))
    assert generated(data, NounChunks(max_tokens=max_tokens)) == expected


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.booleans())
def test_head_is_the_last_of_the_shallowest_tokens(seed: int, projective: bool) -> None:
    data = random_data(seed, projective=projective)
    candidates = DependencyRuns().generate(data, parse_paragraphs(data))
    for p in range(len(data.contexts)):
        slow = SlowCandidates(data, p)
        for i in range(candidates.bounds[p], candidates.bounds[p + 1]):
            span = tuple(candidates.spans[i].tolist())
            assert candidates.heads[i] == slow.head(span)
            assert candidates.sentences[i] == slow.sentences[span[0]] - 1


def test_a_noun_phrase_by_hand() -> None:
    noun_phrase = [("the", 4), ("red", 4), ("apples", 1), (",", 4), ("raw", 4)]
    sentence = [("Ann", 1), ("ate", 1), *noun_phrase]
    data = prepared([Text([sentence])], [QUESTION])
    # "the" and "," go from both ends; "red" is a child alone; "apples , raw" keeps its comma.
    assert texts(data, DependencyRuns(depth=0)) == {
        "Ann", "ate", "the", "red", "apples", ",", "raw", "Ann ate", "red apples",
        "red apples , raw", "apples , raw", "ate the red apples , raw",
        "Ann ate the red apples , raw",
    }  # fmt: skip
    deeper = texts(data, DependencyRuns(depth=1)) - texts(data, DependencyRuns(depth=0))
    assert deeper == {"ate the red apples", "Ann ate the red apples"}


def test_a_noun_chunk_by_hand() -> None:
    subject = [("the", 4), ("New", 2), ("York", 3), ("subway", 4), ("map", 5)]
    sentence = [*subject, ("shows", 5), ("the", 8), ("red", 8), ("lines", 5), ("here", 8)]
    tags = {"shows": "VBZ", "the": "DT", "New": "NNP", "York": "NNP", "red": "JJ", "here": "RB"}
    data = prepared([Text([sentence], tags=tags)], [QUESTION])
    # A noun with what is below it on the left, without the article; nothing after it, no verb.
    assert texts(data, NounChunks()) - set(data.tokens.lexicon) == {
        "New York", "New York subway", "New York subway map", "red lines",
    }  # fmt: skip


@pytest.mark.parametrize("generator", [DependencyRuns(), NounChunks()])
def test_an_entity_is_a_candidate_whatever_the_parse(generator: CandidateGenerator) -> None:
    sentence = [("Puente", 1), ("Hill", 3), ("Fault", 3), ("broke", 3)]
    without = prepared([Text([sentence])], [QUESTION])
    with_entity = prepared([Text([sentence], entities=[(1, 2, "LOC")])], [QUESTION])
    assert texts(with_entity, generator) - texts(without, generator) == {"Hill Fault"}


@pytest.mark.parametrize("generator", [DependencyRuns(), NounChunks()])
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_without_a_parse_ngrams_inside_sentences(generator: CandidateGenerator, seed: int) -> None:
    data = random_data(seed, parse=False)
    for number, spans in enumerate(generated(data, generator)):
        words = data.contexts[number].as_py().split(" ")
        slow = {
            (i, j)
            for i in range(len(words))
            for j in range(i, min(len(words), i + FALLBACK_TOKENS))
            if not set(words[i:j]) & {".", "!", "?"}
        }
        said = {
            (min(kept), max(kept)) if kept else (i, j)
            for i, j in slow
            for kept in [[t for t in range(i, j + 1) if words[t].lower() not in SILENT]]
        }
        assert spans == sorted(said)


def test_sentence_of_one_token_and_sentence_ends_without_annotation() -> None:
    one = prepared([Text([[("Ann", 0)], [("red", 0)]])], [QUESTION])
    assert generated(one, DependencyRuns()) == [[(0, 0), (1, 1)]]
    words = [(word, place) for place, word in enumerate(["Ann", ".", "red", "apple"])]
    assert texts(prepared([Text([words])], [QUESTION], parse=False), DependencyRuns()) == {
        "Ann", ".", "red", "apple", "red apple",
    }  # fmt: skip


def test_context_of_5000_tokens_keeps_to_its_limit_and_counts_the_rest() -> None:
    flat = [("apple", 0)] * 5000  # the first token is every token's head
    data = prepared([Text([flat]), Text([[("Ann", 0)]])], [QUESTION])
    parse = parse_paragraphs(data)
    candidates = DependencyRuns(depth=0, max_tokens=3, max_candidates=6000).generate(data, parse)
    lengths = np.diff(candidates.spans[:-1], axis=1)[:, 0] + 1
    assert np.bincount(lengths).tolist() == [0, 5000, 1000]  # the shortest stay, the first of them
    assert candidates.spans[:6000].max() == 4999
    flat_runs = 5000 * 5001 // 2 + 4999 + 1  # of the first token, the others and the other text
    assert candidates.dropped == {
        "max_tokens": flat_runs - (3 * 5000 - 3) - 4999 - 1,
        "max_candidates": 4999 + 4998 - 1000,
    }
    assert candidates.spans[6000:].tolist() == [[0, 0]]


def test_span_longer_than_the_limit_is_counted() -> None:
    data = prepared([Text([[("Ann", 1), ("ate", 1), ("apples", 1)]])], [QUESTION])
    candidates = DependencyRuns(depth=0, max_tokens=2).generate(data, parse_paragraphs(data))
    assert candidates.spans.tolist() == [[0, 0], [0, 1], [1, 1], [1, 2], [2, 2]]
    assert candidates.dropped == {"max_tokens": 1, "max_candidates": 0}


@pytest.mark.parametrize("name", GENERATORS)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), max_tokens=st.integers(1, 4), limit=st.integers(1, 9))
def test_every_generator_keeps_to_the_limits(
    name: str, seed: int, max_tokens: int, limit: int
) -> None:
    data = random_data(seed)
    parse = parse_paragraphs(data)
    generator = GENERATORS[name]
    every = generator(max_tokens=max_tokens, max_candidates=10_000).generate(data, parse)
    kept = generator(max_tokens=max_tokens, max_candidates=limit).generate(data, parse)
    lengths = every.spans[:, 1] - every.spans[:, 0] + 1
    assert lengths.max() <= max_tokens
    assert (np.diff(kept.bounds) == np.minimum(np.diff(every.bounds), limit)).all()
    assert kept.dropped["max_candidates"] == len(every.spans) - len(kept.spans)
    for p in range(len(data.contexts)):
        mine, all_of_it = (c.spans[c.bounds[p] : c.bounds[p + 1]].tolist() for c in (kept, every))
        shortest = sorted(all_of_it, key=lambda span: (span[1] - span[0], span))[:limit]
        assert mine == sorted(shortest)


@pytest.mark.parametrize("max_tokens", [1, 3])
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_ngrams_are_all_spans_inside_a_sentence(max_tokens: int, seed: int) -> None:
    data = random_data(seed)
    for paragraph, spans in enumerate(generated(data, NGrams(max_tokens=max_tokens))):
        slow = SlowCandidates(data, paragraph)
        every = {
            slow.trim((i, j))
            for i in range(len(slow.words))
            for j in range(i, min(len(slow.words), i + max_tokens))
            if slow.sentences[i] == slow.sentences[j]
        }
        assert spans == sorted(every)
