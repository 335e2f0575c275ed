"""Files that faults cannot break: whole or not there, locked by living processes only.

A file is written under a temporary name beside its final place, and renamed when it is whole. Its
writer holds a lock on the temporary file. The lock ends with the process, however that ends, so
whatever is not locked was left by a process that was killed, and is removed.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from squadqa.errors import DataError, OutputError
from squadqa.run_files import PREDICTIONS

OWN = ".squadqa"
"""How the names of all files begin that squadqa writes for itself: temporary ones and locks."""

PREFIX, SUFFIX = f"{OWN}-", ".tmp"
"""How the names of temporary files begin and end. They are short, whatever the final name is."""

NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
"""Errors of file systems that have no locks."""

WRITE_ONLY = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}
"""Errors that only writing causes."""

_FULL, _LONG = "Free space there, or name a folder on another disk.", "Choose a shorter name."
_ADVICE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.ENAMETOOLONG: _LONG,
}


def output_error(path: Path, error: OSError) -> OutputError:
    """Make the error for a file or folder that cannot be written.

    Args:
        path: What was to be written.
        error: The system's error.
    """
    return OutputError(
        f'cannot write "{path}": {error.strerror or error}',
        next_step=_ADVICE.get(error.errno or 0, "Name a folder that you may write to."),
    )


def input_error(path: Path, error: OSError) -> DataError:
    """Make the error for a file or folder that cannot be read.

    Args:
        path: What was to be read.
        error: The system's error.
    """
    return DataError(
        f'cannot read "{path}": {error.strerror or error}',
        next_step=_ADVICE.get(error.errno or 0, "Name a file that you may read."),
    )


def system_error(error: OSError) -> DataError | OutputError:
    """Make the error for a file that the system refuses, where only the system's error is known.

    Args:
        error: The system's error. It was caused by reading, unless only writing can cause it or
            the file may be read.
    """
    path = Path(os.fsdecode(error.filename)) if error.filename else Path("a file")
    is_refused = error.errno in (errno.EACCES, errno.EPERM)
    effective = os.access in os.supports_effective_ids
    is_readable = is_refused and os.access(path, os.R_OK, effective_ids=effective)
    if error.errno in WRITE_ONLY or is_readable:
        return output_error(path, error)
    return input_error(path, error)


@contextmanager
def write_atomic(path: str | Path, *, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file next to `path`, and rename it to `path` if the block succeeds.

    What killed processes left in the folder is removed first.

    Args:
        path: The file to write; missing parent folders are made.
        mode: "w" for text in UTF-8 or "wb" for bytes.

    Raises:
        OutputError: The folder cannot be written, or the disk is full.
    """
    path = Path(path)
    encoding = None if "b" in mode else "utf-8"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent)
        handle, temporary = _locked_temporary(path.parent)
    except OSError as error:
        raise output_error(path, error) from error
    try:
        with open(handle, mode, encoding=encoding) as file:
            os.fchmod(file.fileno(), 0o644)
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(temporary, path)  # before the file is closed, which ends its lock
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        # An error about another file came from the block, which may have been reading.
        if isinstance(error, OSError) and error.filename in (None, temporary):
            raise output_error(path, error) from error
        raise


def remove_leftovers(*folders: Path) -> None:
    """Remove the temporary files in folders whose writers were killed.

    Files of living processes stay, and so do those that this user may not remove.

    Args:
        folders: The folders; those that do not exist are skipped.
    """
    for folder in folders:
        with suppress(OSError):
            for name in os.listdir(folder):
                if name.startswith(PREFIX) and name.endswith(SUFFIX):
                    _remove_unlocked(folder / name)


def require_writable_file(path: Path) -> None:
    """Check before the work starts that its result can be written.

    Args:
        path: The file to write.

    Raises:
        OutputError: The file cannot be written.
    """
    try:
        if path.is_dir():
            raise OutputError(
                f'cannot write "{path}": it is a folder',
                next_step=f'Name a file in it, such as "{path / PREDICTIONS}".',
            )
        made = [parent for parent in path.parents if not parent.exists()]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(path.parent)
            tempfile.TemporaryFile(dir=path.parent).close()
            path.exists()  # raises an error where the name is too long
        finally:
            for parent in made:  # as the work may fail
                with suppress(OSError):
                    parent.rmdir()
    except OSError as error:
        raise output_error(path, error) from error


@contextmanager
def write_folder_atomic(folder: Path) -> Iterator[Path]:
    """Make a temporary folder next to `folder`, and rename it to `folder` if the block succeeds.

    Args:
        folder: The folder to make; missing parent folders are made. It does not exist, or is empty.

    Raises:
        OutputError: The folder cannot be written, or the disk is full.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder.parent)
        handle, name = _locked_temporary(folder.parent, is_folder=True)
    except OSError as error:
        raise output_error(folder, error) from error
    try:
        yield Path(name)
        os.chmod(name, 0o755)
        os.replace(name, folder)
    except OSError as error:
        if error.filename is None or str(error.filename).startswith(name):
            raise output_error(folder, error) from error
        raise
    except OutputError as error:  # about a file in the temporary folder
        raise OutputError(
            error.what.replace(name, str(folder)), next_step=error.next_step
        ) from error
    finally:
        shutil.rmtree(name, ignore_errors=True)
        os.close(handle)


@contextmanager
def locked(
    path: Path, *, wait: bool = True, or_without: bool = True, content: str = ""
) -> Iterator[None]:
    """Hold a lock that ends with this process, and remove its file in the end.

    Args:
        path: The lock's file, in a folder that exists.
        wait: Whether to wait for a process that holds the lock.
        or_without: Whether to go on without a lock where the file system has none.
        content: What the file says while it is held.

    Raises:
        BlockingIOError: Another process holds the lock, and `wait` is false.
        OSError: The file cannot be written or locked.
    """
    while True:
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except OSError as error:
                if error.errno not in NO_LOCKS or not or_without:
                    raise
            if not _is_file_at(path, file.fileno()):
                continue  # its last owner removed it while this process waited
            try:
                file.truncate(0)
                file.write(content)
                file.flush()
                yield
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(path)
            return


def is_locked(path: Path) -> bool:
    """Return whether a living process holds the lock that `locked` takes at this file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        if error.errno not in {*NO_LOCKS, errno.ENOENT}:
            raise
    return False


def _locked_temporary(folder: Path, *, is_folder: bool = False) -> tuple[int, str]:
    """Make a temporary file or folder, and lock it; return its open handle and its path."""
    while True:
        if is_folder:
            temporary = tempfile.mkdtemp(prefix=PREFIX, suffix=SUFFIX, dir=folder)
        else:
            handle, temporary = tempfile.mkstemp(prefix=PREFIX, suffix=SUFFIX, dir=folder)
        try:
            if is_folder:
                handle = os.open(temporary, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another process takes it for a leftover
            os.close(handle)
            continue
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        if _is_file_at(Path(temporary), handle):
            return handle, temporary
        os.close(handle)


def _remove_unlocked(path: Path) -> None:
    """Remove a file or folder, unless a living process has locked it or there are no locks."""
    with suppress(OSError):
        is_folder = path.is_dir() and not path.is_symlink()
        access = os.O_RDONLY if is_folder else os.O_RDWR
        handle = os.open(path, access | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_folder:
                shutil.rmtree(path)
            else:
                os.unlink(path)
        finally:
            os.close(handle)


def _is_file_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
