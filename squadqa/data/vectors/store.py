"""Sources of word vectors that stay open, for texts that come one after another."""

from collections.abc import Sequence
from functools import cached_property

from squadqa.data.vectors.sources import parse_source
from squadqa.data.vectors.table import VectorTable, side_by_side, spellings
from squadqa.data.vectors.word_rows import WordRows


class VectorStore:
    """Sources that are read once, at the first look-up; every later one costs microseconds a word.

    What stays in memory, beside an index of all words: of the GloVe package, of text and binary
    files and of large .kv files nothing, as their rows stay on disk; of a spaCy pipeline its table;
    of a packed file (.gz, thus of every `gensim:NAME`), in which no row can be found again, all of
    its rows as float32. Unpack a large file to keep it on disk.

    A file that is replaced later is not read again. Do not change one in place while it is open.

    Args:
        sources: Their names, in the order of the columns; see `squadqa.data.vectors`.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        self.sources = tuple(sources)

    @cached_property
    def _opened(self) -> list[WordRows]:
        return [parse_source(source).open() for source in self.sources]

    def lookup(self, forms: Sequence[str]) -> VectorTable:
        """Give what `squadqa.data.vectors.lookup` gives of these sources, bit for bit.

        Args:
            forms: The U distinct word forms.

        Raises:
            VectorsError: A source cannot be found, or is not what it should be.
        """
        return side_by_side(self._opened, [spellings(form) for form in forms])
