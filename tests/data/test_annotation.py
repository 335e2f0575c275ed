from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.data.annotation import (
    ANNOTATION_COLUMNS,
    DEPENDENCIES,
    ENTITIES,
    TAGS,
    Annotation,
    annotate,
    annotate_each,
    join_annotations,
)
from squadqa.data.pipelines import find_pipeline, loaded_pipeline
from squadqa.data.tokenization import Tokens, tokenize
from tests.support import tiny


@pytest.fixture(scope="module")
def texts() -> list[str]:
    data = tiny.as_data(tiny.squad())
    return [*data.contexts, *data.questions]


@pytest.fixture(scope="module")
def tokens(texts: list[str]) -> Tokens:
    return tokenize(texts)


@pytest.fixture(scope="module")
def annotation(tokens: Tokens, pipeline: str) -> Annotation:
    return annotate(tokens, pipeline=pipeline, workers=1)


@pytest.fixture(scope="module")
def opened(pipeline: str) -> Any:
    return loaded_pipeline(str(find_pipeline(pipeline)))


def columns(annotation: Annotation, part: slice = slice(None)) -> dict[str, Any]:
    values = {name: getattr(annotation, name)[part].tolist() for name in ANNOTATION_COLUMNS}
    lemmas = annotation.lemma_lexicon
    return {**values, "lemmas": [lemmas[number] for number in values["lemmas"]]}


def test_a_row_for_each_of_our_tokens(tokens: Tokens, annotation: Annotation) -> None:
    assert {len(getattr(annotation, name)) for name in ANNOTATION_COLUMNS} == {len(tokens.forms)}
    assert annotation.lemma_lexicon == sorted(set(annotation.lemma_lexicon))
    assert annotation.lemmas.max() == len(annotation.lemma_lexicon) - 1


def test_annotation_of_a_sentence(tokens: Tokens, annotation: Annotation) -> None:
    words = [tokens.lexicon[form] for form in tokens.forms]
    rows = columns(annotation)
    assert TAGS[rows["tags"][words.index("kept")]] == "VBD"
    assert rows["lemmas"][words.index("kept")] == "keep"
    assert rows["lemmas"][words.index("Ida")] == "ida"
    assert ENTITIES[rows["entities"][words.index("Moss")]] == "PERSON"
    assert rows["entity_begins"][words.index("Ida")]
    assert not rows["entity_begins"][words.index("Moss")]
    assert DEPENDENCIES[rows["dependencies"][words.index("kept")]] == "ROOT"


def test_heads_stay_inside_their_text(tokens: Tokens, annotation: Annotation) -> None:
    for start, end in zip(tokens.bounds[:-1], tokens.bounds[1:], strict=True):
        heads = annotation.heads[start:end]
        assert ((heads >= 0) & (heads < end - start)).all()
        roots = heads == np.arange(end - start)
        assert (annotation.dependencies[start:end][roots] == DEPENDENCIES.index("ROOT")).all()
        assert annotation.sentence_begins[start]
        assert roots.sum() == annotation.sentence_begins[start:end].sum()


def test_without_a_parse(tokens: Tokens, annotation: Annotation, pipeline: str) -> None:
    plain = annotate(tokens, pipeline=pipeline, parse=False, workers=1)
    places = np.arange(len(tokens.forms)) - np.repeat(tokens.bounds[:-1], np.diff(tokens.bounds))
    assert plain.heads.tolist() == places.tolist()
    assert not plain.dependencies.any()
    assert plain.sentence_begins.tolist() == (places == 0).tolist()
    assert columns(plain)["tags"] == columns(annotation)["tags"]
    assert columns(plain)["lemmas"] == columns(annotation)["lemmas"]
    assert plain.entities.any()


def test_no_entities_are_looked_for_in_questions(
    tokens: Tokens, annotation: Annotation, pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tokens.bounds[1]  # as if only the first text were a context
    assert annotation.entities[:asked].any() and annotation.entities[asked:].any()
    for chunk in (20_000, 5):
        monkeypatch.setattr("squadqa.data.annotation.CHUNK_TOKENS", chunk)
        partly = annotate(tokens, pipeline=pipeline, num_contexts=1, workers=1)
        first, others = slice(asked), slice(asked, None)
        assert columns(partly, first) == columns(annotation, first)
        whole = columns(annotation, others)
        none = {"entities": [0] * len(whole["tags"]), "entity_begins": [False] * len(whole["tags"])}
        assert columns(partly, others) == {**whole, **none}


def test_little_text_is_annotated_in_this_process(
    tokens: Tokens, annotation: Annotation, pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("squadqa.data.annotation.ProcessPoolExecutor", None)
    assert columns(annotate(tokens, pipeline=pipeline)) == columns(annotation)


def test_one_worker_equals_two(
    tokens: Tokens, annotation: Annotation, pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("squadqa.data.annotation.CHUNK_TOKENS", 20)
    done: list[tuple[int, int]] = []
    two = annotate(
        tokens, pipeline=pipeline, workers=2, progress=lambda *counts: done.append(counts)
    )
    assert columns(two) == columns(annotation)
    assert two.lemma_lexicon == annotation.lemma_lexicon
    assert len(done) > 2
    assert done == sorted(done)
    assert done[-1] == (len(tokens.forms), len(tokens.forms))


@pytest.fixture(scope="module")
def pool(texts: list[str]) -> list[Tokens]:
    """Texts of very different lengths and kinds, each tokenized alone."""
    others = [
        "",
        " \n",
        "?",
        "(((",
        "NASA's 1,500–2,000 km² in the U.S.",
        "\u200b🥐 中文",
        "The the THE",
    ]
    return [tokenize([text]) for text in [*texts, *others, " ".join(texts), " ".join(texts * 3)]]


@pytest.fixture(scope="module")
def alone(pool: list[Tokens], opened: Any) -> list[Annotation]:
    return [annotate_each([tokens], pipeline=opened)[0] for tokens in pool]


@given(data=st.data())
@settings(max_examples=25)
def test_a_text_is_annotated_the_same_among_any_texts(
    pool: list[Tokens], alone: list[Annotation], opened: Any, data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(pool) - 1), max_size=12))
    together = annotate_each([pool[number] for number in chosen], pipeline=opened)
    assert [columns(each) for each in together] == [columns(alone[number]) for number in chosen]


def test_texts_together_are_annotated_as_each_alone(
    texts: list[str], tokens: Tokens, annotation: Annotation, alone: list[Annotation]
) -> None:
    joined = join_annotations(alone[: len(texts)])
    for name in ANNOTATION_COLUMNS:
        assert getattr(joined, name).dtype == getattr(annotation, name).dtype
        np.testing.assert_array_equal(getattr(joined, name), getattr(annotation, name))
    assert joined.lemma_lexicon == annotation.lemma_lexicon


@pytest.mark.parametrize("empty", [[], [""], ["", " ", "Ida left.", "\n"]])
def test_empty_texts(empty: list[str], pipeline: str) -> None:
    tokens = tokenize(empty)
    annotation = annotate(tokens, pipeline=pipeline, workers=1)
    assert len(annotation.tags) == len(tokens.forms) == (3 if len(empty) > 1 else 0)


def test_every_field_is_a_column_or_the_lexicon() -> None:
    assert {each.name for each in fields(Annotation)} == {*ANNOTATION_COLUMNS, "lemma_lexicon"}


@pytest.mark.parametrize("inventory", [TAGS, ENTITIES, DEPENDENCIES])
def test_inventories_start_with_none_and_have_no_repeats(inventory: tuple[str, ...]) -> None:
    assert inventory[0] == ""
    assert len(set(inventory)) == len(inventory) < 256


def test_inventories_contain_every_label_of_the_pipeline(opened: Any) -> None:
    assert {label for label in opened.get_pipe("tagger").labels if label != "_SP"} <= set(TAGS)
    assert set(opened.get_pipe("ner").labels) == set(ENTITIES) - {""}
    assert set(opened.get_pipe("parser").labels) <= set(DEPENDENCIES)
