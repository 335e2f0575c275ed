"""Sources of word vectors that stay open, for texts that arrive one after another."""

from collections.abc import Sequence
from functools import cached_property

from squadqa.data.vectors.sources import parse_source
from squadqa.data.vectors.table import VectorTable, side_by_side, spellings
from squadqa.data.vectors.word_rows import WordRows


class VectorStore:
    """Sources that are opened once, at the first look-up; later ones take microseconds per word.

    An index of all words stays in memory. The rows of the GloVe package and of text and binary
    files stay on disk. The table of a spaCy pipeline is in memory, and so are all
    rows (as float32) of a compressed file (.gz, which includes every `gensim:NAME`), since single
    rows cannot be read from it. Unpack a large file to keep its rows on disk.

    If a file is replaced later, the new one is not read. Do not change a file in place while it is
    open.

    Args:
        sources: Their names, in the order of the columns; see `squadqa.data.vectors`.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        self.sources = tuple(sources)

    @cached_property
    def _opened(self) -> list[WordRows]:
        return [parse_source(source).open() for source in self.sources]

    def lookup(self, forms: Sequence[str]) -> VectorTable:
        """Look up word forms; the result is exactly that of `squadqa.data.vectors.lookup`.

        Args:
            forms: The U distinct word forms.

        Raises:
            VectorsError: A source cannot be found, or is not what it should be.
        """
        return side_by_side(self._opened, [spellings(form) for form in forms])
