"""Questions written in another format, with everything that both formats hold."""

import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

from squadqa.data.squad.formats import json_lines, mrqa, nested_json, tables
from squadqa.data.squad.places import NOWHERE, with_places
from squadqa.data.squad.read import checked_rows, places_needed
from squadqa.data.squad.row import Row
from squadqa.data.squad.source import Source
from squadqa.errors import ConfigError, DataError, did_you_mean
from squadqa.files import write_atomic

Format = Literal["squad", "jsonl", "mrqa", "csv", "tsv"]
"""The formats that questions are written in."""

ENDINGS: dict[str, Format] = {".json": "squad", ".jsonl": "jsonl", ".csv": "csv", ".tsv": "tsv"}
"""The format that each ending of a name stands for; ".gz" after it packs the file."""

PACKED = ".gz"


@dataclass(frozen=True)
class Converted:
    """What was written.

    Args:
        path: The file.
        format: Its format.
        questions: Number of questions.
        contexts: Number of contexts; one that is asked about in two places counts twice.
        without_answers: Number of questions without answers.
        found: How many answers were looked up in their contexts, by outcome.
    """

    path: Path
    format: Format
    questions: int
    contexts: int
    without_answers: int
    found: dict[str, int]


def format_of(path: Path, to: str | None = None) -> Format:
    """Choose the format of a file to write.

    Args:
        path: The file, whose ending says the format.
        to: The format, if its ending is not to say it; "mrqa" always needs that.

    Raises:
        ConfigError: There is no such format, or the ending says none.
    """
    for known in get_args(Format):
        if to == known:
            return known
    if to is not None:
        raise ConfigError(
            f'there is no format "{to}"', hint=did_you_mean(to, get_args(Format)), next_step=_ENDS
        )
    ending = Path(path.name.removesuffix(PACKED)).suffix
    if ending not in ENDINGS:
        raise ConfigError(
            f'the ending of "{path}" says no format',
            hint=did_you_mean(ending, ENDINGS),
            next_step=_ENDS,
        )
    return ENDINGS[ending]


_ENDS = (
    "Name a file that ends in .json, .jsonl, .csv or .tsv (also .gz), or a format with --to, such "
    "as --to mrqa."
)


def convert(source: Source, path: Path, *, to: str | None = None) -> Converted:
    """Write the questions of a source in another format.

    Args:
        source: What `find_source` returned.
        path: The file to write, packed if its name ends in ".gz".
        to: The format; see `format_of`.

    Raises:
        ConfigError: The format is not known.
        DataError: The source cannot be read, or answers that are texts without places would have to
            be looked up, which `source.reading` does not allow.
        OutputError: The file cannot be written.
    """
    chosen = format_of(path, to)
    rows, found = _placed_rows(source)
    with write_atomic(path, mode="wb") as file:
        if path.name.endswith(PACKED):  # the same questions make the same file
            with gzip.GzipFile("", "wb", mtime=0, fileobj=file) as packed:
                _write(packed, rows, chosen, source)
        else:
            _write(file, rows, chosen, source)
    changes = [before.paragraph != row.paragraph for before, row in pairwise(rows)]
    return Converted(
        path=path,
        format=chosen,
        questions=len(rows),
        contexts=1 + sum(changes),
        without_answers=sum(not row.texts for row in rows),
        found=found,
    )


def _placed_rows(source: Source) -> tuple[list[Row], dict[str, int]]:
    """Read all questions, with the places of their answers."""
    rows, without_places, found = [], [], Counter[str]()
    find = source.reading.find_answers
    for row in checked_rows(source):
        texts, starts = with_places(row.context, row.texts, row.starts, find=find, counts=found)
        placed: list[int | None] = [None if start == NOWHERE else start for start in starts]
        if texts and find == "error" and not any(start is not None for start in placed):
            without_places.append(row)
        rows.append(replace(row, texts=texts, starts=placed))
    if without_places:
        raise places_needed(source, without_places, total=len(rows))
    if not rows:
        raise DataError(f'"{source}" holds no questions', next_step="Name a file with questions.")
    return rows, {name: count for name, count in found.items() if count}


def _write(file: Any, rows: Sequence[Row], to: Format, source: Source) -> None:
    for part in _dumped(rows, to, source):
        file.write(part.encode())


def _dumped(rows: Sequence[Row], to: Format, source: Source) -> Iterator[str]:
    match to:
        case "squad":
            return nested_json.dumped(rows)
        case "jsonl":
            return json_lines.dumped(rows)
        case "mrqa":
            return mrqa.dumped(rows, name=Path(source.name).name)
        case "csv":
            return tables.dumped(rows, delimiter=",")
        case "tsv":
            return tables.dumped(rows, delimiter="\t")
