"""Damaged files of word vectors: text, word2vec's text and binary, packed, and spaCy's tables."""

import gzip
import shutil
from pathlib import Path
from random import Random

import numpy as np
import pytest

from squadqa.data.vectors import VectorStore, lookup
from squadqa.errors import VectorsError
from tests.support.fuzzing import few_and_many, fuzz, limited_memory, mutated
from tests.support.vector_files import WORDS, file_of_kind, message

KINDS = (".txt", ".vec", ".bin", ".txt.gz", ".bin.gz")
FORMS = [*WORDS, "", " ", "x", "\x00", "é"]


@pytest.mark.parametrize("kind", KINDS)
@few_and_many(150, seconds=900)
def test_damaged_files(kind: str, count: int, tmp_path: Path) -> None:
    path = Path(file_of_kind(tmp_path, kind))
    whole = path.read_bytes()
    unpacked = gzip.decompress(whole) if kind.endswith(".gz") else whole

    def attempt(random: Random) -> None:
        if kind.endswith(".gz") and random.random() < 0.5:
            path.write_bytes(gzip.compress(mutated(random, unpacked), 1))
        else:
            path.write_bytes(mutated(random, whole))
        if random.random() < 0.5:
            lookup([str(path)], FORMS)
        else:
            VectorStore([str(path)]).lookup(FORMS)

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


@few_and_many(100, seconds=900)
def test_damaged_tables_of_spacy(count: int, tmp_path: Path) -> None:
    from spacy.strings import StringStore
    from spacy.vectors import Vectors

    rows = np.array(list(WORDS.values()), np.float32)
    keys = [StringStore().add(word) for word in WORDS]
    vocab = tmp_path / "vocab"
    vocab.mkdir()
    Vectors(data=rows, keys=keys).to_disk(vocab)
    saved = {path: path.read_bytes() for path in vocab.iterdir()}
    assert {path.name for path in saved} >= {"vectors", "key2row"}

    def attempt(random: Random) -> None:
        for path, content in saved.items():
            path.write_bytes(content)
        path = random.choice(sorted(saved))
        path.write_bytes(mutated(random, saved[path]))
        if random.random() < 0.2:
            path.unlink()
        lookup([f"spacy:{tmp_path}"], FORMS)

    accepted, refused = fuzz(attempt, count, kept=vocab)
    assert accepted and refused
    shutil.rmtree(vocab)


@pytest.mark.parametrize("kind", [".bin", ".bin.gz", ".vec"])
@pytest.mark.parametrize("header", [b"1000000000 300", b"9" * 200 + b" 300", b"3 999999999"])
def test_a_header_that_promises_too_much(kind: str, header: bytes, tmp_path: Path) -> None:
    path = Path(file_of_kind(tmp_path, kind))
    packed = kind.endswith(".gz")
    content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    content = content.replace(b"3 3", header, 1)
    path.write_bytes(gzip.compress(content) if packed else content)
    with limited_memory():
        said = message(str(path))
    assert f'"{path}"' in said


@pytest.mark.parametrize("name", ["x.txt", "x.txt.gz", "x.bin", "x.bin.gz"])
def test_a_line_or_word_without_an_end(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    start = b"3 3\n" if ".bin" in name else b"the 1 2 3\n"
    content = start + b"x" * (8 << 20)
    path.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    with limited_memory(), pytest.raises(VectorsError, match="of more than 4,194,304 bytes"):
        lookup([str(path)], ["the"])
    with pytest.raises(VectorsError, match="of more than 4,194,304 bytes"):
        VectorStore([str(path)]).lookup(["the"])
