"""Readers as ONNX: the same scores for texts of any length, and only readers are written."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from squadqa.batch import FormBatch, Sizes, SpanBatch
from squadqa.data.span_arrays import FORM_FIELDS
from squadqa.inference.onnx_export import TEXT_FIELDS, onnx_of
from squadqa.models import BiLSTMReader, SpanReader
from squadqa.nn import char_cnn
from tests.models.readers.test_all_readers import EVERY_READER, SIZES

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

FAMILIES = ["bidaf", "bilstm", "dcn", "drqa", "house", "match-lstm", "rnet", "rnet-paper"]
"""A reader of each class; R-Net's two attentions are two kernels."""

CHAR_CNNS = {name: getattr(char_cnn, name) for name in char_cnn.__all__ if name not in ("CharCNN",)}


def draw(rng: np.random.Generator, *, questions: int, length: int, asked: int) -> dict[str, Any]:
    """Draw what a reader reads: contexts of at most `length` tokens, of which one has so many."""
    forms, width = length // 2 + 3, 9
    characters = rng.integers(1, 300, (forms, width))
    characters[np.arange(width) >= rng.integers(1, width + 1, (forms, 1))] = 0
    characters[0] = 0
    vectors = rng.normal(size=(forms, SIZES.vector_size)).astype(np.float32)
    vectors[0] = 0

    def texts(longest: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        lengths = rng.integers(1, longest + 1, questions)
        lengths[0] = longest
        mask = np.arange(longest) < lengths[:, None]
        return rng.integers(1, forms, mask.shape) * mask, mask

    context_ids, context_mask = texts(length)
    question_ids, question_mask = texts(asked)
    matches = rng.random((*context_mask.shape, 3)) < 0.2
    shares = rng.random(context_mask.shape).astype(np.float32)
    return {
        "characters": characters,
        "vectors": vectors,
        "frequent": rng.integers(0, 5, forms) * (np.arange(forms) > 0),
        "context_ids": context_ids,
        "question_ids": question_ids,
        "context_mask": context_mask,
        "question_mask": question_mask,
        "context_matches": (matches & context_mask[:, :, None]).astype(np.float32),
        "context_term_frequency": shares * context_mask,
        "context_tags": rng.integers(0, 50, context_mask.shape) * context_mask,
        "context_entities": rng.integers(0, 19, context_mask.shape) * context_mask,
    }


def to_batch(drawn: dict[str, Any]) -> SpanBatch:
    tensors = {name: torch.from_numpy(array) for name, array in drawn.items()}
    unknown = torch.full((len(drawn["context_ids"]),), -1)
    return SpanBatch(
        index=unknown,
        forms=FormBatch(**{name: tensors[name] for name in FORM_FIELDS}),
        start_positions=unknown,
        end_positions=unknown,
        **{name: tensors[name] for name in TEXT_FIELDS},
    )


def differences(
    make: Callable[[Sizes], SpanReader], sizes: Sizes, *, lengths: list[int]
) -> Iterator[float]:
    """Yield how far the scores of ONNX are from torch's, for each shape of a batch."""
    torch.manual_seed(1)
    reader = make(sizes).eval()
    content = onnx_of(reader, {}, vector_size=sizes.vector_size)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options)
    rng = np.random.default_rng(1)
    for length in lengths:
        for questions, asked in ((1, 1), (5, 12)):
            drawn = draw(rng, questions=questions, length=length, asked=asked)
            scored = session.run(None, {one.name: drawn[one.name] for one in session.get_inputs()})
            with torch.inference_mode():
                output = reader(to_batch(drawn))
            expected = [output.start_logits, output.end_logits]
            mask = drawn["context_mask"]
            for ours, theirs in zip(expected, scored, strict=False):
                yield float(np.abs(ours.numpy() - theirs)[mask].max())
            assert len(scored) == (3 if sizes.abstains else 2)
            if output.no_answer_logits is not None:
                yield float(np.abs(output.no_answer_logits.numpy() - scored[2]).max())


@pytest.mark.parametrize("name", FAMILIES)
def test_equal_scores(name: str) -> None:
    assert max(differences(EVERY_READER[name], SIZES, lengths=[1, 17])) < 1e-4


def test_equal_scores_of_no_answer() -> None:
    sizes = replace(SIZES, abstains=True)
    assert max(differences(EVERY_READER["bilstm"], sizes, lengths=[1, 17])) < 1e-4


@pytest.mark.slow(seconds=300)
@pytest.mark.parametrize("name", EVERY_READER)
def test_equal_scores_of_long_texts(name: str) -> None:
    assert max(differences(EVERY_READER[name], SIZES, lengths=[1, 17, 150, 700])) < 1e-4


@pytest.mark.parametrize("name", CHAR_CNNS)
def test_every_char_cnn(name: str) -> None:
    def make(sizes: Sizes) -> SpanReader:
        return BiLSTMReader(sizes, char_cnn=CHAR_CNNS[name](), hidden_size=4, num_layers=1)

    assert max(differences(make, SIZES, lengths=[9])) < 1e-4
