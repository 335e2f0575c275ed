"""The description of a pack: its parts, and what they were prepared with."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from squadqa.data.languages import ENGLISH
from squadqa.data.pack.archive import Archive
from squadqa.data.pack.tables import Stored
from squadqa.data.squad.read import BadAnswers, Unanswerable
from squadqa.errors import DataError

FORMAT = "squadqa pack"
VERSION = 1
"""Version of the format; raise it when a pack's content changes."""

MOST_NAMED = 1000
"""The most parts, sources and reasons that a pack may name."""


@dataclass(frozen=True)
class PartNotes:
    """A part of a pack, such as train.

    Args:
        source: The name of the file or data set that it was made from, without its folder.
        bad_answers: What was done with questions without usable answers.
        unusable: How many such questions it holds.
        skipped: How many were left out, by reason.
        unanswerable: What was done with questions without any answers.
    """

    source: str
    bad_answers: BadAnswers
    unusable: int
    skipped: Mapping[str, int]
    unanswerable: Unanswerable = "error"


@dataclass(frozen=True)
class AnnotationNotes:
    """The pipeline that annotated a pack.

    Args:
        pipeline: Its name, as it was given.
        fingerprint: What `pipeline_fingerprint` said of it.
        parse: Whether it parsed too.
    """

    pipeline: str
    fingerprint: str
    parse: bool


@dataclass(frozen=True)
class VectorNotes:
    """A source of a pack's word vectors.

    Args:
        source: Its name, as it was given.
        fingerprint: What `fingerprint` said of it.
        stored: How its values are stored.
    """

    source: str
    fingerprint: str
    stored: Stored


@dataclass(frozen=True)
class Notes:
    """What a pack says of itself.

    Args:
        parts: Its parts by name.
        annotation: The pipeline that annotated; None without annotation.
        vectors: The sources of its word vectors, in order.
        language: The language that its texts were tokenized as.
    """

    parts: Mapping[str, PartNotes]
    annotation: AnnotationNotes | None
    vectors: Sequence[VectorNotes]
    language: str = ENGLISH

    @property
    def inputs(self) -> str:
        """What the parts were prepared with, for people."""
        vectors = " + ".join(notes.source for notes in self.vectors) or "none"
        pipeline = self.annotation.pipeline if self.annotation else "none"
        without = ", without a parse" if self.annotation and not self.annotation.parse else ""
        language = "" if self.language == ENGLISH else f"; language: {self.language}"
        return f"word vectors: {vectors}; annotation: {pipeline}{without}{language}"

    def as_json(self) -> dict[str, Any]:
        """Return the notes as plain values; English is not said, as in packs of older versions."""
        values = {"format": FORMAT, "version": VERSION, **asdict(self)}
        if self.language == ENGLISH:
            del values["language"]
        return values


def read_notes(archive: Archive) -> Notes:
    """Read what a pack says of itself.

    Args:
        archive: The pack.

    Raises:
        DataError: It is of another version, or damaged.
    """
    manifest = archive.manifest
    if manifest.get("format") != FORMAT:
        raise archive.damaged("it does not say that it is a pack of squadqa's")
    if manifest.get("version") != VERSION:
        raise DataError(
            f'the pack "{archive.path}" has version {manifest.get("version")!r:.20} of the format, '
            f"and this squadqa reads version {VERSION}",
            next_step="Make it again with this version: squadqa prepare DATA --pack FILE.",
        )
    try:
        return Notes(
            parts={_part_name(name): _part(one) for name, one in _items(manifest["parts"])},
            annotation=_annotation(manifest["annotation"]),
            vectors=tuple(map(_vectors, _list(manifest["vectors"]))),
            language=_text(manifest.get("language", ENGLISH)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise archive.damaged(f"its description is wrong: {str(error):.100}") from error


def name_of_part(name: str) -> str:
    """Make a part's name from that of a file or split: "train" of train-v1.1.json.gz.

    Args:
        name: The name of a split, or of a file without its folder.
    """
    stem = name.partition(".json")[0].removesuffix("-v1.1")
    spelled = "".join(one if one.isalnum() or one in "-_." else "-" for one in stem[:64])
    return {"validation": "dev"}.get(spelled, spelled.strip(".") or "data")


def _part_name(name: str) -> str:
    if name_of_part(name) != name:
        raise ValueError(f"a part has the name {name!r:.80}")
    return name


def _part(value: Any) -> PartNotes:
    skipped = {_text(reason): _count(number) for reason, number in _items(value["skipped"])}
    return PartNotes(
        source=Path(_text(value["source"])).name,
        bad_answers=_choice(value["bad_answers"], get_args(BadAnswers)),
        unusable=_count(value["unusable"]),
        skipped=skipped,
        unanswerable=_choice(value.get("unanswerable", "error"), get_args(Unanswerable)),
    )


def _annotation(value: Any) -> AnnotationNotes | None:
    if value is None:
        return None
    parse = value["parse"]
    if not isinstance(parse, bool):
        raise TypeError(f"{parse!r:.60} is not true or false")
    return AnnotationNotes(_text(value["pipeline"]), _text(value["fingerprint"]), parse)


def _vectors(value: Any) -> VectorNotes:
    return VectorNotes(
        source=_text(value["source"]),
        fingerprint=_text(value["fingerprint"]),
        stored=_choice(value["stored"], get_args(Stored)),
    )


def _items(value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, dict) or len(value) > MOST_NAMED:
        raise TypeError(f"{value!r:.60} is no object")
    return list(value.items())


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MOST_NAMED:
        raise TypeError(f"{value!r:.60} is no list")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MOST_NAMED:
        raise TypeError(f"{value!r:.60} is no short text")
    value.encode()
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise TypeError(f"{value!r:.60} is no number of questions")
    return value


def _choice(value: Any, choices: tuple[Any, ...]) -> Any:
    if value not in choices or not isinstance(value, str):
        raise ValueError(f"{value!r:.60} is none of {', '.join(choices)}")
    return value
