"""Tokens and annotation as columns: nothing is lost, and nothing impossible is accepted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.annotation import Annotation
from squadqa.data.pack.columns import (
    annotation_columns,
    annotation_of,
    smallest,
    token_columns,
    tokens_of,
)
from squadqa.data.tokenization import Tokens, tokenize
from tests.support import tiny
from tests.support.comparing import _plain as plain

TEXTS = ["Ida sold 12 eggs.", "naïve 🥐 — 🥐!", " a  b ", "x", "\u200bé\u0301 ﬁ"]


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=6))
def test_tokens_come_back(texts: list[str]) -> None:
    tokens = tokenize(texts)
    assert plain(tokens_of(token_columns(tokens), texts)) == plain(tokens)


def test_tokens_of_many_kinds_of_text() -> None:
    tokens = tokenize(TEXTS)
    found = tokens_of(token_columns(tokens), TEXTS)
    assert plain(found) == plain(tokens)
    cut = [TEXTS[0][start:end] for start, end in found.offset_mapping[: found.bounds[1]]]
    assert [found.lexicon[form] for form in found.forms[: found.bounds[1]]] == cut


def columns() -> tuple[dict[str, Any], list[str]]:
    texts = ["Ida sold eggs.", "Who?"]
    return token_columns(tokenize(texts)), texts


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("token_counts", lambda c: c[:1], "do not fit the texts"),
        ("token_counts", lambda c: c * 0, "do not fit the texts"),
        ("token_counts", lambda c: c + 1, "not as many tokens"),
        ("token_counts", lambda c: c.astype(np.float32), "is of type float32"),
        ("token_gaps", lambda c: c[:-1], "not as many tokens"),
        ("token_gaps", lambda c: c.astype(np.int8) - 1, "tokens overlap"),
        ("token_gaps", lambda c: c + 1, "reaches beyond its text"),
        ("token_lengths", lambda c: c * 0, "tokens overlap"),
        ("token_lengths", lambda c: np.full(len(c), 2**32 - 1, np.uint32), "reaches beyond"),
        ("token_lengths", lambda c: c.astype(np.uint64), "is of type uint64"),
    ],
)
def test_tokens_that_cannot_be(name: str, change: Any, says: str) -> None:
    found, texts = columns()
    with pytest.raises(ValueError, match=says):
        tokens_of({**found, name: change(found[name])}, texts)


@st.composite
def annotated(draw: st.DrawFn) -> tuple[Tokens, Annotation]:
    """Made-up words with lemmas that differ from token to token, and trees of any shape."""
    words = st.sampled_from(["left", "Left", "eggs", "a", "é"])
    texts = draw(st.lists(st.lists(words, min_size=1, max_size=6), min_size=1, max_size=4))
    tokens = tokenize([" ".join(text) for text in texts])
    size = len(tokens.forms)
    lemmas = [draw(st.sampled_from(["leave", "left", "egg", ""])) for _ in range(size)]
    lexicon = sorted(set(lemmas))
    heads = [
        draw(st.integers(0, place)) for text in texts for place in range(len(text))
    ]  # a head before its token, or itself: always trees
    random = np.random.default_rng(draw(st.integers(0, 99)))
    return tokens, Annotation(
        tags=random.integers(0, 50, size).astype(np.uint8),
        entities=random.integers(0, 19, size).astype(np.uint8),
        entity_begins=random.random(size) < 0.5,
        lemmas=np.array([lexicon.index(lemma) for lemma in lemmas], np.int32),
        heads=np.array(heads, np.int32),
        dependencies=random.integers(0, 46, size).astype(np.uint8),
        sentence_begins=random.random(size) < 0.5,
        lemma_lexicon=lexicon,
    )


@given(annotated())
def test_annotations_come_back(made: tuple[Tokens, Annotation]) -> None:
    tokens, annotation = made
    found, others = annotation_columns(annotation, tokens)
    assert plain(annotation_of(found, others, tokens)) == plain(annotation)


def test_frequent_lemmas_are_zeros() -> None:
    tokens = tokenize(["left left Left left"])
    lemmas = np.array([0, 0, 1, 1], np.int32)
    annotation = replace(_annotation(tokens), lemmas=lemmas, lemma_lexicon=["leave", "left"])
    found, others = annotation_columns(annotation, tokens)
    assert found["lemma_codes"].tolist() == [0, 0, 0, 1]  # "Left" has one lemma, which is its form
    assert found["lemmas_are_forms"].tolist() == [True, False, True]
    assert others == ["leave"]


def _annotation(tokens: Tokens) -> Annotation:
    size = len(tokens.forms)
    return Annotation(
        tags=np.zeros(size, np.uint8),
        entities=np.zeros(size, np.uint8),
        entity_begins=np.zeros(size, bool),
        lemmas=np.zeros(size, np.int32),
        heads=np.zeros(size, np.int32),
        dependencies=np.zeros(size, np.uint8),
        sentence_begins=np.zeros(size, bool),
        lemma_lexicon=["x"],
    )


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("tags", lambda c: c[1:], "rows for"),
        ("tags", lambda c: c * 0 + 50, "stands for no label"),
        ("entities", lambda c: c * 0 + 19, "stands for no label"),
        ("dependencies", lambda c: c * 0 + 46, "stands for no label"),
        ("dependencies", lambda c: c.astype(np.int64), "stands for no label"),
        ("entity_begins", lambda c: c.astype(np.uint8), "is not true or false"),
        ("heads", lambda c: c * 0 - 1, "outside its text"),
        ("heads", lambda c: c * 0 + 1, "outside its text"),
        ("heads", lambda c: np.where(np.arange(len(c)) == 0, 1, c), "round in a circle"),
        ("heads", lambda c: c.astype(np.int64), "is of type int64"),
        ("lemma_codes", lambda c: c + 1, "a lemma that its form has not"),
        ("lemma_codes", lambda c: c.astype(np.int8) - 1, "a lemma that its form has not"),
        ("lemma_choices", lambda c: c[1:], "do not fit the word forms"),
        ("lemma_choices", lambda c: c * 0, "do not fit the word forms"),
        ("lemma_choices", lambda c: c + 1, "not as many lemmas"),
        ("lemmas_are_forms", lambda c: ~c, "not as many lemmas"),
        ("lemmas_are_forms", lambda c: np.append(c, False), "not as many lemmas"),
    ],
)
def test_annotations_that_cannot_be(name: str, change: Any, says: str) -> None:
    data = tiny.prepared()
    assert data.annotation is not None
    found, others = annotation_columns(data.annotation, data.tokens)
    with pytest.raises(ValueError, match=says):
        annotation_of({**found, name: change(found[name])}, others, data.tokens)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([], np.uint8),
        ([0, 255], np.uint8),
        ([256], np.uint16),
        ([-1, 127], np.int8),
        ([-1, 255], np.int16),
        ([-40_000], np.int32),
    ],
)
def test_numbers_take_few_bytes(values: list[int], dtype: Any) -> None:
    found = smallest(np.array(values, np.int64))
    assert found.dtype == dtype
    assert found.tolist() == values
