"""From a source to arrays: tokens, lexicon, annotation and vectors, each made once and cached.

A prepared source is three cache entries, each a folder of Arrow files (vectors: .npy) with a
manifest: `text` (paragraphs, questions, tokens, lexicon), `annotation` (rows beside the tokens)
and `vectors` (rows beside the lexicon). Opening them maps the files into memory; nothing is parsed.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from squadqa.data.alignment import Alignment, align
from squadqa.data.annotation import (
    ANNOTATION_COLUMNS,
    Annotation,
    annotate,
    pipeline_fingerprint,
)
from squadqa.data.cache import cached_folder, read_manifest
from squadqa.data.squad import BadAnswers, Source, SquadData, content_digest, read_squad
from squadqa.data.tokenization import Tokens, tokenize, tokenizer_fingerprint

FORMAT = 1
"""Version of the files below; raise it when they change."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def default_cache_dir() -> Path:
    """Give the cache folder: `SQUADQA_CACHE_DIR`, or `data/cache` in the working folder."""
    return Path(os.environ.get("SQUADQA_CACHE_DIR", "data/cache"))


@dataclass(frozen=True)
class PreparedData:
    """A source's paragraphs (P), questions (N), tokens (T) and distinct word forms (U).

    Texts are numbered through: text p is paragraph p, text P + n is question n.

    Args:
        source: Where it came from, for messages.
        titles: (P,) article of each paragraph.
        contexts: (P,) text of each paragraph.
        ids: (N,) identifier of each question.
        questions: (N,) text of each question.
        paragraphs: (N,) paragraph of each question.
        answer_texts: (N,) lists of references.
        answer_starts: (N,) lists of their first characters.
        start_positions: (N,) first token of the first reference in its context; -1 if none.
        end_positions: (N,) last token of it, inclusive; -1 if none.
        alignment: (N,) `Alignment` of the first reference.
        tokens: Tokens of all P + N texts.
        lower: (U,) number of each form's lower-cased form, the same for equal ones.
        annotation: Rows beside `tokens`, where asked for.
        vectors: (U, E) rows beside the lexicon, where asked for.
        vectors_found: (U, S) whether each of the S vector sources knows the form.
        skipped: Questions left out, by reason.
    """

    source: str
    titles: pa.Array
    contexts: pa.Array
    ids: pa.Array
    questions: pa.Array
    paragraphs: NDArray[np.int32]
    answer_texts: pa.Array
    answer_starts: pa.Array
    start_positions: NDArray[np.int32]
    end_positions: NDArray[np.int32]
    alignment: NDArray[np.uint8]
    tokens: Tokens
    lower: NDArray[np.int32]
    annotation: Annotation | None
    vectors: NDArray[np.float32] | None
    vectors_found: NDArray[np.bool_] | None
    skipped: dict[str, int]

    @property
    def references(self) -> dict[str, list[str]]:
        """Reference answers by question id."""
        return dict(zip(self.ids.to_pylist(), self.answer_texts.to_pylist(), strict=True))


def prepare(
    source: Source,
    *,
    cache_dir: str | Path | None = None,
    bad_answers: BadAnswers = "keep",
    pipeline: str | None = None,
    vectors: Sequence[str] = (),
    workers: int = 0,
    progress: Progress | None = None,
) -> PreparedData:
    """Open a source's prepared form, making what is not in the cache yet.

    Args:
        source: A file or data set.
        cache_dir: The cache folder; None takes `default_cache_dir()`.
        bad_answers: What to do with a question without usable answers.
        pipeline: spaCy pipeline that annotates; None leaves annotation out.
        vectors: Sources of word vectors, side by side; none leaves vectors out.
        workers: Processes that annotate; 0 takes one for each core.
        progress: Called now and then.

    Raises:
        DataError: The source is not SQuAD v1.1.
        VectorsError: A vector source cannot be read.
        ConfigError: The pipeline is not installed.
        OutputError: The cache folder cannot be written.
    """
    root = Path(cache_dir) if cache_dir is not None else default_cache_dir()
    text_settings = {
        "format": FORMAT,
        "content": content_digest(source),
        "suffix": "".join(Path(source.name).suffixes[-2:]) if source.path else "",
        "bad_answers": bad_answers,
        "tokenizer": tokenizer_fingerprint(),
    }
    text = cached_folder(
        root,
        "text",
        text_settings,
        lambda folder: _build_text(folder, read_squad(source, bad_answers=bad_answers), progress),
    )
    opened = _open_text(text)
    return PreparedData(
        source=str(source),
        **opened,
        annotation=_annotation(root, text_settings, opened, pipeline, workers, progress),
        **_vectors(root, text_settings, opened["tokens"].lexicon, vectors, progress),
    )


def prepare_data(
    data: SquadData,
    *,
    pipeline: str | None = None,
    vectors: Sequence[str] = (),
) -> PreparedData:
    """Prepare questions that are already in memory, without the cache.

    Args:
        data: Paragraphs and questions.
        pipeline: spaCy pipeline that annotates, in this process; None leaves annotation out.
        vectors: Sources of word vectors, side by side; none leaves vectors out.

    Raises:
        VectorsError: A vector source cannot be read.
        ConfigError: The pipeline is not installed.
    """
    from squadqa.data.vectors import lookup

    tables = _text_tables(data)
    opened = _from_tables(tables, data.skipped)
    tokens = opened["tokens"]
    texts = [*data.contexts, *data.questions]
    table = lookup(vectors, tokens.lexicon) if vectors else None
    return PreparedData(
        source="",
        **opened,
        annotation=annotate(texts, tokens, pipeline=pipeline, workers=1) if pipeline else None,
        vectors=table.vectors if table else None,
        vectors_found=table.found if table else None,
    )


def _text_tables(data: SquadData, progress: Progress | None = None) -> dict[str, pa.Table]:
    texts = [*data.contexts, *data.questions]
    if progress:
        progress("tokens", 0, len(texts))
    tokens = tokenize(texts)
    if progress:
        progress("tokens", len(texts), len(texts))
    start, end, kind = _gold_spans(data, tokens)
    lower_forms = [form.lower() for form in tokens.lexicon]
    _, lower = np.unique(np.array(lower_forms, dtype=object), return_inverse=True)
    return {
        "paragraphs": pa.table({"title": data.titles, "context": data.contexts}),
        "questions": pa.table(
            {
                "id": data.ids,
                "question": data.questions,
                "paragraph": pa.array(data.paragraphs, pa.int32()),
                "answer_texts": pa.array(data.answer_texts, pa.list_(pa.string())),
                "answer_starts": pa.array(data.answer_starts, pa.list_(pa.int32())),
                "start_position": start,
                "end_position": end,
                "alignment": kind,
            }
        ),
        "texts": pa.table({"token_count": np.diff(tokens.bounds)}),
        "tokens": pa.table(
            {
                "form": tokens.forms,
                "start": tokens.offset_mapping[:, 0],
                "end": tokens.offset_mapping[:, 1],
            }
        ),
        "lexicon": pa.table(
            {"form": pa.array(tokens.lexicon, pa.string()), "lower": lower.astype(np.int32)}
        ),
    }


def _gold_spans(
    data: SquadData, tokens: Tokens
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    count = len(data.ids)
    start, end = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    kind = np.full(count, Alignment.NONE, np.uint8)
    for index, paragraph in enumerate(data.paragraphs):
        if not data.answer_texts[index]:
            continue
        first, text = data.answer_starts[index][0], data.answer_texts[index][0]
        if first < 0 or data.contexts[paragraph][first : first + len(text)] != text:
            continue
        offsets = tokens.offset_mapping[tokens.bounds[paragraph] : tokens.bounds[paragraph + 1]]
        begins, ends = np.array([first]), np.array([first + len(text)])
        begin, last, alignment = align(offsets, begins, ends)
        start[index], end[index], kind[index] = begin[0], last[0], alignment[0]
    return start, end, kind


def _build_text(folder: Path, data: SquadData, progress: Progress | None) -> dict[str, Any]:
    for name, table in _text_tables(data, progress).items():
        _write_table(folder / f"{name}.arrow", table)
    return {"skipped": data.skipped}


def _open_text(folder: Path) -> dict[str, Any]:
    names = ("paragraphs", "questions", "texts", "tokens", "lexicon")
    tables = {name: _read_table(folder / f"{name}.arrow") for name in names}
    return _from_tables(tables, read_manifest(folder)["notes"]["skipped"])


def _from_tables(tables: dict[str, pa.Table], skipped: dict[str, int]) -> dict[str, Any]:
    paragraphs, questions = tables["paragraphs"], tables["questions"]
    tokens, lexicon = tables["tokens"], tables["lexicon"]
    counts = tables["texts"]["token_count"].to_numpy()
    return {
        "titles": paragraphs["title"].combine_chunks(),
        "contexts": paragraphs["context"].combine_chunks(),
        "ids": questions["id"].combine_chunks(),
        "questions": questions["question"].combine_chunks(),
        "paragraphs": questions["paragraph"].to_numpy(),
        "answer_texts": questions["answer_texts"].combine_chunks(),
        "answer_starts": questions["answer_starts"].combine_chunks(),
        "start_positions": questions["start_position"].to_numpy(),
        "end_positions": questions["end_position"].to_numpy(),
        "alignment": questions["alignment"].to_numpy(),
        "tokens": Tokens(
            bounds=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            forms=tokens["form"].to_numpy(),
            offset_mapping=np.stack([tokens["start"].to_numpy(), tokens["end"].to_numpy()], 1),
            lexicon=lexicon["form"].to_pylist(),
        ),
        "lower": lexicon["lower"].to_numpy(),
        "skipped": skipped,
    }


def _annotation(
    root: Path,
    text_settings: dict[str, Any],
    opened: dict[str, Any],
    pipeline: str | None,
    workers: int,
    progress: Progress | None,
) -> Annotation | None:
    if pipeline is None:
        return None

    def build(folder: Path) -> dict[str, Any]:
        annotation = annotate(
            opened["contexts"].to_pylist() + opened["questions"].to_pylist(),
            opened["tokens"],
            pipeline=pipeline,
            workers=workers,
            progress=(lambda done, all_: progress("annotation", done, all_)) if progress else None,
        )
        columns = {name: getattr(annotation, name) for name in ANNOTATION_COLUMNS}
        _write_table(folder / "annotation.arrow", pa.table(columns))
        lemmas = pa.table({"lemma": pa.array(annotation.lemma_lexicon, pa.string())})
        _write_table(folder / "lemmas.arrow", lemmas)
        return {}

    settings = {"text": text_settings, "pipeline": pipeline_fingerprint(pipeline)}
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
    text_settings: dict[str, Any],
    lexicon: list[str],
    sources: Sequence[str],
    progress: Progress | None,
) -> dict[str, Any]:
    if not sources:
        return {"vectors": None, "vectors_found": None}
    from squadqa.data.vectors import fingerprint, lookup

    def build(folder: Path) -> dict[str, Any]:
        if progress:
            progress("vectors", 0, len(lexicon))
        table = lookup(sources, lexicon)
        np.save(folder / "vectors.npy", table.vectors)
        np.save(folder / "found.npy", table.found)
        if progress:
            progress("vectors", len(lexicon), len(lexicon))
        return {"sources": list(sources)}

    settings = {"text": text_settings, "vectors": fingerprint(sources)}
    folder = cached_folder(root, "vectors", settings, build)
    return {
        "vectors": np.load(folder / "vectors.npy", mmap_mode="r"),
        "vectors_found": np.load(folder / "found.npy"),
    }


def _write_table(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())


def _read_table(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
