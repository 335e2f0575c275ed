from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from squadqa.data.annotation import (
    ANNOTATION_COLUMNS,
    DEPENDENCIES,
    ENTITIES,
    PIPELINES,
    TAGS,
    Annotation,
    annotate,
    find_pipeline,
    load_pipeline,
    pipeline_fingerprint,
)
from squadqa.data.prepare import prepare_data
from squadqa.data.tokenization import Tokens, tokenize
from squadqa.errors import ConfigError
from tests.support import tiny

PIPELINE = "en_core_web_sm"


@pytest.fixture(scope="module")
def texts() -> list[str]:
    try:
        find_pipeline(PIPELINE)
    except ConfigError as error:
        pytest.skip(f"the small English pipeline is needed: {error.what}")
    data = tiny.as_data(tiny.squad())
    return [*data.contexts, *data.questions]


@pytest.fixture(scope="module")
def tokens(texts: list[str]) -> Tokens:
    return tokenize(texts)


@pytest.fixture(scope="module")
def annotation(texts: list[str], tokens: Tokens) -> Annotation:
    return annotate(texts, tokens, pipeline=PIPELINE, workers=1)


def columns(annotation: Annotation, part: slice = slice(None)) -> dict[str, Any]:
    values = {name: getattr(annotation, name)[part].tolist() for name in ANNOTATION_COLUMNS}
    lemmas = annotation.lemma_lexicon
    return {**values, "lemmas": [lemmas[number] for number in values["lemmas"]]}


def test_a_row_for_each_of_our_own_tokens(tokens: Tokens, annotation: Annotation) -> None:
    assert {len(getattr(annotation, name)) for name in ANNOTATION_COLUMNS} == {len(tokens.forms)}
    assert annotation.lemma_lexicon == sorted(set(annotation.lemma_lexicon))
    assert annotation.lemmas.max() == len(annotation.lemma_lexicon) - 1


def test_says_what_a_reader_sees(tokens: Tokens, annotation: Annotation) -> None:
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


def test_one_worker_equals_two(
    texts: list[str], tokens: Tokens, annotation: Annotation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("squadqa.data.annotation.CHUNK_TOKENS", 20)
    done: list[tuple[int, int]] = []
    two = annotate(
        texts, tokens, pipeline=PIPELINE, workers=2, progress=lambda *counts: done.append(counts)
    )
    assert columns(two) == columns(annotation)
    assert two.lemma_lexicon == annotation.lemma_lexicon
    assert len(done) > 2
    assert done == sorted(done)
    assert done[-1] == (len(tokens.forms), len(tokens.forms))


def test_a_text_is_annotated_the_same_wherever_it_stands(
    texts: list[str], tokens: Tokens, annotation: Annotation
) -> None:
    for number, text in enumerate(texts):
        part = slice(tokens.bounds[number], tokens.bounds[number + 1])
        alone = annotate([text], tokenize([text]), pipeline=PIPELINE, workers=1)
        assert columns(alone) == columns(annotation, part)


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize("empty", [[], [""], ["", " ", "Ida left.", "\n"]])
def test_empty_texts(empty: list[str]) -> None:
    tokens = tokenize(empty)
    annotation = annotate(empty, tokens, pipeline=PIPELINE, workers=1)
    assert len(annotation.tags) == len(tokens.forms) == (3 if len(empty) > 1 else 0)


def test_prepared_in_memory_is_annotated(annotation: Annotation) -> None:
    data = prepare_data(tiny.as_data(tiny.squad()), pipeline=PIPELINE)
    assert data.annotation is not None
    assert columns(data.annotation) == columns(annotation)


def test_every_field_is_a_column_or_the_lexicon() -> None:
    assert {each.name for each in fields(Annotation)} == {*ANNOTATION_COLUMNS, "lemma_lexicon"}


@pytest.mark.parametrize("inventory", [TAGS, ENTITIES, DEPENDENCIES])
def test_inventories_start_with_none_and_name_nothing_twice(inventory: tuple[str, ...]) -> None:
    assert inventory[0] == ""
    assert len(set(inventory)) == len(inventory) < 256


@pytest.mark.usefixtures("texts")
def test_inventories_hold_every_label_of_the_pipeline() -> None:
    pipeline = load_pipeline(find_pipeline(PIPELINE))
    assert {label for label in pipeline.get_pipe("tagger").labels if label != "_SP"} <= set(TAGS)
    assert set(pipeline.get_pipe("ner").labels) == set(ENTITIES) - {""}
    assert set(pipeline.get_pipe("parser").labels) <= set(DEPENDENCIES)


@pytest.mark.usefixtures("texts")
def test_fingerprint_names_what_decides() -> None:
    assert find_pipeline(PIPELINE) in pipeline_fingerprint(PIPELINE)
    assert "spacy 3." in pipeline_fingerprint(PIPELINE)


@pytest.mark.parametrize("name", ["en_core_web_smm", "no.such.pipeline", "", "json", "../x"])
def test_missing_pipeline(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        annotate(["x"], tokenize(["x"]), pipeline=name, workers=1)
    assert f'the spaCy pipeline "{name}" is not installed' in str(caught.value)
    assert "switch annotation off" in str(caught.value)


def test_missing_pipeline_suggests_a_near_name() -> None:
    with pytest.raises(ConfigError, match='Did you mean "en_core_web_md"'):
        find_pipeline("en_core_web_mdd")


def test_missing_known_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PIPELINES, PIPELINE, ("not_there", "nor_there"))
    with pytest.raises(ConfigError, match="looked for not_there, nor_there"):
        find_pipeline(PIPELINE)


def test_package_without_a_pipeline() -> None:
    with pytest.raises(ConfigError, match='the package "packaging" holds no spaCy pipeline'):
        annotate(["x"], tokenize(["x"]), pipeline="packaging", workers=1)
