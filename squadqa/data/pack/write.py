"""Writing a pack: parts that were prepared, with what they were prepared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from squadqa.data.languages import ENGLISH
from squadqa.data.pack.archive import PackWriter
from squadqa.data.pack.columns import annotation_columns, smallest, token_columns
from squadqa.data.pack.manifest import AnnotationNotes, Notes, PartNotes, VectorNotes
from squadqa.data.pack.tables import distinct_rows, table_columns
from squadqa.data.pipelines import pipeline_fingerprint
from squadqa.data.prepared import PreparedData
from squadqa.data.squad import BadAnswers, Unanswerable
from squadqa.data.squad.read import answer_problem
from squadqa.data.vectors import fingerprint, lookup
from squadqa.files import write_atomic

if TYPE_CHECKING:
    from squadqa.data.prepare import Progress


@dataclass(frozen=True)
class Part:
    """A part to pack.

    Args:
        data: It, prepared.
        bad_answers: What was done with questions without usable answers.
        unanswerable: What was done with questions without any answers.
    """

    data: PreparedData
    bad_answers: BadAnswers
    unanswerable: Unanswerable = "error"


def write_pack(
    path: Path,
    parts: Mapping[str, Part],
    *,
    language: str = ENGLISH,
    pipeline: str | None,
    parse: bool = True,
    vectors: Sequence[str],
    progress: "Progress | None" = None,
) -> None:
    """Write parts into one file, which is there as a whole or not at all.

    The same parts make the same file, byte for byte.

    Args:
        path: The file.
        parts: The parts by name, all prepared with the same pipeline and vectors.
        language: The language that they were tokenized as.
        pipeline: The spaCy pipeline that annotated them; None without annotation.
        parse: Whether it parsed too.
        vectors: The sources of their word vectors; an empty list without vectors.
        progress: Called from time to time.

    Raises:
        OutputError: The file cannot be written.
        DataError: A part is too large for a pack.
    """
    steps = len(parts) + len(vectors)
    done = 0

    def advance(number: int) -> None:
        nonlocal done
        done += number
        if progress:
            progress("packing", done, steps)

    with write_atomic(path, mode="wb") as file, PackWriter(file) as writer:
        advance(0)
        for name, part in parts.items():
            _add_part(writer, name, part.data)
            advance(1)
        stored = []
        tables = {name: part.data for name, part in parts.items()}
        for number, (source, columns) in enumerate(_columns_of_sources(vectors, tables)):
            stored.append(_add_vectors(writer, number, source, columns, tables))
            advance(1)
        notes = Notes(
            parts={name: _notes(part) for name, part in parts.items()},
            annotation=AnnotationNotes(pipeline, pipeline_fingerprint(pipeline), parse)
            if pipeline is not None
            else None,
            vectors=stored,
            language=language,
        )
        writer.add_manifest(notes.as_json())


def _notes(part: Part) -> PartNotes:
    data = part.data
    paragraphs = data.contexts.to_pylist()
    questions = zip(
        data.paragraphs.tolist(),
        data.answer_texts.to_pylist(),
        data.answer_starts.to_pylist(),
        strict=True,
    )
    return PartNotes(
        source=Path(data.source).name,
        bad_answers=part.bad_answers,
        unusable=sum(
            bool(answer_problem(paragraphs[paragraph], texts, starts))
            for paragraph, texts, starts in questions
        ),
        skipped=data.skipped,
        unanswerable=part.unanswerable,
    )


def _add_part(writer: PackWriter, name: str, data: PreparedData) -> None:
    """Add a part's questions, tokens and annotation."""
    writer.add_json(f"{name}/questions", _as_squad(data))
    for column, values in token_columns(data.tokens).items():
        writer.add_array(f"{name}/{column}", values)
    if data.annotation is not None:
        columns, lemmas = annotation_columns(data.annotation, data.tokens)
        for column, values in columns.items():
            writer.add_array(f"{name}/{column}", values)
        writer.add_json(f"{name}/lemmas", lemmas)


def _add_vectors(
    writer: PackWriter,
    number: int,
    source: str,
    columns: slice,
    parts: Mapping[str, PreparedData],
) -> VectorNotes:
    """Add a source's rows, and which row each part's forms have."""
    found: list[NDArray[np.bool_]] = []
    tables: list[NDArray[np.float32]] = []
    for data in parts.values():
        assert data.vectors is not None and data.vectors_found is not None
        found.append(data.vectors_found[:, number])
        tables.append(data.vectors[:, columns])
    rows, places = distinct_rows(tables, found)
    stored, arrays = table_columns(rows)
    for name, values in arrays.items():
        writer.add_array(f"vectors/{number}/{name}", values)
    for part, place in zip(parts, places, strict=True):
        writer.add_array(f"{part}/vectors/{number}", smallest(place))
    return VectorNotes(source=source, fingerprint=fingerprint([source]), stored=stored)


def _columns_of_sources(
    sources: Sequence[str], parts: Mapping[str, PreparedData]
) -> list[tuple[str, slice]]:
    """Find out which columns of the parts' vectors belong to which source."""
    if len(sources) <= 1:  # finding out how wide a large file is takes long
        return [(source, slice(None)) for source in sources]
    widths = [lookup([source], []).vectors.shape[1] for source in sources]
    ends = np.cumsum([0, *widths]).tolist()
    for data in parts.values():
        assert data.vectors is not None and data.vectors.shape[1] == ends[-1]
    return [
        (source, slice(begin, end))
        for source, begin, end in zip(sources, ends[:-1], ends[1:], strict=True)
    ]


def _as_squad(data: PreparedData) -> dict[str, Any]:
    """A part's paragraphs and questions in SQuAD's nested format."""
    questions = zip(
        data.paragraphs.tolist(),
        data.ids.to_pylist(),
        data.questions.to_pylist(),
        data.answer_texts.to_pylist(),
        data.answer_starts.to_pylist(),
        strict=True,
    )
    contexts = data.contexts.to_pylist()
    paragraphs = [
        {
            "context": contexts[paragraph],
            "qas": [
                {
                    "id": identifier,
                    "question": question,
                    "answers": [
                        {"answer_start": start, "text": text}
                        for text, start in zip(texts, starts, strict=True)
                    ],
                }
                for _, identifier, question, texts, starts in rows
            ],
        }
        for paragraph, rows in groupby(questions, key=lambda row: row[0])
    ]
    articles = groupby(
        zip(data.titles.to_pylist(), paragraphs, strict=True), key=lambda row: row[0]
    )
    return {
        "data": [
            {"title": title, "paragraphs": [one for _, one in rows]} for title, rows in articles
        ]
    }
