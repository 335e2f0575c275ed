"""The file of a pack: a zip archive of arrays and JSON, each with its checksum in a manifest.

An entry is read only if the manifest lists it, and its size is known before memory is taken.
"""

import bz2
import hashlib
import io
import json
import lzma
import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from squadqa.errors import DataError

MANIFEST = "manifest.json"
MOST_MANIFEST = 8 << 20  # bytes
MOST_ENTRY = 1 << 30  # bytes of an unpacked entry: 30 times those of SQuAD
MOST_HEADER = 10_000  # bytes of an array's description
KINDS = "uifb"
"""Kinds of numbers that arrays may hold: no objects."""

SAMPLE = 1 << 18
"""Bytes of an entry that are packed in each way, to choose the best."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every entry, so that the same data make the same file."""

_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
    KeyError, IndexError, ValueError, OverflowError, TypeError, MemoryError, OSError,
)  # fmt: skip
"""What zipfile and its parts raise for files that are not what they should be."""


class PackWriter:
    """Writes the entries of a pack one after another, and the manifest at the end.

    Use it in a `with` block inside that of its file.

    Args:
        file: The file to write, which can be sought in.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w")
        self._entries: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> "PackWriter":
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def add_array(self, name: str, array: NDArray[Any]) -> None:
        """Add an array as NAME.npy."""
        content = io.BytesIO()
        np.lib.format.write_array(
            content, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False
        )
        self._add(f"{name}.npy", content.getvalue())

    def add_json(self, name: str, value: Any) -> None:
        """Add a value as NAME.json."""
        self._add(f"{name}.json", _json_bytes(value))

    def add_manifest(self, manifest: dict[str, Any]) -> None:
        """Add the manifest, with the checksums of all other entries."""
        self._write(MANIFEST, _json_bytes({**manifest, "entries": self._entries}))

    def _add(self, name: str, content: bytes) -> None:
        if len(content) > MOST_ENTRY:
            raise DataError(
                f'"{name}" would have {len(content):,} bytes, and a pack has at most '
                f"{MOST_ENTRY:,} for each of its parts",
                next_step="Pack less data, or fewer word vectors.",
            )
        self._entries[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        self._write(name, content)

    def _write(self, name: str, content: bytes) -> None:
        entry = zipfile.ZipInfo(name, EPOCH)
        entry.external_attr = 0o644 << 16
        entry.compress_type = _best_method(content)
        self._zip.writestr(entry, content)


class Archive:
    """A pack that is read; each entry is checked against the manifest.

    Args:
        path: The file.

    Raises:
        DataError: It cannot be read, or is no pack, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._reading() as archive:
            if MANIFEST not in archive.namelist():
                raise DataError(
                    f'"{path}" is a zip archive, but no pack: it has no {MANIFEST}',
                    next_step="Name a file that squadqa prepare --pack wrote, or unpack it and "
                    "name the file that was in it.",
                )
            content = self._content(archive, MANIFEST, MOST_MANIFEST)
            self.manifest = self._parsed(MANIFEST, content)
            if not isinstance(self.manifest, dict):
                raise self.damaged(f"{MANIFEST} holds no object")
            entries = self.manifest.get("entries")
            if not isinstance(entries, dict):
                raise self.damaged(f"{MANIFEST} lists no entries")
            self._entries: dict[str, Any] = entries

    def array(self, name: str, *, ndim: int = 1) -> NDArray[Any]:
        """Read the array NAME.npy.

        Args:
            name: Its name without the ending.
            ndim: Number of its dimensions.

        Raises:
            DataError: The entry is missing or damaged.
        """
        name = f"{name}.npy"
        file = io.BytesIO(self._entry(name))
        try:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("another version")
            header = np.lib.format.read_array_header_1_0(file, max_header_size=MOST_HEADER)
            shape, is_fortran, dtype = header
        except (
            Exception
        ) as error:  # numpy evaluates the header as a literal, which fails in many ways
            raise self.damaged(
                f'"{name}" is no array: {str(error).splitlines()[0]:.100}'
            ) from error
        values = file.getbuffer()[file.tell() :]
        if is_fortran or dtype.kind not in KINDS or dtype.hasobject or len(shape) != ndim:
            raise self.damaged(f'"{name}" is an array of another kind: {dtype.str}, {shape}')
        if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(values):
            raise self.damaged(f'"{name}" has {len(values):,} bytes, which are not {shape}')
        return np.frombuffer(values, dtype).reshape(shape)

    def json(self, name: str) -> Any:
        """Read the value NAME.json; the arguments are those of `text`."""
        return self._parsed(f"{name}.json", self._entry(f"{name}.json"))

    def text(self, name: str) -> str:
        """Read an entry as a text.

        Args:
            name: Its name.

        Raises:
            DataError: It is missing, damaged or not UTF-8.
        """
        try:
            return self._entry(name).decode()
        except UnicodeDecodeError as error:
            raise self.damaged(f'"{name}" is not UTF-8') from error

    def has(self, name: str) -> bool:
        """Return whether the manifest lists an entry of this name."""
        return name in self._entries

    def damaged(self, what: str) -> DataError:
        """Make the error for a pack that is not as it was written.

        Args:
            what: What is wrong in it.
        """
        return DataError(
            f'the pack "{self.path}" is damaged: {what}',
            next_step="Copy it again, or make it again with squadqa prepare DATA --pack FILE.",
        )

    def _entry(self, name: str) -> bytes:
        listed = self._entries.get(name)
        if not isinstance(listed, dict):
            raise self.damaged(f'"{name}" is missing')
        with self._reading() as archive:
            content = self._content(archive, name, MOST_ENTRY)
        if hashlib.sha256(content).hexdigest() != listed.get("sha256"):
            raise self.damaged(f'the checksum of "{name}" is wrong')
        return content

    def _content(self, archive: zipfile.ZipFile, name: str, most: int) -> bytes:
        """Unpack an entry, whose size is checked first."""
        entry = archive.getinfo(name)
        if not 0 <= entry.file_size <= most:
            raise self.damaged(f'"{name}" would have {entry.file_size:,} bytes')
        with archive.open(entry) as file:
            content = file.read(entry.file_size)
            if len(content) != entry.file_size or file.read(1):
                raise self.damaged(f'"{name}" has another size than it says')
        return content

    def _parsed(self, name: str, content: bytes) -> Any:
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self.damaged(f'"{name}" is not JSON: {str(error):.100}') from error

    @contextmanager
    def _reading(self) -> Iterator[zipfile.ZipFile]:
        try:
            with self.path.open("rb") as file, zipfile.ZipFile(file) as archive:
                yield archive
        except DataError:
            raise
        except OSError as error:
            if error.filename is not None:
                raise DataError(
                    f'cannot read "{self.path}": {error.strerror}',
                    next_step="Name a file that you may read.",
                ) from error
            raise self.damaged(str(error) or "it cannot be unpacked") from error
        except _BROKEN as error:
            told = str(error).splitlines()
            raise self.damaged(told[0] if told else type(error).__name__) from error


def _json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _best_method(content: bytes) -> int:
    """The way to pack an entry that makes a part of it smallest."""
    middle = max(0, (len(content) - SAMPLE) // 2)
    sample = content[middle : middle + SAMPLE]
    sizes = {
        zipfile.ZIP_BZIP2: len(bz2.compress(sample)),
        zipfile.ZIP_LZMA: len(lzma.compress(sample, format=lzma.FORMAT_ALONE)),
        zipfile.ZIP_STORED: len(sample),
    }
    return min(sizes, key=sizes.__getitem__)
