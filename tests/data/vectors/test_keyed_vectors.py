import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squadqa.data.vectors import fingerprint, lookup
from tests.support.vector_files import WORDS, keyed, message


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("harm",)


def test_a_kv_file_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "harm.kv"
    path.write_bytes(pickle.dumps(Harmful()))
    assert "not a saved KeyedVectors" in message(str(path))
    assert not (tmp_path / "harm").exists()


def test_array_of_a_large_kv_file_is_in_its_own_file(tmp_path: Path) -> None:
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
