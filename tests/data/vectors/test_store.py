import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.data.vectors import DEFAULT_SOURCE, VectorStore, VectorTable, formats, lookup, sources
from squadqa.errors import VectorsError
from tests.support.vector_files import KINDS, SPACY, file_of_kind, needs_spacy_md, write

FORMS = ["the", "The", "Paris", "paris", "Köppen", "koppen", "unknown", "’", "2008–09", "United"]
FORM_LISTS = st.lists(st.lists(st.sampled_from(FORMS), unique=True), min_size=1, max_size=3)


def assert_same(one: VectorTable, other: VectorTable) -> None:
    assert one.vectors.dtype == other.vectors.dtype == np.float32
    assert one.vectors.shape == other.vectors.shape
    assert one.vectors.tobytes() == other.vectors.tobytes()
    np.testing.assert_array_equal(one.found, other.found)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("vectors")
    return [*(file_of_kind(folder, kind) for kind in KINDS), DEFAULT_SOURCE]


@given(asked=FORM_LISTS, order=st.data())
@settings(max_examples=20)
def test_equals_lookup_after_any_earlier_look_ups(
    names: list[str], asked: list[list[str]], order: st.DataObject
) -> None:
    chosen = order.draw(st.lists(st.sampled_from(names), max_size=3))
    store = VectorStore(chosen)
    for forms in asked:
        assert_same(store.lookup(forms), lookup(chosen, forms))


@needs_spacy_md
def test_spacy_table_stays_open() -> None:
    names, forms = [SPACY, DEFAULT_SOURCE], ["coffee", "Coffee", "LAW", "PERSON", "", "Zzqqzz"]
    store = VectorStore(names)
    assert store.lookup([]).vectors.shape == (0, 350)
    assert_same(store.lookup(forms), lookup(names, forms))


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_is_not_read_again(tmp_path: Path, kind: str) -> None:
    name = file_of_kind(tmp_path, kind)
    expected = lookup([name], FORMS)
    store = VectorStore([name])
    assert_same(store.lookup(["the"]), lookup([name], ["the"]))
    Path(name).unlink()
    assert_same(store.lookup(FORMS), expected)


def test_nothing_is_opened_before_the_first_use(tmp_path: Path) -> None:
    path = tmp_path / "later.txt"
    store = VectorStore([str(path)])
    with pytest.raises(VectorsError, match="no word vectors"):
        store.lookup(["the"])
    write(path, "the 1 2\n")
    assert store.lookup(["the"]).vectors.tolist() == [[1, 2]]


def test_entries_may_span_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = file_of_kind(tmp_path, ".bin")
    whole = lookup([name], FORMS)
    for chunk in (1, 7, 13):
        monkeypatch.setattr(formats, "CHUNK", chunk)
        assert_same(VectorStore([name]).lookup(FORMS), whole)


@pytest.mark.parametrize(
    "content",
    [
        b". 9 9 9\n. . . 1 2 3\nat name@domain.com 4 5 6\nthe 7 8 9",
        b"the 1 2\r\n\r\nof 3 4  \r\nthe 5 6\r\n",
        b"3 2\nof 1 2\nthe 3 4\nthe 5 6\n",
        b"\xff\xfe 1 2\nthe 3 4\n\xff\xfe 5 6\n",
        "a\u00a0b 1 2\nc\u0085 3 4\nd 5 6 \n\n".encode(),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_text_of_every_kind(tmp_path: Path, content: bytes, packed: bool) -> None:
    path = tmp_path / ("words.txt.gz" if packed else "words.txt")
    path.write_bytes(gzip.compress(content) if packed else content)
    forms = ["the", "of", ".", ". . .", "at", "at name@domain.com", "a\u00a0b", "c\u0085", "d"]
    assert_same(VectorStore([str(path)]).lookup(forms), lookup([str(path)], forms))


def said(look_up: Callable[[list[str]], Any], forms: list[str]) -> str:
    with pytest.raises(VectorsError) as caught:
        look_up(forms)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "of 1 2 3\n\nthe 1 2.2.2 3\n",
        "2 3\nof 1 2 3\nthe 1 2.2.2 3\n",
        "of 1 2 3\nthe 1 2e99 3\n",
        "the 1 2 3\nof 1 2\n",
        "3 3\nthe 1 2 3\nof 1 2 3\n",
    ],
)
@pytest.mark.parametrize("name", ["bad.txt", "bad.txt.gz"])
def test_reports_what_is_wrong_with_a_file(tmp_path: Path, text: str, name: str) -> None:
    source = write(tmp_path / name, text)
    once = said(lambda forms: lookup([source], forms), ["the"])
    assert said(VectorStore([source]).lookup, ["the"]) == once


def test_a_bad_value_affects_only_its_own_word(tmp_path: Path) -> None:
    store = VectorStore([write(tmp_path / "bad.txt", "the 1 2\nof 1 2.2.2\nto 2e99 2\n")])
    assert store.lookup(["the"]).vectors.tolist() == [[1, 2]]
    assert "where a number is expected" in said(store.lookup, ["of"])
    assert 'the vector of "to"' in said(store.lookup, ["to", "the"])


def test_binary_value_that_is_not_finite(tmp_path: Path) -> None:
    path = tmp_path / "bad.bin"
    rows = {"the": [1.0, 2.0], "of": [np.inf, 0.0]}
    entries = [word.encode() + b" " + np.float32(row).tobytes() for word, row in rows.items()]
    path.write_bytes(b"2 2\n" + b"\n".join(entries))
    store = VectorStore([str(path)])
    assert store.lookup(["the"]).vectors.tolist() == [[1, 2]]
    assert said(store.lookup, ["of"]) == said(lambda forms: lookup([str(path)], forms), ["of"])


def test_first_of_two_equal_words_of_the_glove_package_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = tmp_path / "glove_in_a_test" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").touch()
    np.save(data / "glove_6B_50d_emb.npy", np.float32([[1, 2], [3, 4], [5, 6]]))
    pq.write_table(pa.table({"index": ["of", "the", "the"]}), data / "glove_6B_index.parquet")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sources, "GLOVE_PACKAGE", "glove_in_a_test")
    store = VectorStore([DEFAULT_SOURCE])
    assert store.lookup(["the", "of"]).vectors.tolist() == [[3, 4], [1, 2]]
    assert_same(store.lookup(["the", "of"]), lookup([DEFAULT_SOURCE], ["the", "of"]))


def test_what_is_open_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = VectorStore([DEFAULT_SOURCE])
    first = store.lookup(["The", "of"])
    for reader in ("numpy.load", "pyarrow.parquet.ParquetFile"):
        monkeypatch.setattr(reader, None)
    monkeypatch.setattr("squadqa.data.vectors.store.parse_source", None)
    assert_same(store.lookup(["The", "of"]), first)
    assert store.lookup(["years"]).found.all()
