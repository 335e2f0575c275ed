"""Sources of questions: a SQuAD v1.1 file, a part of a pack, or a data set by its name."""

import gzip
import hashlib
import io
import os
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from squadqa.data.optional import imported
from squadqa.errors import DataError, did_you_mean
from squadqa.package_files import SAMPLE, locate

SQUAD = "rajpurkar/squad"
MOST_UNPACKED = 1 << 30  # bytes that a packed file may become: 30 times SQuAD
PACK_SUFFIX = ".pack"
"""The usual ending of a pack; what counts is its content."""

PACK_MAGIC = b"PK\x03\x04"
"""The first bytes of a pack, which is a zip archive."""

FILE_SUFFIXES = (".json", ".json.gz", ".jsonl", ".jsonl.gz", PACK_SUFFIX)
SPLITS = {"train": ("train-v1.1.json", "train"), "dev": ("dev-v1.1.json", "validation")}
"""Names of the two parts: the official file, and the split of a `datasets` data set."""


@dataclass(frozen=True)
class Source:
    """A source of questions.

    Args:
        name: A path, or the name of a `datasets` data set.
        split: The split to load if `name` is not a path.
        part: The part to take if `name` is the path of a pack.
    """

    name: str
    split: str | None = None
    part: str | None = None

    @property
    def path(self) -> Path | None:
        """The file; None if the source is not one."""
        return None if self.split else locate(self.name)

    def __str__(self) -> str:
        which = self.split or self.part
        return f"{self.name} ({which})" if which else self.name


def find_source(name: str, *, part: Literal["train", "dev"] = "dev") -> Source:
    """Find the file or data set that a user named.

    `squad` is the official file in the folder `SQUADQA_DATA_DIR` if that is set, otherwise
    `rajpurkar/squad` through `datasets`. `sample`, if no folder has that name, is data/sample in
    the working folder, or the one that comes with squadqa. A folder is searched for the official
    file name, or for `train.json` or `dev.json`. A pack (see `squadqa.data.pack`) holds one or more
    parts; `FILE:PART` names one. Any other name that is not a file is taken as a `datasets` name;
    `NAME:SPLIT` names its split.

    Args:
        name: A path, `squad`, `sample`, or a `datasets` name.
        part: Which official part to take if the name leaves it open.

    Raises:
        DataError: The file does not exist, or is a pack without such a part.
    """
    try:
        return _find_source(name, part)
    except OSError as error:
        raise _unreadable(Path(name), error) from error


def _find_source(name: str, part: Literal["train", "dev"]) -> Source:
    file_name, split = SPLITS[part]
    name, _, asked_split = name.partition(":") if not Path(name).exists() else (name, "", "")
    if asked_split in SPLITS:
        file_name, split = SPLITS[asked_split]
    elif asked_split:
        split = asked_split
    if name == "squad":
        folder = os.environ.get("SQUADQA_DATA_DIR")
        if not folder:
            return Source(SQUAD, split)
        return Source(str(_part_file(Path(folder), file_name)))
    path = Path(name)
    if name == SAMPLE.name and not path.exists():
        path = SAMPLE
    if locate(path).is_dir():
        return Source(str(_part_file(path, file_name)))
    looks_like_file = name.endswith(FILE_SUFFIXES) or path.is_absolute() or name.startswith(".")
    if locate(path).exists() or looks_like_file or name.count("/") != 1:
        _require_file(path)
        if is_pack(locate(path)):
            return Source(str(path), part=_part_in_pack(path, part, asked_split))
        return Source(str(path))
    return Source(name, split)


def is_pack(path: Path) -> bool:
    """Return whether a file begins like a pack; only regular files are looked into."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(len(PACK_MAGIC)) == PACK_MAGIC
    except OSError:
        pass  # whoever reads it says why it cannot be read
    return False


def _part_in_pack(path: Path, part: str, asked: str) -> str:
    """Choose a part of a pack: the one asked for, or else the usual one, or else the only one."""
    from squadqa.data.pack.read import notes_of

    parts = notes_of(locate(path)).parts
    if (asked or part) in parts:
        return asked or part
    if len(parts) == 1 and not asked:
        return next(iter(parts))
    names = [f"{path}:{name}" for name in parts]
    raise DataError(
        f'the pack "{path}" has no part "{asked or part}"',
        hint=did_you_mean(f"{path}:{asked or part}", names),
        next_step="Name one of its parts.",
    )


def _part_file(folder: Path, file_name: str) -> Path:
    short_name = file_name.replace("-v1.1", "")  # as in data/sample
    for name in (file_name, f"{file_name}.gz", short_name, f"{short_name}.gz"):
        if locate(folder / name).is_file():
            return folder / name
    raise DataError(
        f'no "{file_name}" or "{short_name}" (or .gz of them) in the folder "{folder}"',
        next_step="Put SQuAD v1.1 there, or name a file by its path.",
    )


def _require_file(path: Path) -> None:
    if locate(path).is_file() or locate(path).is_fifo():
        return
    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = [name for name in siblings if name.endswith(FILE_SUFFIXES)]
    raise DataError(
        f'no data file "{path}"',
        hint=did_you_mean(path.name, near) if near else "",
        next_step="Name a .json, .json.gz or .jsonl file, a pack, `squad`, or a `datasets` "
        "data set.",
    )


def content_digest(source: Source) -> str:
    """Return a checksum of a source's content, which is cheap enough for every start.

    Raises:
        DataError: The file cannot be read, or the data set cannot be loaded.
    """
    if source.path is None:
        return str(load_dataset(source)._fingerprint)
    try:
        with _open(source.path) as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise _unreadable(source.path, error) from error


def _unpacked(file: IO[bytes], path: Path) -> bytes:
    with gzip.open(file) as unpacked:
        raw = unpacked.read(MOST_UNPACKED + 1)
    if len(raw) > MOST_UNPACKED:
        raise DataError(
            f'"{path}" unpacks to more than {MOST_UNPACKED >> 20:,} MiB',
            hint="A small file that becomes so large is often made to fill the memory.",
            next_step="If you trust it, unpack it and name the unpacked file.",
        )
    return raw


_PIPES: dict[tuple[int, int], bytes] = {}
"""The content of each pipe that was read, by its device and number: it gives it only once."""


def _open(path: Path) -> io.BufferedReader | io.BytesIO:
    """Open a file, or a pipe such as /dev/stdin, which is read at the first time and then kept."""
    state = path.stat()
    if not stat.S_ISFIFO(state.st_mode):
        return path.open("rb")
    place = (state.st_dev, state.st_ino)
    if place not in _PIPES:
        _PIPES[place] = path.read_bytes()
    return io.BytesIO(_PIPES[place])


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f'cannot read "{path}": {error.strerror}', next_step="Name a file that you may read."
    )


def read_text(path: Path) -> str:
    """Read a file, packed (.gz) or not, as UTF-8.

    Raises:
        DataError: It cannot be read, or is not UTF-8 text.
    """
    _require_file(path)
    try:
        with _open(path) as file:
            raw = _unpacked(file, path) if path.suffix == ".gz" else file.read()
        return raw.decode("utf-8-sig")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f'"{path}" is a broken or truncated .gz file: {error}', next_step="Fetch it again."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f'"{path}" is not UTF-8 text (byte {error.start})', next_step="Save it as UTF-8."
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def load_dataset(source: Source) -> Any:
    """Load a source that is not a file, through `datasets`.

    Raises:
        DataError: The data set does not exist, or cannot be fetched.
        ConfigError: `datasets` is not installed.
    """
    datasets = imported("datasets", f'the data set "{source.name}"')
    try:
        return datasets.load_dataset(source.name, split=source.split)
    except Exception as error:  # datasets raises many kinds of errors
        raise DataError(
            f'cannot load the data set "{source.name}", split "{source.split}": '
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}",
            next_step="Check the name and the network, or put SQuAD's files into a folder and set "
            "SQUADQA_DATA_DIR to it.",
        ) from error
