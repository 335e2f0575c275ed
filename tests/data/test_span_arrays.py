"""Questions as arrays: they are the tensors of a batch, and need no torch."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from squadqa.data.dataset import SpanDataset
from squadqa.data.span_arrays import FORM_FIELDS, SpanArrays
from squadqa.errors import DataError
from tests.support import tiny

DATA = tiny.prepared(vector_size=6)
FREQUENT = ["the", "?", "Ida"]


def test_they_are_those_of_a_batch() -> None:
    rows = np.array([5, 0, 3])
    arrays = SpanArrays(DATA, frequent=FREQUENT).of_questions(rows)
    batch = SpanDataset(DATA, frequent=FREQUENT).collate(rows.tolist())
    for name, array in arrays.items():
        tensor = getattr(batch.forms if name in FORM_FIELDS else batch, name)
        assert np.array_equal(tensor.numpy(), array), name


def test_words_without_vectors() -> None:
    with pytest.raises(DataError, match="without word vectors"):
        SpanArrays(replace(DATA, vectors=None))


def test_no_torch_is_imported() -> None:
    code = "import sys; sys.modules['torch'] = None; import squadqa.data.span_arrays"
    subprocess.run([sys.executable, "-c", code], check=True)
