"""A cache of derived data: folders named by the settings that they were derived from.

An entry is a folder `KIND-FINGERPRINT` with a `manifest.json` that lists each file's size and
checksum. It is built under a temporary name and then renamed (see `squadqa.files`), so an entry is
complete or absent; one that does not match its manifest is built again. A lock ensures that two
processes that need the same entry build it only once. What killed processes left is removed when
the cache is used again.
"""

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from squadqa.errors import ConfigError
from squadqa.files import locked, output_error, remove_leftovers, write_folder_atomic

MANIFEST = "manifest.json"
LOCK = ".lock"
"""The end of a lock's name; its entry's name stands before it."""


def fingerprint(settings: Mapping[str, Any]) -> str:
    """Hash settings to a name that is the same in every process.

    Args:
        settings: The settings that the content depends on: values that JSON can hold.

    Returns:
        24 hexadecimal characters.
    """
    text = json.dumps(settings, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def file_digest(path: Path) -> str:
    """Return the checksum of a file's content, 32 hexadecimal characters."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def cached_folder(
    root: str | Path,
    kind: str,
    settings: Mapping[str, Any],
    build: Callable[[Path], Mapping[str, Any]],
) -> Path:
    """Return the folder built from these settings, building it if it is not there yet.

    Args:
        root: The cache folder, made if missing.
        kind: First part of the entry's name.
        settings: The settings that the content depends on; kept in the manifest.
        build: Writes the entry's files into the empty folder that it gets, and returns notes (plain
            values) for the manifest.

    Returns:
        The entry: a folder whose files match their manifest.

    Raises:
        ConfigError: A worker process of a script that has no `if __name__ == "__main__":` came
            here: it would wait for its own parent, which holds the lock.
        OutputError: The cache folder cannot be written.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise ConfigError(
            "a worker process begins with the lines of your script, and these prepare data again",
            next_step='Put them below `if __name__ == "__main__":`, or give workers=1.',
        )
    root = Path(root)
    entry = root / f"{kind}-{fingerprint(settings)}"
    remove_leftovers(root)
    _remove_free_locks(root)
    if _is_whole(entry, settings):
        return entry
    try:
        root.mkdir(parents=True, exist_ok=True)
        with locked(entry.with_name(f".{entry.name}{LOCK}")):
            if _is_whole(entry, settings):  # another process built it in the meantime
                return entry
            with write_folder_atomic(entry) as staging:
                notes = build(staging)
                _write_manifest(staging, settings, notes)
                shutil.rmtree(entry, ignore_errors=True)  # one that was not whole
    except OSError as error:
        if error.filename is not None and not _are_related(root, Path(error.filename)):
            raise  # building reads files elsewhere
        raise output_error(root, error) from error
    return entry


def read_manifest(entry: Path) -> dict[str, Any]:
    """Read the manifest of an entry that `cached_folder` returned."""
    manifest: dict[str, Any] = json.loads((entry / MANIFEST).read_text(encoding="utf-8"))
    return manifest


def _write_manifest(folder: Path, settings: Mapping[str, Any], notes: Mapping[str, Any]) -> None:
    files = {
        path.name: {"bytes": path.stat().st_size, "blake2b": file_digest(path)}
        for path in sorted(folder.iterdir())
    }
    manifest = {"settings": settings, "notes": notes, "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _is_whole(entry: Path, settings: Mapping[str, Any]) -> bool:
    try:
        manifest = read_manifest(entry)
        files: dict[str, dict[str, Any]] = manifest["files"]
        return (
            json.dumps(manifest["settings"], sort_keys=True) == json.dumps(settings, sort_keys=True)
            and {*files, MANIFEST} == set(os.listdir(entry))
            and all(
                (entry / name).is_file()  # not a pipe, which would never end
                and (entry / name).stat().st_size == expected["bytes"]
                and file_digest(entry / name) == expected["blake2b"]
                for name, expected in files.items()
            )
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _are_related(one: Path, other: Path) -> bool:
    """Return whether two paths are equal, or one contains the other."""
    return one.is_relative_to(other) or other.is_relative_to(one)


def _remove_free_locks(root: Path) -> None:
    """Remove the locks' files that killed processes left."""
    with suppress(OSError):  # of a folder that only others may write to
        for lock in root.glob(f".*{LOCK}"):
            with suppress(BlockingIOError), locked(lock, wait=False, or_without=False):
                pass  # in the end its file is removed
