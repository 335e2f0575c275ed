"""Sources of questions: a file, standard input, a part of a pack, or a data set by its name."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from squadqa.data.squad.reading import Reading
from squadqa.errors import DataError, did_you_mean
from squadqa.package_files import SAMPLE, locate

SQUAD = "rajpurkar/squad"
PACK_SUFFIX = ".pack"
"""The usual ending of a pack; what counts is its content."""

PACK_MAGIC = b"PK\x03\x04"
"""The first bytes of a pack, which is a zip archive."""

STANDARD_INPUT = "-"
"""The name of standard input."""

_ENDINGS = (".json", ".jsonl", ".csv", ".tsv", ".txt")
FILE_SUFFIXES = (*_ENDINGS, *(f"{ending}.gz" for ending in _ENDINGS), PACK_SUFFIX)
SPLITS = {"train": ("train-v1.1.json", "train"), "dev": ("dev-v1.1.json", "validation")}
"""Names of the two parts: the official file, and the split of a `datasets` data set."""


@dataclass(frozen=True)
class Source:
    """A source of questions.

    Args:
        name: A path, or the name of a `datasets` data set.
        split: The split to load if `name` is not a path.
        part: The part to take if `name` is the path of a pack.
        reading: How it is read.
    """

    name: str
    split: str | None = None
    part: str | None = None
    reading: Reading = Reading()

    @property
    def path(self) -> Path | None:
        """The file, `STANDARD_INPUT` among them; None if the source is not one."""
        return None if self.split else locate(self.name)

    @property
    def label(self) -> str:
        """Where a file is, for messages."""
        return str(self.path) if self.path and self.name != STANDARD_INPUT else str(self)

    def __str__(self) -> str:
        if self.name == STANDARD_INPUT:
            return "standard input"
        which = self.split or self.part
        return f"{self.name} ({which})" if which else self.name


def find_source(
    name: str, *, part: Literal["train", "dev"] = "dev", reading: Reading | None = None
) -> Source:
    """Find the file or data set that a user named.

    `-` is standard input.

    `squad` is the official file in the folder `SQUADQA_DATA_DIR` if that is set, otherwise
    `rajpurkar/squad` through `datasets`. `sample`, if no folder has that name, is data/sample in
    the working folder, or the one that comes with squadqa. A folder is searched for the official
    file name, or for `train.json` or `dev.json`. A pack (see `squadqa.data.pack`) holds one or more
    parts; `FILE:PART` names one. Any other name that is not a file is taken as a `datasets` name;
    `NAME:SPLIT` names its split.

    Args:
        name: A path, `squad`, `sample`, or a `datasets` name.
        part: Which official part to take if the name leaves it open.
        reading: How it is read; None reads it as it is.

    Raises:
        DataError: The file does not exist, or is a pack without such a part.
    """
    if name == STANDARD_INPUT and reading and reading.questions == STANDARD_INPUT:
        raise DataError(
            "both the text and its questions are to be read from standard input",
            next_step="Name a file for one of them.",
        )
    try:
        return replace(_find_source(name, part), reading=reading or Reading())
    except OSError as error:
        raise unreadable(Path(name), error) from error


def _find_source(name: str, part: Literal["train", "dev"]) -> Source:
    if name == STANDARD_INPUT:
        return Source(name)
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
        require_file(path)
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
    stem = short_name.removesuffix(".json")
    names = (file_name, short_name, f"{stem}-v2.0.json", *(f"{stem}{end}" for end in _ENDINGS[1:4]))
    for name in (packed for plain in names for packed in (plain, f"{plain}.gz")):
        if locate(folder / name).is_file():
            return folder / name
    raise DataError(
        f'no "{file_name}" or "{short_name}" (or .gz of them) in the folder "{folder}"',
        next_step="Put SQuAD v1.1 there, or name a file by its path.",
    )


def require_file(path: Path) -> None:
    """Check that there is a file, or a pipe.

    Raises:
        DataError: There is none.
    """
    if locate(path).is_file() or locate(path).is_fifo():
        return
    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = [name for name in siblings if name.endswith(FILE_SUFFIXES)]
    if path.suffix not in FILE_SUFFIXES:
        near = ["squad", SAMPLE.name, *(name for name in near if not name.endswith(".txt"))]
    raise DataError(
        f'no data file "{path}"',
        hint=did_you_mean(path.name, near) if near else "",
        next_step="Name a .json, .jsonl, .csv or .tsv file (also .gz), a pack, `squad`, `sample`, "
        "or a `datasets` data set.",
    )


def unreadable(path: Path, error: OSError) -> DataError:
    """Make the error for a file that the system does not let us read."""
    return DataError(
        f'cannot read "{path}": {error.strerror}', next_step="Name a file that you may read."
    )
