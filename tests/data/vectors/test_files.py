import gzip
from pathlib import Path

import numpy as np
import pytest

from squadqa.data.vectors import formats, lookup
from squadqa.data.vectors.files import read_vector_file
from tests.support.vector_files import KINDS, WORDS, file_of_kind, keyed, message, write


@pytest.mark.parametrize("kind", KINDS)
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
    ours = lookup([str(path)], list(words))
    assert ours.found.all()
    np.testing.assert_array_equal(ours.vectors, theirs[list(words)])


def test_binary_is_detected_by_its_content(tmp_path: Path) -> None:
    named_otherwise = Path(file_of_kind(tmp_path, ".bin")).rename(tmp_path / "google-news.gz")
    named_otherwise.write_bytes(gzip.compress(named_otherwise.read_bytes()))
    assert lookup([str(named_otherwise)], ["Paris"]).found.all()


def test_binary_entries_may_span_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file_of_kind(tmp_path, ".bin")
    whole = lookup([path], list(WORDS)).vectors
    for chunk in (1, 7, 13):
        monkeypatch.setattr(formats, "CHUNK", chunk)
        np.testing.assert_array_equal(lookup([path], list(WORDS)).vectors, whole)


def test_only_wanted_words_are_kept(tmp_path: Path) -> None:
    path = Path(file_of_kind(tmp_path, ".txt"))
    read = read_vector_file(path, ["Paris", "absent"])
    assert [read.find(word) for word in ("Paris", "absent", "the")] == [0, None, None]
    assert read.vectors.shape == (1, 3)


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
        "long.bin": (good + b"more 1234", "continues after the 3 words of 3 values"),
        "headless.bin": (good[4:], "does not hold word vectors"),
        "short.txt.gz": (gzip.compress(b"the 1 2 3\n" * 99)[:-9], "cannot read"),
        "plain.txt.gz": (b"the 1 2 3\n", "cannot read"),
        "noise.txt": (b"\x1b[31mred\n", 'it begins "\ufffd[31mred"'),
        "packed.zip": (b"PK\x03\x04rest", "is a zip archive"),
    }
    for name, (content, part) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert part in message(str(path))
        assert str(path) in message(str(path))
