"""Preparation of a source: tokens, lexicon, annotation and vectors as arrays, made once and cached.

A prepared source is three cache entries, each a folder of Arrow files (vectors: .npy) with a
manifest: `text` (paragraphs, questions, tokens, lexicon), `annotation` (a row for each token) and
`vectors` (a row for each form of the lexicon). Opening them maps the files into memory without
parsing. A part of a pack is unpacked into entries of the same form.

One file, as what writes an entry and what opens it belong together.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from squadqa.data.annotation import ANNOTATION_COLUMNS, Annotation, annotate
from squadqa.data.cache import MANIFEST, cached_folder, read_manifest
from squadqa.data.languages import ENGLISH
from squadqa.data.pack.read import PackedPart
from squadqa.data.pipelines import pipeline_fingerprint, require_language_of
from squadqa.data.prepared import PreparedData, put_together
from squadqa.data.squad import (
    BadAnswers,
    Source,
    SquadData,
    Unanswerable,
    content_digest,
    read_squad,
)
from squadqa.data.text_preparer import TextPreparer
from squadqa.data.tokenization import Tokens, tokenize, tokenizer_fingerprint
from squadqa.data.vectors import VectorStore, VectorTable, fingerprint, lookup
from squadqa.errors import ConfigError, DataError

FORMAT = 2
"""Version of the cached files; raise it when their content changes."""

Progress = Callable[[str, int, int], None]
"""Called with the name of the work, how much of it is done, and how much there is."""


def default_cache_dir() -> Path:
    """Return the cache folder: `SQUADQA_CACHE_DIR`, or `data/cache` in the working folder.

    Raises:
        ConfigError: The variable is no UTF-8 text.
    """
    named = os.environ.get("SQUADQA_CACHE_DIR") or "data/cache"
    try:
        named.encode()
    except UnicodeEncodeError as error:  # a byte that is no text, which pyarrow does not take
        raise ConfigError(
            f"SQUADQA_CACHE_DIR is not UTF-8 text: {ascii(named)}",
            next_step="Name a folder in UTF-8.",
        ) from error
    return Path(named)


def prepare(
    source: Source,
    *,
    cache_dir: str | Path | None = None,
    bad_answers: BadAnswers = "keep",
    unanswerable: Unanswerable = "error",
    language: str = ENGLISH,
    pipeline: str | None = None,
    parse: bool = True,
    vectors: Sequence[str] = (),
    workers: int = 0,
    progress: Progress | None = None,
) -> PreparedData:
    """Open a prepared source; whatever is not in the cache yet is made first.

    Args:
        source: A file, a part of a pack, or a data set.
        cache_dir: The cache folder; None takes `default_cache_dir()`.
        bad_answers: What to do with a question without usable answers.
        unanswerable: What to do with a question without any answers; see `read_squad`.
        language: The texts' language, by spaCy's code.
        pipeline: spaCy pipeline that annotates; None leaves annotation out.
        parse: Parse too; see `squadqa.data.annotation.annotate`.
        vectors: Sources of word vectors, concatenated; an empty list leaves vectors out.
        workers: Number of processes that annotate; 0 takes one for each core.
        progress: Called from time to time.

    Raises:
        DataError: The source is not SQuAD v1.1, or a damaged pack.
        VectorsError: A vector source cannot be read, or is not in the pack.
        ConfigError: The pipeline is not installed, or is not the pack's, or for another language.
        OutputError: The cache folder cannot be written.
    """
    root = Path(cache_dir) if cache_dir is not None else default_cache_dir()
    origin: _Original | PackedPart
    text_settings: dict[str, Any] = {"format": FORMAT, "content": content_digest(source)}
    if source.part is not None:
        origin = PackedPart(
            source,
            bad_answers=bad_answers,
            unanswerable=unanswerable,
            language=language,
            pipeline=pipeline,
            parse=parse,
            vectors=vectors,
        )
        text_settings |= {"part": source.part}
    else:
        if pipeline is not None:
            require_language_of(pipeline, language)
        origin = _Original(
            source, bad_answers, unanswerable, language, pipeline, parse, vectors, workers
        )
        text_settings |= {
            "suffix": "".join(Path(source.name).suffixes[-2:]) if source.path else "",
            "bad_answers": bad_answers,
            "tokenizer": tokenizer_fingerprint(language),
            **source.reading.settings,
        }
        if unanswerable != "error":
            text_settings["unanswerable"] = unanswerable
    text = cached_folder(
        root, "text", text_settings, lambda folder: _build_text(folder, origin, progress)
    )
    opened = _open_text(text, source)
    annotation, table = None, None
    if pipeline is not None:
        settings = {"text": text_settings, **origin.annotation_fingerprint()}
        annotation = _annotation(root, settings, origin, opened, progress)
    if vectors:
        settings = {"text": text_settings, "vectors": origin.vectors_fingerprint()}
        table = _vectors(root, settings, origin, opened.tokens.lexicon, progress)
    return replace(
        opened,
        annotation=annotation,
        vectors=table.vectors if table else None,
        vectors_found=table.found if table else None,
    )


@dataclass(frozen=True)
class _Original:
    """A source that is tokenized, annotated and looked up here; a `PackedPart` was elsewhere."""

    source: Source
    bad_answers: BadAnswers
    unanswerable: Unanswerable
    language: str
    pipeline: str | None
    parse: bool
    vectors: Sequence[str]
    workers: int

    def questions(self) -> SquadData:
        return read_squad(self.source, bad_answers=self.bad_answers, unanswerable=self.unanswerable)

    def tokens(self, texts: Sequence[str]) -> Tokens:
        return tokenize(texts, language=self.language)

    def annotation_fingerprint(self) -> dict[str, Any]:
        assert self.pipeline is not None
        without = {} if self.parse else {"parse": False}
        return {"pipeline": pipeline_fingerprint(self.pipeline), **without}

    def annotation(
        self,
        texts: PreparedData,
        progress: Callable[[int, int], None] | None = None,
    ) -> Annotation:
        assert self.pipeline is not None
        return annotate(
            texts.tokens,
            pipeline=self.pipeline,
            num_contexts=len(texts.contexts),
            parse=self.parse,
            workers=self.workers,
            progress=progress,
        )

    def vectors_fingerprint(self) -> str:
        return fingerprint(self.vectors)

    def vector_table(self, lexicon: Sequence[str]) -> VectorTable:
        return lookup(self.vectors, lexicon)


def prepare_data(
    data: SquadData,
    *,
    language: str = ENGLISH,
    pipeline: str | None = None,
    parse: bool = True,
    vectors: Sequence[str] | VectorStore = (),
) -> PreparedData:
    """Prepare questions that are already in memory, without the cache.

    A `TextPreparer` does the same for questions that arrive one after another.

    Args:
        data: Paragraphs and questions.
        language: Their language, by spaCy's code.
        pipeline: spaCy pipeline that annotates, in this process; None leaves annotation out.
        parse: Parse too.
        vectors: Sources of word vectors, concatenated, as names or as an open store; an empty list
            leaves vectors out.

    Raises:
        VectorsError: A vector source cannot be read.
        ConfigError: The pipeline is not installed.
    """
    preparer = TextPreparer(language=language, pipeline=pipeline, parse=parse, vectors=vectors)
    return preparer.prepare(data)


def _build_text(
    folder: Path, origin: _Original | PackedPart, progress: Progress | None
) -> dict[str, Any]:
    data = origin.questions()
    texts = [*data.contexts, *data.questions]
    if progress:
        progress("tokens", 0, len(texts))
    tokens = origin.tokens(texts)
    if progress:
        progress("tokens", len(texts), len(texts))
    prepared = put_together(data, tokens)
    tables = {
        "paragraphs": {"title": prepared.titles, "context": prepared.contexts},
        "questions": {
            "id": prepared.ids,
            "question": prepared.questions,
            "paragraph": prepared.paragraphs,
            "answer_texts": prepared.answer_texts,
            "answer_starts": prepared.answer_starts,
            "start_position": prepared.start_positions,
            "end_position": prepared.end_positions,
            "alignment": prepared.alignment,
        },
        "texts": {"token_count": np.diff(tokens.bounds)},
        "tokens": {
            "form": tokens.forms,
            "start": tokens.offset_mapping[:, 0],
            "end": tokens.offset_mapping[:, 1],
        },
        "lexicon": {"form": pa.array(tokens.lexicon, pa.string()), "lower": prepared.lower},
    }
    for name, columns in tables.items():
        _write_table(folder / f"{name}.arrow", pa.table(columns))
    return {"skipped": data.skipped, **({"found": data.found} if data.found else {})}


def _open_text(folder: Path, source: Source) -> PreparedData:
    names = ("paragraphs", "questions", "texts", "tokens", "lexicon")
    paragraphs, questions, texts, tokens, lexicon = (
        _read_table(folder / f"{name}.arrow") for name in names
    )
    counts = texts["token_count"].to_numpy()
    return PreparedData(
        source=str(source),
        titles=paragraphs["title"].combine_chunks(),
        contexts=paragraphs["context"].combine_chunks(),
        ids=questions["id"].combine_chunks(),
        questions=questions["question"].combine_chunks(),
        paragraphs=questions["paragraph"].to_numpy(),
        answer_texts=questions["answer_texts"].combine_chunks(),
        answer_starts=questions["answer_starts"].combine_chunks(),
        start_positions=questions["start_position"].to_numpy(),
        end_positions=questions["end_position"].to_numpy(),
        alignment=questions["alignment"].to_numpy(),
        tokens=Tokens(
            bounds=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            forms=tokens["form"].to_numpy(),
            offset_mapping=np.stack([tokens["start"].to_numpy(), tokens["end"].to_numpy()], 1),
            lexicon=lexicon["form"].to_pylist(),
        ),
        lower=lexicon["lower"].to_numpy(),
        annotation=None,
        vectors=None,
        vectors_found=None,
        skipped=_counts(folder, "skipped", "how many questions were left out"),
        found=_counts(folder, "found", "how many answers were looked up", default={}),
    )


def _counts(
    folder: Path, key: str, what: str, default: dict[str, int] | None = None
) -> dict[str, int]:
    """Return what was counted, from the manifest, which has no checksum itself.

    Raises:
        DataError: It was changed.
    """
    notes = read_manifest(folder).get("notes")
    counts = notes.get(key, default) if isinstance(notes, dict) else None
    if not isinstance(counts, dict) or not all(type(many) is int for many in counts.values()):
        raise DataError(
            f'"{folder / MANIFEST}" does not say {what}',
            hint="It was changed or damaged.",
            next_step=f'Remove the folder "{folder}": its data are then prepared again.',
        )
    return counts


def _annotation(
    root: Path,
    settings: dict[str, Any],
    origin: _Original | PackedPart,
    texts: PreparedData,
    progress: Progress | None,
) -> Annotation:
    def build(folder: Path) -> dict[str, Any]:
        annotation = origin.annotation(
            texts,
            progress=(lambda done, all_: progress("annotation", done, all_)) if progress else None,
        )
        columns = {name: getattr(annotation, name) for name in ANNOTATION_COLUMNS}
        _write_table(folder / "annotation.arrow", pa.table(columns))
        lemmas = pa.table({"lemma": pa.array(annotation.lemma_lexicon, pa.string())})
        _write_table(folder / "lemmas.arrow", lemmas)
        return {}

    folder = cached_folder(root, "annotation", settings, build)
    table = _read_table(folder / "annotation.arrow")
    columns = {
        name: table[name].combine_chunks().to_numpy(zero_copy_only=False)
        for name in ANNOTATION_COLUMNS
    }
    lemmas = _read_table(folder / "lemmas.arrow")["lemma"].to_pylist()
    return Annotation(**columns, lemma_lexicon=lemmas)


def _vectors(
    root: Path,
    settings: dict[str, Any],
    origin: _Original | PackedPart,
    lexicon: list[str],
    progress: Progress | None,
) -> VectorTable:
    def build(folder: Path) -> dict[str, Any]:
        if progress:
            progress("vectors", 0, len(lexicon))
        table = origin.vector_table(lexicon)
        np.save(folder / "vectors.npy", table.vectors)
        np.save(folder / "found.npy", table.found)
        if progress:
            progress("vectors", len(lexicon), len(lexicon))
        return {"sources": list(origin.vectors)}

    folder = cached_folder(root, "vectors", settings, build)
    return VectorTable(
        np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False),
        np.load(folder / "found.npy", allow_pickle=False),
    )


def _write_table(path: Path, table: pa.Table) -> None:
    with path.open("wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())


def _read_table(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
