import errno
import fcntl
import os
import signal
import sys
from pathlib import Path

import pytest

from squadqa.errors import OutputError
from squadqa.files import (
    PREFIX,
    SUFFIX,
    is_locked,
    locked,
    remove_leftovers,
    require_writable_file,
    system_error,
    write_atomic,
    write_folder_atomic,
)
from tests.support.programs import run_program


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


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}dead{SUFFIX}").write_text("half")
    (tmp_path / f"{PREFIX}folder{SUFFIX}").mkdir()
    (tmp_path / f"{PREFIX}folder{SUFFIX}" / "half").write_text("half")
    (tmp_path / ".hidden").write_text("mine")
    with write_atomic(tmp_path / "x") as file:
        assert len(os.listdir(tmp_path)) == 2
        remove_leftovers(tmp_path)  # the writer is alive
        with write_atomic(tmp_path / "y"):
            pass
        file.write("new")
    assert (tmp_path / "x").read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == [".hidden", "x", "y"]


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with write_folder_atomic(folder) as made:
        (made / "file").write_text("x")
        remove_leftovers(folder.parent)
        assert not folder.exists()
    assert (folder / "file").read_text() == "x"
    assert os.listdir(folder.parent) == ["b"]
    with pytest.raises(RuntimeError), write_folder_atomic(tmp_path / "c") as made:
        raise RuntimeError
    assert os.listdir(tmp_path) == ["a"]


def test_an_error_in_a_folder_names_its_final_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(OutputError) as told,
        write_folder_atomic(tmp_path / "run") as made,
        write_atomic(made / "x.json"),
    ):
        pass
    assert told.value.what == f'cannot write "{tmp_path}/run/x.json": No space left on device'
    assert os.listdir(tmp_path) == []


def test_a_longest_name_can_be_written_and_a_longer_one_is_named(tmp_path: Path) -> None:
    with write_atomic(tmp_path / ("x" * 255)) as file:
        file.write("text")
    with (
        pytest.raises(OutputError, match="x{256}.: File name too long") as told,
        write_atomic(tmp_path / ("x" * 256)),
    ):
        pass
    assert told.value.next_step == "Choose a shorter name."
    assert os.listdir(tmp_path) == ["x" * 255]


def test_an_error_of_reading_in_the_block_is_not_one_of_writing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"), write_atomic(tmp_path / "x") as file:
        file.write((tmp_path / "missing").read_text())
    assert os.listdir(tmp_path) == []


def test_a_file_that_can_be_written(tmp_path: Path) -> None:
    require_writable_file(tmp_path / "new" / "predictions.json")
    assert not (tmp_path / "new").exists()  # it is made when there is a file


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="it is a folder"):
        require_writable_file(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        require_writable_file(tmp_path / "file" / "predictions.json")


def test_a_file_that_grows_too_large_is_named(tmp_path: Path) -> None:
    """A real limit, in a process of its own."""
    path = tmp_path / "large"
    program = (
        "import resource, signal, sys\n"
        "from squadqa.files import write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "with write_atomic(sys.argv[1], mode='wb') as file:\n"
        "    file.write(bytes(5000))\n"
    )
    done = run_program([sys.executable, "-c", program, path], cwd=tmp_path)
    assert f'OutputError: cannot write "{path}": File too large' in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "is_there", "said"),
    [
        (errno.ENOSPC, True, "cannot write"),
        (errno.EROFS, True, "cannot write"),
        (errno.EACCES, False, "cannot read"),
        (errno.EACCES, True, "cannot write"),
        (errno.ENAMETOOLONG, False, "cannot read"),
        (errno.EIO, True, "cannot read"),
    ],
)
def test_the_system_refuses(tmp_path: Path, number: int, is_there: bool, said: str) -> None:
    path = tmp_path / "x"
    if is_there:
        path.write_text("")
    error = system_error(OSError(number, os.strerror(number), str(path)))
    assert error.what == f'{said} "{path}": {os.strerror(number)}'


def test_a_lock_ends_with_its_process_and_its_file_with_the_block(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = os.fork()
    if process == 0:
        with locked(path, content="child"):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(process, 0)
    assert path.read_text() == "child"
    assert not is_locked(path)
    with locked(path, wait=False, content="me"):
        assert path.read_text() == "me"
        assert is_locked(path)
        with pytest.raises(BlockingIOError), locked(path, wait=False):
            pytest.fail("locked twice")
    assert os.listdir(tmp_path) == []


def test_without_locks_only_those_who_can_go_on_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", none)
    with locked(tmp_path / "lock"):
        pass
    with pytest.raises(OSError, match="not supported"), locked(tmp_path / "lock", or_without=False):
        pytest.fail("not locked")
    left = tmp_path / f"{PREFIX}living{SUFFIX}"
    left.write_text("")
    with write_atomic(tmp_path / "x"):
        pass
    assert left.exists()
