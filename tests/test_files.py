import errno
import os
from pathlib import Path

import pytest

from squadqa.errors import OutputError
from squadqa.files import write_atomic


def test_writes_text_in_utf8_and_makes_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    with write_atomic(path) as file:
        file.write("naïve 🥐")
    assert path.read_bytes() == "naïve 🥐".encode()
    assert path.stat().st_mode & 0o777 == 0o644


def test_writes_bytes(tmp_path: Path) -> None:
    with write_atomic(tmp_path / "x", mode="wb") as file:
        file.write(b"\x00\xff")
    assert (tmp_path / "x").read_bytes() == b"\x00\xff"


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    with write_atomic(path) as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failure_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(error), write_atomic(path) as file:
        file.write("half")
        raise error
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(OutputError, match=r'cannot write ".*x": No space left on device'),
        write_atomic(tmp_path / "x") as file,
    ):
        file.write("text")
    assert os.listdir(tmp_path) == []


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"), write_atomic(tmp_path / "file" / "x"):
        pass


def test_file_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(OutputError, match="cannot write"), write_atomic(tmp_path / "x"):
        pass
    assert os.listdir(tmp_path) == ["x"]
