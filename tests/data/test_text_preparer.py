from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.data import text_preparer
from squadqa.data.annotation import Annotation
from squadqa.data.prepare import prepare_data
from squadqa.data.squad import SquadData
from squadqa.data.text_preparer import TextPreparer
from squadqa.data.tokenization import Tokens
from squadqa.data.vectors import VectorStore
from squadqa.errors import ConfigError, VectorsError
from tests.support import tiny
from tests.support.comparing import comparable

TINY = tiny.as_data(tiny.squad())
CONTEXTS = (*TINY.contexts, " ", "Ida kept the light.")
QUESTIONS = (*TINY.questions[:4], "Ida kept the light.", "?")

ASKED = st.lists(
    st.tuples(st.sampled_from(CONTEXTS), st.lists(st.sampled_from(QUESTIONS), max_size=3)),
    max_size=3,
)
"""Contexts with their questions: none or several of each, some of them equal."""


def asked(contexts: Sequence[tuple[str, Sequence[str]]]) -> SquadData:
    data = SquadData()
    for number, (context, questions) in enumerate(contexts):
        data.titles.append(f"title {number}")
        data.contexts.append(context)
        for question in questions:
            data.ids.append(f"q{len(data.ids)}")
            data.questions.append(question)
            data.paragraphs.append(number)
            data.answer_texts.append([context[2:5]] if len(context) > 5 else [])
            data.answer_starts.append([2] if len(context) > 5 else [])
    return data


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    path.write_text("the 1.0 2.0\nIda 3.0 4.0\nlight 5.0 6.0\n")
    return str(path)


@given(sequence=st.lists(ASKED, min_size=1, max_size=4), keep=st.sampled_from([0, 1, 3, 64]))
@settings(max_examples=25)
def test_result_does_not_depend_on_earlier_texts(
    pipeline: str, vectors: str, sequence: list[Any], keep: int
) -> None:
    preparer = TextPreparer(pipeline=pipeline, vectors=VectorStore([vectors]), keep=keep)
    for contexts in sequence:
        data = asked(contexts)
        expected = prepare_data(data, pipeline=pipeline, vectors=[vectors])
        assert comparable(preparer.prepare(data)) == comparable(expected)


def test_what_is_not_asked_for_is_left_out(pipeline: str, vectors: str) -> None:
    plain = TextPreparer().prepare(TINY)
    assert plain.annotation is plain.vectors is plain.vectors_found is None
    assert TextPreparer(vectors=VectorStore([])).prepare(TINY).vectors is None
    assert TextPreparer(vectors=[vectors]).prepare(TINY).annotation is None
    assert TextPreparer(pipeline=pipeline).prepare(TINY).vectors is None


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were tokenized and annotated, each with a mark."""
    texts: list[str] = []
    tokenize, annotate_each = text_preparer.tokenize, text_preparer.annotate_each

    def counted_tokenize(some: Sequence[str], *, language: str) -> Tokens:
        texts.extend(f"tokens of {text}" for text in some)
        return tokenize(some, language=language)

    def counted_annotate(
        some: Sequence[Tokens], *, pipeline: Any, skip: Sequence[str]
    ) -> list[Annotation]:
        kind = "partial" if "ner" in skip else "whole"
        texts.extend(f"{kind} annotation of {len(tokens.forms)}" for tokens in some)
        return annotate_each(some, pipeline=pipeline, skip=skip)

    monkeypatch.setattr(text_preparer, "tokenize", counted_tokenize)
    monkeypatch.setattr(text_preparer, "annotate_each", counted_annotate)
    return texts


def test_a_known_text_is_not_read_again(pipeline: str, read: list[str]) -> None:
    preparer = TextPreparer(pipeline=pipeline)
    preparer.prepare(asked([("A boat.", ["Who left?", "Who left?"])]))
    assert read == [
        "tokens of A boat.",
        "whole annotation of 3",
        "tokens of Who left?",
        "partial annotation of 3",
    ]
    read.clear()
    preparer.prepare(asked([("A boat.", ["Why?"])]))
    assert read == ["tokens of Why?", "partial annotation of 2"]


def test_the_texts_used_last_are_kept(read: list[str]) -> None:
    preparer = TextPreparer(keep=2)
    for question in ("One?", "Two?", "Three?"):
        preparer.prepare(asked([("A boat.", [question])]))
    assert read.count("tokens of A boat.") == 1
    preparer.prepare(asked([("A boat.", ["One?"])]))
    assert read.count("tokens of One?") == 2


def test_changing_a_result_changes_no_later_one(pipeline: str) -> None:
    preparer = TextPreparer(pipeline=pipeline)
    expected = comparable(preparer.prepare(TINY))
    given_away = preparer.prepare(TINY)
    given_away.tokens.forms[:] = 0
    given_away.tokens.lexicon.clear()
    assert given_away.annotation is not None
    given_away.annotation.lemmas[:] = 0
    given_away.annotation.lemma_lexicon.clear()
    assert comparable(preparer.prepare(TINY)) == expected


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no spaCy pipeline"):
        TextPreparer(pipeline="no_such_pipeline").prepare(TINY)
    with pytest.raises(VectorsError, match="no word vectors"):
        TextPreparer(vectors=VectorStore([str(tmp_path / "missing.txt")])).prepare(TINY)
