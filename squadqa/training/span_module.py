"""Training of readers that point at a start and an end."""

from collections.abc import Callable
from typing import Any, cast

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor

from squadqa.batch import SpanBatch
from squadqa.data.inputs import SpanInputs
from squadqa.errors import ConfigError
from squadqa.models.base import SpanReader
from squadqa.models.token_encoder import TokenEncoder
from squadqa.nn.decoding import best_spans
from squadqa.training.module import QAModule, adamax
from squadqa.training.parts import parts
from squadqa.training.schedule import Decay


class SpanModule(QAModule):
    """Trains a reader on the first answer's span; evaluates its most probable span.

    Args:
        reader: The reader, without the width of its word vectors: that comes from the data.
        optimizer: Makes the optimiser from parameters.
        decay: How the learning rate falls over the training (see `QAModule`).
        max_span_length: Longest answer to predict, in tokens.
        **options: Of `QAModule`: warm-up, plateau, average of weights, word dropout.
    """

    inputs_type = SpanInputs
    mixes_on_cpu = False

    def __init__(
        self,
        reader: Callable[[int], SpanReader],
        *,
        optimizer: OptimizerCallable = adamax,
        decay: Decay = "linear",
        max_span_length: int = 17,
        **options: Any,
    ) -> None:
        super().__init__(optimizer=optimizer, decay=decay, **options)
        self.make_reader = reader
        self.max_span_length = max_span_length

    @property
    def reader(self) -> SpanReader:
        """The reader that is trained; while evaluating, with averaged weights if they are kept."""
        return cast(SpanReader, self.active)

    def make_model(self, sizes: dict[str, int]) -> SpanReader:
        """Build the reader for word vectors of the data's width.

        Raises:
            ConfigError: It is to tune more words than the data counts.
        """
        reader = self.make_reader(sizes["vector_size"])
        tuned, known = _tuned_words(reader), sizes["tuned_words"]
        if tuned > known:
            raise ConfigError(
                f"the reader cannot tune {tuned:,} words: data.inputs.tuned_words is {known:,}",
                next_step="Raise that, or lower model.reader.tuned_words.",
            )
        return reader

    def losses(self, batch: SpanBatch) -> Tensor:
        """Give the (B,) losses of a batch's questions in nats."""
        read = [(rows, self.reader.loss(self.reader(part), part)) for rows, part in parts(batch)]
        rows, losses = zip(*read, strict=True)
        return _in_order(rows, losses)

    def predict_spans(self, batch: SpanBatch) -> tuple[Tensor, Tensor]:
        """Give the (B, 2) best spans, inclusive tokens, and the (B,) losses."""
        read = [(rows, *self._predict_part(part)) for rows, part in parts(batch)]
        rows, spans, losses = zip(*read, strict=True)
        return _in_order(rows, spans), _in_order(rows, losses)

    def _predict_part(self, part: SpanBatch) -> tuple[Tensor, Tensor]:
        logits = self.reader(part)
        spans, _ = best_spans(
            logits.start_logits, logits.end_logits, max_span_length=self.max_span_length
        )
        return spans[:, 0], self.reader.loss(logits, part)


def _tuned_words(reader: SpanReader) -> int:
    encoders = (each for each in reader.modules() if isinstance(each, TokenEncoder))
    return max((encoder.tuned_words for encoder in encoders), default=0)


def _in_order(rows: tuple[Tensor, ...], values: tuple[Tensor, ...]) -> Tensor:
    """Put what belongs to some rows of a batch, each once, where it belongs."""
    joined = torch.cat(values)
    return torch.empty_like(joined).index_copy(0, torch.cat(rows), joined)
