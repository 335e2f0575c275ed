"""Vectors that gensim saved as a .kv file, opened without running code from the pickle."""

import pickle
from pathlib import Path
from typing import IO, Any

from squadqa.data.vectors.word_rows import WordRows, reading
from squadqa.errors import VectorsError

SAFE_CLASSES = {
    ("gensim.models.keyedvectors", "KeyedVectors"),
    ("gensim.models.keyedvectors", "Word2VecKeyedVectors"),  # its name in gensim 3
    ("gensim.models.keyedvectors", "Vocab"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


def open_keyed_vectors(path: Path) -> WordRows:
    """Open saved KeyedVectors; an array that gensim stored next to them is mapped into memory.

    Args:
        path: The .kv file.

    Raises:
        VectorsError: The file cannot be read, or is not a saved KeyedVectors.
    """
    from gensim.models import KeyedVectors

    with reading(path):
        with open(path, "rb") as file:
            _SafeUnpickler(file, path).load()
        keyed = KeyedVectors.load(str(path), mmap="r")
        return WordRows(keyed.key_to_index.get, keyed.vectors)


def files_of(path: Path) -> tuple[Path, ...]:
    """List a .kv file and the array that gensim stores next to a large one."""
    array = path.with_name(f"{path.name}.vectors.npy")
    return (path, array) if array.is_file() else (path,)


class _SafeUnpickler(pickle.Unpickler):
    """A trial reader of a pickle that refuses all classes except those of saved KeyedVectors.

    Unpickling may run any code; once this has passed, gensim may open the file.

    Args:
        file: The pickle.
        path: Its name, for messages.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file)
        self.path = path

    def find_class(self, module: str, name: str) -> Any:
        """Look up a class that is one of `SAFE_CLASSES`.

        Raises:
            VectorsError: It is another class.
        """
        if (module, name) not in SAFE_CLASSES:
            raise VectorsError(
                f'"{self.path}" is not a saved KeyedVectors: it asks for {module}.{name}',
                hint="A .kv file is a pickle, which could run code, so no other class is loaded.",
                next_step="Save a model's vectors with `model.wv.save(...)`, or in word2vec's"
                " format.",
            )
        return super().find_class(module, name)
