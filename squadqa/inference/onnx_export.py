"""Writing a trained reader as ONNX, which other programs run without torch.

The file has a reader's scores of starts and ends, and its "no answer" where it may abstain; all
sizes of its inputs but the widths of vectors and matches are free. How text becomes these inputs,
and how the scores become an answer, stands in its metadata under `METADATA`, as JSON; see
docs/examples/onnx_answer.py.

The recurrent layers are written by the plain forms of `squadqa.nn.kernels`, whose loops torch
compiles and so keeps as loops. Scorers are not written: their features are sums over hashes and
trees, which would need most of `squadqa.data.candidates` beside the file.

Letters: B batch, C context tokens, Q question tokens, U distinct word forms, W characters.
"""

import io
import json
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from squadqa.batch import FormBatch, SpanBatch
from squadqa.data.inputs import SpanInputs
from squadqa.data.span_arrays import FORM_FIELDS
from squadqa.errors import ConfigError
from squadqa.files import require_writable_file, write_atomic
from squadqa.inference.run_folder import Run
from squadqa.models.base import SpanReader
from squadqa.nn.kernels.group_maximum import group_maximum

OPSET = 18
"""Version of ONNX's operators: the first that takes the maximum of groups of rows."""

METADATA = "squadqa"
"""Key of the metadata."""

TEXT_FIELDS = (
    "context_ids",
    "question_ids",
    "context_mask",
    "question_mask",
    "context_matches",
    "context_term_frequency",
    "context_tags",
    "context_entities",
)
"""The inputs beside those of word forms, by the names of `SpanBatch`."""

INPUTS = (*FORM_FIELDS, *TEXT_FIELDS)
"""Names of all inputs. A reader's file has those that the reader reads."""

OUTPUTS = ("start_logits", "end_logits", "no_answer_logits")
"""Names of the outputs; the last one of a reader that may abstain."""

FREE_SIZES = {
    "characters": {0: "forms", 1: "characters"},
    "vectors": {0: "forms"},
    "frequent": {0: "forms"},
    **{
        name: {0: "batch", 1: f"{name.partition('_')[0]}_tokens"}
        for name in (*TEXT_FIELDS, *OUTPUTS[:2])
    },
    OUTPUTS[2]: {0: "batch"},
}
"""Names of the sizes that differ from call to call, by their place in an input or output."""


class _Graph(nn.Module):
    """A reader as a function of tensors."""

    def __init__(self, reader: SpanReader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, characters: Tensor, vectors: Tensor, frequent: Tensor, *texts: Tensor) -> Any:
        """Score starts and ends; the arguments are `INPUTS`."""
        # Each form is a group of its own. What is made of groups has a size that the exporter does
        # not believe to know: others it would take from the example, for all texts.
        rows = torch.arange(vectors.shape[0], device=vectors.device)
        vectors = group_maximum(vectors, rows, vectors.shape[0])
        unknown = torch.full_like(texts[0][:, 0], -1)
        output = self.reader(
            SpanBatch(
                index=unknown,
                forms=FormBatch(characters, vectors, frequent),
                start_positions=unknown,
                end_positions=unknown,
                **dict(zip(TEXT_FIELDS, texts, strict=True)),
            )
        )
        logits = (output.start_logits, output.end_logits, output.no_answer_logits)
        return tuple(one for one in logits if one is not None)


def export_onnx(run: Run, path: Path) -> None:
    """Write a run's reader as ONNX.

    Args:
        run: The run.
        path: The file; it is replaced if it exists.

    Raises:
        ConfigError: The model is no reader, or the package onnx is not installed.
        CheckpointError: The weights do not fit.
        OutputError: The file cannot be written.
    """
    require_reader(run)
    require_writable_file(path)
    assert isinstance(run.model, SpanReader)
    content = onnx_of(run.model, description(run), vector_size=run.inputs.sizes.vector_size)
    with write_atomic(path, mode="wb") as file:
        file.write(content)


def require_reader(run: Run) -> None:
    """Check that a run can be written as ONNX.

    Raises:
        ConfigError: Its model is no reader, or the package onnx is not installed.
    """
    made = run.make_model.func
    if not (isinstance(made, type) and issubclass(made, SpanReader)):
        raise ConfigError(
            f'"{run.folder}" cannot be written as ONNX: its "{made.__name__}" is a scorer',
            hint="A scorer's features are sums over trees and hashes, which ONNX cannot make.",
            next_step="Name the run of a reader.",
        )
    with suppress(ImportError):
        import onnx  # noqa: F401

        return
    raise ConfigError(
        "writing ONNX needs the package onnx, which is not installed",
        next_step='Install it: pip install "squadqa[exports]"',
    )


def description(run: Run) -> dict[str, Any]:
    """Return what a program needs beside the graph: how text is read, and answers are chosen."""
    inputs, reader = run.inputs, run.model
    assert isinstance(inputs, SpanInputs) and isinstance(reader, SpanReader)
    calibration = run.checkpoint.calibration
    return {
        "reader": type(reader).__name__,
        "language": inputs.language,
        "pipeline": inputs.pipeline,
        "parse": inputs.parse,
        "vectors": inputs.vectors,
        "max_characters": inputs.max_characters,
        "frequent": inputs.frequent[: inputs.sizes.tuned_words],
        "max_span_length": reader.max_span_length,
        "temperature": calibration.temperature,
        "threshold": calibration.threshold if inputs.abstains else None,
    }


def onnx_of(reader: SpanReader, described: dict[str, Any], *, vector_size: int) -> bytes:
    """Return a reader as the bytes of an ONNX file.

    Args:
        reader: The reader; left in evaluation mode on the CPU.
        described: The metadata, as `description` makes it.
        vector_size: Width of the word vectors.
    """
    import onnx

    graph = _Graph(reader.cpu()).eval()
    example = _example(vector_size)
    file = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        # The exporter warns that it is the older one, and of LSTMs, whose first state is 0 here.
        outputs = OUTPUTS[: len(graph(*example))]
        torch.onnx.export(
            graph,
            example,
            file,  # type: ignore[arg-type]  # any file works with dynamo=False
            dynamo=False,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=list(outputs),
            dynamic_axes={name: FREE_SIZES[name] for name in (*INPUTS, *outputs)},
        )
    model = onnx.load_from_string(file.getvalue())
    onnx.helper.set_model_props(model, {METADATA: json.dumps(described, ensure_ascii=False)})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _example(vector_size: int) -> tuple[Tensor, ...]:
    """Make two short questions, whose sizes all differ from each other."""
    batch, context, question, forms, characters = 2, 7, 5, 11, 4
    ids = torch.arange(batch * context).view(batch, context) % (forms - 1) + 1
    context_ids, question_ids = ids, ids[:, :question]
    zeros = torch.zeros(batch, context)
    example = {
        "characters": torch.full((forms, characters), ord("a")),
        "vectors": torch.zeros(forms, vector_size),
        "frequent": torch.zeros(forms, dtype=torch.int64),
        "context_ids": context_ids,
        "question_ids": question_ids,
        "context_mask": context_ids > 0,
        "question_mask": question_ids > 0,
        "context_matches": torch.zeros(batch, context, 3),
        "context_term_frequency": zeros,
        "context_tags": zeros.long(),
        "context_entities": zeros.long(),
    }
    return tuple(example[name] for name in INPUTS)
