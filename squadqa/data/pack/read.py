"""Reading a part of a pack: its questions, tokens, annotation and word vectors."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from squadqa.data.annotation import Annotation
from squadqa.data.languages import ENGLISH
from squadqa.data.pack.archive import Archive
from squadqa.data.pack.columns import FLAGS, LABELS, annotation_of, tokens_of
from squadqa.data.pack.manifest import Notes, PartNotes, read_notes
from squadqa.data.pack.tables import names_of, rows_of
from squadqa.data.pipelines import is_official, pipeline_content
from squadqa.data.prepared import PreparedData
from squadqa.data.squad import BadAnswers, Source, SquadData, Unanswerable, read_squad
from squadqa.data.tokenization import Tokens
from squadqa.data.vectors import VectorTable, fingerprint
from squadqa.errors import ConfigError, DataError, VectorsError

Made = TypeVar("Made")

TOKEN_COLUMNS = ("token_counts", "token_gaps", "token_lengths")
ANNOTATION_COLUMNS = (
    *(*LABELS, *FLAGS, "heads"),
    *("lemma_codes", "lemma_choices", "lemmas_are_forms"),
)


class PackedPart:
    """A part of a pack, for a configuration that wants some of what it holds.

    Annotation with a parse serves configurations without one too: then no entity crosses the start
    of a sentence, which those allow.

    Args:
        source: The part.
        bad_answers: What the configuration does with questions without usable answers.
        unanswerable: What it does with questions without any answers.
        language: The texts' language, by spaCy's code.
        pipeline: The spaCy pipeline that it names; None wants no annotation.
        parse: Whether it wants a parse too.
        vectors: The sources of word vectors that it names, in order: some of the pack's, or none.

    Raises:
        DataError: The pack is damaged, or does not hold what is to be done with bad answers.
        ConfigError: It is in another language, or annotated by another pipeline, or not at all.
        VectorsError: It lacks one of the sources of word vectors.
    """

    def __init__(
        self,
        source: Source,
        *,
        bad_answers: BadAnswers,
        unanswerable: Unanswerable = "error",
        language: str = ENGLISH,
        pipeline: str | None,
        parse: bool,
        vectors: Sequence[str],
    ) -> None:
        assert source.path is not None and source.part is not None
        self.source = source
        self.part = source.part
        self.archive = Archive(source.path)
        self.notes = read_notes(self.archive)
        self.vectors = list(vectors)
        self._require_answers(self.notes.parts[self.part], bad_answers, unanswerable)
        self._require_language(language)
        if pipeline is not None:
            self._require_pipeline(pipeline, parse)
        self._numbers = [self._number_of(name) for name in vectors]

    def questions(self) -> SquadData:
        """Read the paragraphs and questions.

        Raises:
            DataError: The pack is damaged.
        """
        data = read_squad(self.source)
        data.skipped = dict(self.notes.parts[self.part].skipped)
        return data

    def tokens(self, texts: Sequence[str]) -> Tokens:
        """Read the tokens of the paragraphs and questions.

        Args:
            texts: The paragraphs, then the questions.

        Raises:
            DataError: The pack is damaged.
        """
        columns = {name: self.archive.array(f"{self.part}/{name}") for name in TOKEN_COLUMNS}
        return self._checked(lambda: tokens_of(columns, texts))

    def annotation_fingerprint(self) -> dict[str, Any]:
        """Return what the pack says of the pipeline that annotated it."""
        assert self.notes.annotation is not None
        return asdict(self.notes.annotation)

    def annotation(
        self, texts: PreparedData, progress: Callable[[int, int], None] | None = None
    ) -> Annotation:
        """Read the annotation of the part's tokens.

        Args:
            texts: The part's texts with their tokens.
            progress: Called before and after with the number of tokens done and of all tokens.

        Raises:
            DataError: The pack is damaged.
        """
        tokens = texts.tokens
        if progress:
            progress(0, len(tokens.forms))
        columns = {name: self.archive.array(f"{self.part}/{name}") for name in ANNOTATION_COLUMNS}
        lemmas = self.archive.json(f"{self.part}/lemmas")
        if not isinstance(lemmas, list) or not all(isinstance(one, str) for one in lemmas):
            raise self.archive.damaged("its lemmas are no list of texts")
        annotation = self._checked(lambda: annotation_of(columns, lemmas, tokens))
        if progress:
            progress(len(tokens.forms), len(tokens.forms))
        return annotation

    def vectors_fingerprint(self) -> list[str]:
        """Return what the pack says of the sources of word vectors, in the asked order."""
        return [self.notes.vectors[number].fingerprint for number in self._numbers]

    def vector_table(self, lexicon: Sequence[str]) -> VectorTable:
        """Read the word vectors of the part's lexicon.

        Raises:
            DataError: The pack is damaged.
        """
        tables, found = [], []
        for number in self._numbers:
            rows, places = self._rows(number), self._places(number)
            if len(places) != len(lexicon) or places.max(initial=0) > len(rows):
                raise self.archive.damaged("its word vectors do not fit its word forms")
            table = np.zeros((len(lexicon), rows.shape[1]), np.float32)
            table[places > 0] = rows[places[places > 0] - 1]
            tables.append(table)
            found.append(places > 0)
        return VectorTable(np.concatenate(tables, axis=1), np.stack(found, axis=1))

    def _rows(self, number: int) -> NDArray[np.float32]:
        stored = self.notes.vectors[number].stored
        columns = {
            name: self.archive.array(f"vectors/{number}/{name}", ndim=2)
            for name in names_of(stored)
        }
        return self._checked(lambda: rows_of(columns, stored))

    def _places(self, number: int) -> NDArray[np.int64]:
        places = self.archive.array(f"{self.part}/vectors/{number}")
        if places.dtype.kind != "u":
            raise self.archive.damaged("its word vectors have no numbers")
        return places.astype(np.int64)

    def _checked(self, make: Callable[[], Made]) -> Made:
        try:
            return make()
        except (ValueError, IndexError, OverflowError, MemoryError) as error:
            raise self.archive.damaged(f'in "{self.part}", {error}') from error

    def _require_answers(
        self, notes: PartNotes, asked: BadAnswers, unanswerable: Unanswerable
    ) -> None:
        """Check that reading the original with other values would give the same questions."""
        left_out = sum(notes.skipped.values())
        without, packed_without = (
            answers if none == "error" else none
            for answers, none in ((asked, unanswerable), (notes.bad_answers, notes.unanswerable))
        )
        is_same = (asked, without) == (notes.bad_answers, packed_without)
        if is_same or not left_out + notes.unusable:
            return
        has = (
            f"was packed without {left_out:,} questions that have no usable answers"
            if left_out
            else f"holds {notes.unusable:,} questions without usable answers"
        )
        raise DataError(
            f'"{self.source}" {has}, and bad_answers is "{asked}"'
            + (f', unanswerable "{unanswerable}"' if without != packed_without else ""),
            next_step=f"Set --data.bad_answers {notes.bad_answers} and --data.unanswerable "
            f"{notes.unanswerable}, or make the pack again with --bad-answers {asked} "
            f"--unanswerable {unanswerable}.",
        )

    def _require_language(self, language: str) -> None:
        if language != self.notes.language:
            raise ConfigError(
                f'"{self.source}" is tokenized as "{self.notes.language}", not as "{language}"',
                next_step=f"Set --data.inputs.init_args.language {self.notes.language}, or make a "
                f"pack with --language {language}.",
            )

    def _require_pipeline(self, name: str, parse: bool) -> None:
        notes = self.notes.annotation
        if notes is None or notes.pipeline != name:
            raise ConfigError(
                f'"{self.source}" is not annotated by "{name}"',
                hint=f"The pack holds {self.notes.inputs}.",
                next_step="Set --data.inputs.init_args.pipeline to what it holds (null for none), "
                f"or make a pack with --pipeline {name}.",
            )
        if parse and not notes.parse:
            raise ConfigError(
                f'"{self.source}" was annotated without a parse',
                hint="A baseline reads the parse; for a reader, "
                "--data.inputs.init_args.parse false leaves it out.",
                next_step="Leave it out, or make a pack without --no-parse.",
            )
        if not is_official(name) and Path(name).is_dir():
            content = pipeline_content(Path(name))
            if content not in notes.fingerprint:
                raise ConfigError(
                    f'the pipeline "{name}" is not the one that annotated "{self.source}"',
                    hint="It has the same name, but another content.",
                    next_step="Put back the other one, or make the pack again.",
                )

    def _number_of(self, name: str) -> int:
        """The place of a source of word vectors in the pack."""
        for number, notes in enumerate(self.notes.vectors):
            if notes.source != name:
                continue
            if Path(name).is_file() and fingerprint([name]) != notes.fingerprint:
                raise VectorsError(
                    f'the word vectors "{name}" are not those of "{self.source}"',
                    hint="The file has the same name, but another content.",
                    next_step="Put back the other file, or make the pack again.",
                )
            return number
        raise VectorsError(
            f'"{self.source}" holds no word vectors "{name}"',
            hint=f"The pack holds {self.notes.inputs}.",
            next_step="Set --data.inputs.init_args.vectors to what it holds, or make a pack with "
            f"--vectors {name}.",
        )


def notes_of(path: Path) -> Notes:
    """Return what a pack says of itself.

    Args:
        path: The file.

    Raises:
        DataError: It cannot be read, or is no pack, or is damaged.
    """
    return read_notes(Archive(path))
