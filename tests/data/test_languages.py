"""Texts in other languages: codes from a list only, tokens, annotation where a pipeline has it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.alignment import Alignment
from squadqa.data.annotation import annotate_each
from squadqa.data.inputs import SpanInputs
from squadqa.data.languages import LANGUAGES, PIPELINES, language_and_pipeline, require_language
from squadqa.data.pack.write import Part, write_pack
from squadqa.data.pipelines import is_official, require_language_of
from squadqa.data.prepare import prepare, prepare_data
from squadqa.data.squad import find_source
from squadqa.data.tokenization import tokenize, tokenizer_fingerprint
from squadqa.errors import ConfigError
from tests.support import tiny
from tests.support.languages import CODES, squad_in


def forms(text: str, language: str) -> list[str]:
    tokens = tokenize([text], language=language)
    return [tokens.lexicon[form] for form in tokens.forms]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "Am Fluß, z.B. 1784–1831.", ["Am", "Fluß", ",", "z.B.", "1784", "–", "1831", "."]),
        ("zh", "建于1784年。 好", ["建", "于", "1", "7", "8", "4", "年", "。", "好"]),
        ("ar", "هدى، ثم كريم.", ["هدى", "،", "ثم", "كريم", "."]),
        ("xx", "Ada, 阿达", ["Ada", ",", "阿达"]),
    ],
)
def test_splits(language: str, text: str, expected: list[str]) -> None:
    assert forms(text, language) == expected


@pytest.mark.parametrize("language", CODES)
def test_every_answer_of_the_data_has_its_tokens(language: str) -> None:
    data = prepare_data(tiny.as_data(squad_in(language)), language=language)
    assert (data.alignment == Alignment.EXACT).all()


@pytest.mark.parametrize("language", CODES)
@given(text=st.text(st.sampled_from("aZé9 \n.,،。-–中文هدى\u200b\u00a0🥐"), max_size=30))
def test_offsets_cut_the_forms_out_of_the_text(language: str, text: str) -> None:
    tokens = tokenize([text], language=language)
    cut = [text[start:end] for start, end in tokens.offset_mapping]
    assert cut == [tokens.lexicon[form] for form in tokens.forms]
    assert "".join(cut) == "".join(text.split())


def test_a_long_text_without_spaces_is_cut_into_characters() -> None:
    text = "磨坊" * 5000
    assert len(forms(text, "zh")) == 10_000


def test_each_language_has_its_own_prepared_data() -> None:
    assert tokenizer_fingerprint() == tokenizer_fingerprint("en") != tokenizer_fingerprint("de")


@pytest.mark.parametrize("code", ["", "En", "os", "subprocess", "de.x", "../de", "de_DE", None, 5])
def test_other_codes_import_nothing(code: Any) -> None:
    before = set(sys.modules)
    for use in (require_language, lambda one: SpanInputs(language=one, pipeline=None)):
        with pytest.raises(ConfigError, match="the language cannot be"):
            use(code)
    with pytest.raises(ConfigError):
        tokenize(["x"], language=code)
    assert not [name for name in set(sys.modules) - before if not name.startswith("squadqa")]


def test_a_language_that_needs_another_package_is_explained() -> None:
    with pytest.raises(ConfigError, match="spaCy needs the package SudachiPy for it"):
        require_language("ja")


@pytest.mark.slow(seconds=300)
@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_every_code_is_one_of_spacys(code: str) -> None:
    assert forms("Ada 1784.", code)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("de", ("de", None)), ("de_core_news_sm", ("de", "de_core_news_sm")), ("en", ("en", None))],
)
def test_a_code_or_a_pipeline(name: str, expected: tuple[str, str | None]) -> None:
    assert language_and_pipeline(name) == expected


def test_pipelines_are_named_as_spacy_does() -> None:
    assert {"en_core_web_sm", "zh_core_web_trf", "fr_core_news_lg", "xx_ent_wiki_sm"} <= PIPELINES
    assert all(name.partition("_")[0] in LANGUAGES for name in PIPELINES)
    assert all(map(is_official, PIPELINES))
    with pytest.raises(ConfigError, match='"de_core_news_xl"\nDid you mean "de_core_news_'):
        language_and_pipeline("de_core_news_xl")


# Pipelines


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A German pipeline of one rule, which finds sentences and no lemmas."""
    import spacy

    folder = tmp_path_factory.mktemp("pipelines") / "german"
    pipeline = spacy.blank("de")
    pipeline.add_pipe("sentencizer")
    pipeline.to_disk(folder)
    return folder


def test_annotation_where_a_pipeline_has_it(german: Path) -> None:
    import spacy

    tokens = tokenize(["Ada baute. Karl ging."], language="de")
    (annotation,) = annotate_each([tokens], pipeline=spacy.load(german))
    assert annotation.sentence_begins.tolist() == [True, False, False, True, False, False]
    lemmas = [annotation.lemma_lexicon[one] for one in annotation.lemmas]
    assert lemmas == ["ada", "baute", ".", "karl", "ging", "."]
    assert not annotation.tags.any() and not annotation.dependencies.any()


def test_a_pipeline_of_another_language_is_refused(german: Path, tmp_path: Path) -> None:
    require_language_of(str(german), "de")
    require_language_of("xx_ent_wiki_sm", "de")
    data = tiny.as_data(squad_in("de"))
    source = find_source(str(tiny.write(tmp_path / "x.json", squad_in("de"))))
    for pipeline, language, own in (("en_core_web_sm", "de", "en"), (str(german), "en", "de")):
        said = f'is for the language "{own}", and the data are in "{language}"'
        with pytest.raises(ConfigError, match=said):
            prepare_data(data, language=language, pipeline=pipeline)
        with pytest.raises(ConfigError, match=said):
            prepare(source, cache_dir=tmp_path / "c", language=language, pipeline=pipeline)
    (tmp_path / "odd").mkdir()
    for name, text in (("meta.json", "{}"), ("config.cfg", "")):
        (tmp_path / "odd" / name).write_text(text)
    with pytest.raises(ConfigError, match="does not say the pipeline's language"):
        require_language_of(str(tmp_path / "odd"), "de")


def test_a_pack_knows_its_language(tmp_path: Path) -> None:
    source = find_source(str(tiny.write(tmp_path / "train.json", squad_in("zh"))))
    cache: dict[str, Any] = {"cache_dir": tmp_path / "cache"}
    data = prepare(source, language="zh", **cache)
    path = tmp_path / "x.pack"
    parts = {"train": Part(data, "keep")}
    write_pack(path, parts, language="zh", pipeline=None, vectors=[])
    packed = find_source(str(path), part="train")
    again = prepare(packed, language="zh", **cache)
    assert again.tokens.lexicon == data.tokens.lexicon
    with pytest.raises(ConfigError, match='is tokenized as "zh", not as "en"'):
        prepare(packed, **cache)
    english = tmp_path / "english.pack"
    write_pack(english, {"train": Part(data, "keep")}, pipeline=None, vectors=[])
    from squadqa.data.pack.archive import Archive

    assert "language" not in Archive(english).manifest
    assert json.loads(json.dumps(Archive(path).manifest))["language"] == "zh"
