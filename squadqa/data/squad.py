"""SQuAD v1.1 data from a file or by name, checked against its schema.

Reference: Rajpurkar et al., 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text.
"""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from squadqa.errors import DataError, did_you_mean

BadAnswers = Literal["error", "skip", "keep"]
"""What to do with a question whose answers do not stand where they say, or that has none: stop,
leave it out and count it, or keep it (evaluation and prediction need no answer positions)."""

SQUAD = "rajpurkar/squad"
FILE_SUFFIXES = (".json", ".json.gz", ".jsonl", ".jsonl.gz")
SPLITS = {"train": ("train-v1.1.json", "train"), "dev": ("dev-v1.1.json", "validation")}
"""Names of the two parts: as official file and as split of a `datasets` data set."""


@dataclass(frozen=True)
class Source:
    """Where data comes from.

    Args:
        name: A path, or the name of a `datasets` data set.
        split: The split to load where `name` is no path.
    """

    name: str
    split: str | None = None

    @property
    def path(self) -> Path | None:
        """The file, where the source is one."""
        return None if self.split else Path(self.name)

    def __str__(self) -> str:
        return f"{self.name} ({self.split})" if self.split else self.name


@dataclass
class SquadData:
    """Paragraphs and the questions asked of them, in the file's order.

    Args:
        titles: Article of each paragraph.
        contexts: Text of each paragraph.
        ids: Identifier of each question.
        questions: Text of each question.
        paragraphs: Paragraph index of each question.
        answer_texts: References of each question, none or more.
        answer_starts: First character of each reference in its context, in code points.
        skipped: How many questions were left out, by reason.
    """

    titles: list[str] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    paragraphs: list[int] = field(default_factory=list)
    answer_texts: list[list[str]] = field(default_factory=list)
    answer_starts: list[list[int]] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    @property
    def references(self) -> dict[str, list[str]]:
        """Reference answers by question id."""
        return dict(zip(self.ids, self.answer_texts, strict=True))


def find_source(name: str, *, part: Literal["train", "dev"] = "dev") -> Source:
    """Find the file or data set that a user named.

    `squad` is the official file in the folder `SQUADQA_DATA_DIR` where that is set, otherwise
    `rajpurkar/squad` through `datasets`. A folder is searched for the official file name, or
    `train.json` and `dev.json`. Any other name that is no file is taken as a `datasets` name;
    `NAME:SPLIT` names its split.

    Args:
        name: A path, `squad`, or a `datasets` name.
        part: Which official part to take where the name leaves it open.

    Raises:
        DataError: There is no such file.
    """
    try:
        return _find_source(name, part)
    except OSError as error:
        raise DataError(f'cannot look for "{name}": {error.strerror}') from error


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
    if path.is_dir():
        return Source(str(_part_file(path, file_name)))
    looks_like_file = name.endswith(FILE_SUFFIXES) or path.is_absolute() or name.startswith(".")
    if path.exists() or looks_like_file or name.count("/") != 1:
        _require_file(path)
        return Source(str(path))
    return Source(name, split)


def _part_file(folder: Path, file_name: str) -> Path:
    short_name = file_name.replace("-v1.1", "")  # as in data/sample
    for name in (file_name, f"{file_name}.gz", short_name, f"{short_name}.gz"):
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f'no "{file_name}" or "{short_name}" (or .gz of them) in the folder "{folder}"',
        next_step="Put SQuAD v1.1 there, or name a file by its path.",
    )


def _require_file(path: Path) -> None:
    if path.is_file():
        return
    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = [name for name in siblings if name.endswith(FILE_SUFFIXES)]
    raise DataError(
        f'no data file "{path}"',
        hint=did_you_mean(path.name, near) if near else "",
        next_step="Name a .json, .json.gz or .jsonl file, `squad`, or a `datasets` data set.",
    )


def read_squad(source: Source, *, bad_answers: BadAnswers = "keep") -> SquadData:
    """Read and check questions.

    Args:
        source: What `find_source` found.
        bad_answers: What to do with a question without usable answers. "error" and "skip" are for
            training and ask that at least one usable question is left.

    Raises:
        DataError: Not the format, or it contradicts itself; the message says where.
    """
    if source.path is None:
        rows = _rows_of_dataset(source)
    elif source.name.endswith((".jsonl", ".jsonl.gz")):
        rows = _rows_of_json_lines(source.path)
    else:
        rows = _rows_of_json(source.path)
    return _collect(rows, source, bad_answers)


def content_digest(source: Source) -> str:
    """Give a checksum of a source's content, cheap enough to take at every start.

    Raises:
        DataError: The file cannot be read, or the data set cannot be loaded.
    """
    if source.path is None:
        return str(_load_dataset(source)._fingerprint)
    try:
        with source.path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise _unreadable(source.path, error) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f'cannot read "{path}": {error.strerror}', next_step="Name a file that you may read."
    )


@dataclass(frozen=True)
class _Row:
    """One question as it stands in the source.

    `where` names its place for messages; neighbouring rows of one `paragraph` share it.
    """

    where: str
    paragraph: str
    title: str
    context: str
    id: str
    question: str
    texts: list[str]
    starts: list[int]


def _collect(rows: Iterable[_Row], source: Source, bad_answers: BadAnswers) -> SquadData:
    data = SquadData()
    places: dict[str, str] = {}
    paragraph = ""
    for row in rows:
        if row.id in places:
            raise DataError(
                f'"{source}": the id "{row.id}" stands twice, at {places[row.id]} and {row.where}',
                next_step="Give every question an id of its own.",
            )
        places[row.id] = row.where
        for name, text in (("context", row.context), ("question", row.question)):
            if not text.strip():
                raise DataError(
                    f'"{source}": {row.where} (id "{row.id}") has an empty {name}: {text!r}',
                    next_step=f"Fill in the {name} or remove the question.",
                )
        problem = "" if bad_answers == "keep" else _answer_problem(row)
        if problem and bad_answers == "error":
            raise DataError(
                f'"{source}": question "{row.id}" ({row.where}): {problem}',
                next_step="Mend the file, or leave such questions out with --data.bad_answers skip "
                "(prepare: --bad-answers skip).",
            )
        if problem:
            reason = problem.split(":")[0]
            data.skipped[reason] = data.skipped.get(reason, 0) + 1
            continue
        if row.paragraph != paragraph:
            paragraph = row.paragraph
            data.titles.append(row.title)
            data.contexts.append(row.context)
        data.ids.append(row.id)
        data.questions.append(row.question)
        data.paragraphs.append(len(data.contexts) - 1)
        data.answer_texts.append(row.texts)
        data.answer_starts.append(row.starts)
    if not data.ids:
        left_out = f" ({sum(data.skipped.values())} were left out)" if data.skipped else ""
        raise DataError(
            f'"{source}" holds no questions{left_out}', next_step="Name a file with questions."
        )
    return data


def _answer_problem(row: _Row) -> str:
    if not row.texts:
        return "it has no answers, and training needs one"
    for text, start in zip(row.texts, row.starts, strict=True):
        found = row.context[max(start, 0) : max(start, 0) + len(text)]
        if not text.strip() or start < 0 or found != text:
            return (
                "an answer does not stand at its answer_start: "
                f"at {start} is {found!r}, not {text!r}"
            )
    return ""


def _read_text(path: Path) -> str:
    _require_file(path)
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
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


def _parse(text: str, path: Path, *, first_line: int = 1) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error)
        if isinstance(error, json.JSONDecodeError):
            line = first_line + error.lineno - 1
            reason = f"{error.msg} at line {line}, column {error.colno}"
        raise DataError(
            f'"{path}" is not JSON: {reason}', next_step="Name a file in SQuAD v1.1 format."
        ) from error


_KINDS = {str: "a string", int: "a whole number", list: "a list", dict: "an object"}
_LARGEST = 2**31 - 1
"""Largest number that is kept, far behind the last character of any text."""

_NESTED = (
    'Expected {"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers": '
    '[{"text", "answer_start"}]}]}]}]}.'
)
_FLAT = (
    'Expected rows of {"id", "title", "context", "question", "answers": {"text": [...], '
    '"answer_start": [...]}}.'
)


class _Field:
    """Reads fields out of parsed JSON, and knows where it stands when one is missing."""

    def __init__(self, value: Any, where: str, source: str, *, expected: str = _NESTED) -> None:
        self.value = value
        self.where = where
        self.source = source
        self.expected = expected

    def error(self, problem: str) -> DataError:
        return DataError(
            f'"{self.source}" is not SQuAD v1.1: {self.where or "the file"} {problem}',
            next_step=self.expected,
        )

    def get(self, key: str, kind: type[Any], default: Any = None) -> Any:
        if not isinstance(self.value, dict):
            raise self.error(f"is {ascii(self.value):.60}, not an object")
        value = self.value.get(key)
        if value is None:
            value = default
        if value is None:
            raise self.error(f'misses "{key}"')
        return self._checked(value, key, kind)

    def values(self, key: str, kind: type[Any]) -> list[Any]:
        return [
            self._checked(value, f"{key}[{index}]", kind)
            for index, value in enumerate(self.get(key, list, []))
        ]

    def _checked(self, value: Any, key: str, kind: type[Any]) -> Any:
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.error(f'has "{key}": {ascii(value):.60}, not {_KINDS[kind]}')
        if kind is int and abs(value) > _LARGEST:
            raise self.error(f'has "{key}": {value!r:.60}, which is out of range')
        if kind is str:
            try:
                value.encode()
            except UnicodeEncodeError as error:
                found = ascii(value[error.start : error.start + 20])
                raise self.error(f'has "{key}" with half a surrogate pair at {found}') from error
        return value

    def items(self, key: str, default: Any = None) -> Iterator["_Field"]:
        prefix = f"{self.where}." if self.where else ""
        for index, value in enumerate(self.get(key, list, default)):
            yield _Field(value, f"{prefix}{key}[{index}]", self.source)


def _rows_of_json(path: Path) -> Iterator[_Row]:
    for article in _Field(_parse(_read_text(path), path), "", str(path)).items("data"):
        title = article.get("title", str, "")
        for paragraph in article.items("paragraphs"):
            context = paragraph.get("context", str)
            for question in paragraph.items("qas"):
                answers = list(question.items("answers", []))
                yield _Row(
                    where=question.where,
                    paragraph=paragraph.where,
                    title=title,
                    context=context,
                    id=question.get("id", str),
                    question=question.get("question", str),
                    texts=[answer.get("text", str) for answer in answers],
                    starts=[answer.get("answer_start", int) for answer in answers],
                )


def _rows_of_json_lines(path: Path) -> Iterator[_Row]:
    for number, line in enumerate(_read_text(path).split("\n"), start=1):
        if line.strip():
            value = _parse(line, path, first_line=number)
            yield _flat_row(_Field(value, f"line {number}", str(path), expected=_FLAT))


def _rows_of_dataset(source: Source) -> Iterator[_Row]:
    for number, row in enumerate(_load_dataset(source)):
        yield _flat_row(_Field(row, f"row {number}", str(source), expected=_FLAT))


def _flat_row(row: _Field) -> _Row:
    answers = _Field(
        row.get("answers", dict, {}), f"{row.where} answers", row.source, expected=_FLAT
    )
    texts, starts = answers.values("text", str), answers.values("answer_start", int)
    if len(texts) != len(starts):
        raise row.error(f"has {len(texts)} answer texts but {len(starts)} answer starts")
    title, context = row.get("title", str, ""), row.get("context", str)
    return _Row(
        where=row.where,
        paragraph=f"{title}\n{context}",
        title=title,
        context=context,
        id=row.get("id", str),
        question=row.get("question", str),
        texts=texts,
        starts=starts,
    )


def _load_dataset(source: Source) -> Any:
    import datasets

    try:
        return datasets.load_dataset(source.name, split=source.split)
    except Exception as error:  # datasets raises many kinds, none of them its own
        raise DataError(
            f'cannot load the data set "{source.name}", split "{source.split}": '
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}",
            next_step="Check the name and the network, or put SQuAD's files into a folder and set "
            "SQUADQA_DATA_DIR to it.",
        ) from error
