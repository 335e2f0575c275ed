"""Pickles are refused, whatever they are called, and nothing in them or beside them is run."""

import gzip
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squadqa.data.vectors import VectorStore, fingerprint, lookup
from squadqa.errors import VectorsError
from tests.support.vector_files import WORDS, keyed, message


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("harm",)


def with_side_file(path: Path) -> None:
    """Saved vectors whose pickle is clean, but names a side file that gensim would unpickle."""
    made = keyed(WORDS)
    made.__dict__.update(
        {"__numpys": [], "__scipys": ["evil"], "__ignoreds": [], "__recursive_saveloads": []}
    )
    path.write_bytes(pickle.dumps(made, protocol=4))
    path.with_name(f"{path.name}.evil.npy").write_bytes(pickle.dumps(Harmful()))


@pytest.mark.parametrize("name", ["harm.kv", "harm.txt", "harm.bin", "harm.pkl"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_refused_by_every_way_to_read_it(
    name: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Harmful(), protocol=protocol))
    told = message(str(path))
    assert told.startswith(f'"{path}" is a pickle, such as gensim saves')
    ways: list[Callable[[], object]] = [lambda: VectorStore([str(path)]).lookup(["the"])]
    if path.suffix == ".kv":  # the others are known by their content
        ways.append(lambda: fingerprint([str(path)]))
    for way in ways:
        with pytest.raises(VectorsError, match="is a pickle"):
            way()
    assert not (tmp_path / "harm").exists()


def test_a_side_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with_side_file(tmp_path / "v.kv")
    assert "is a pickle" in message("v.kv")
    assert not Path("harm").exists()
    from gensim.models import KeyedVectors

    with pytest.raises((AttributeError, OSError)):  # the file is what it should be: gensim runs it
        KeyedVectors.load("v.kv").vectors["the"]
    assert Path("harm").exists()


def test_the_message_exports_the_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine own.kv"
    keyed(WORDS).save(str(path))
    line = message(str(path)).partition('python -c "')[2].removesuffix('"')
    subprocess.run([sys.executable, "-c", line], check=True, timeout=50)
    table = lookup([str(path.with_suffix(".txt"))], list(WORDS))
    np.testing.assert_array_equal(table.vectors, np.float32(list(WORDS.values())))


def test_a_pickled_array_of_a_spacy_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import spacy

    monkeypatch.chdir(tmp_path)
    pipeline = spacy.blank("en")
    pipeline.vocab.set_vector("Coffee", np.array([1, 2, 3], dtype=np.float32))
    pipeline.to_disk("mine")
    with Path("mine/vocab/vectors").open("wb") as file:
        np.save(file, np.array([Harmful()], dtype=object), allow_pickle=True)
    assert "cannot read" in message("spacy:mine")
    assert not Path("harm").exists()


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        assert f'the word vectors "{path}" are not a regular file' in message(str(path))
    # Its size is 0, like that of /proc/kmsg, which would be waited for.
    assert '"/proc/version" is empty' in message("/proc/version")


def test_gensims_names_do_not_lead_out_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENSIM_DATA_DIR", str(tmp_path / "data"))
    for folder in ("data", "other"):
        (tmp_path / folder).mkdir()
    (tmp_path / "other.gz").write_bytes(gzip.compress(b"the 1 2\n"))
    assert 'no vectors "../other"' in message("gensim:../other")
