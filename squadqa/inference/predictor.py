"""Answers of a trained run: to every question of prepared data, or to some about a new text."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from squadqa.data.dataset import QuestionDataset
from squadqa.data.held_out import held_out
from squadqa.data.prepare import PreparedData, Progress, prepare
from squadqa.data.sampler import bounded_batches
from squadqa.data.squad import BadAnswers, Source, find_source
from squadqa.data.text_preparer import TextPreparer
from squadqa.data.vectors import VectorStore
from squadqa.errors import CheckpointError, VectorsError
from squadqa.evaluation.predictions import Answer
from squadqa.inference.answering import Answered, Answerer, Preparation, new_questions
from squadqa.inference.devices import find_device
from squadqa.inference.run_folder import Run
from squadqa.models.base import ContextFirstReader, QAModel
from squadqa.models.distributions import SpanDistribution
from squadqa.nn.decoding import IMPOSSIBLE

BATCH_TOKENS = 16_384
"""Context tokens of a batch, padding included: bounds memory whatever a context's length."""

CONTEXTS_KEPT = 64
"""Contexts whose encodings are kept for further questions about them."""

Outputs = Iterator[tuple[list[int], Any, Any]]
"""Places of questions in their data set, their batch on the device, and the model's output."""


@dataclass(frozen=True)
class Reading:
    """What a model makes of questions.

    Args:
        dataset: The questions.
        distributions: The probabilities of each question's spans.
    """

    dataset: QuestionDataset[Any]
    distributions: Sequence[SpanDistribution]


class Predictor(Answerer):
    """A trained run that answers questions.

    The model, the word vectors, the pipeline and the last contexts stay in memory, so that answers
    after the first one are fast.

    Args:
        run: The run.
        device: "cpu", "cuda" (or "cuda:1" and so on), or "auto": a GPU where there is one.

    Raises:
        ConfigError: There is no such device.
        CheckpointError: The weights do not fit.
    """

    def __init__(self, run: Run, *, device: str = "auto") -> None:
        self.run = run
        self.device = find_device(device)
        self.model: QAModel = run.model.to(self.device)
        self._texts = TextPreparer(
            pipeline=run.inputs.pipeline,
            vectors=VectorStore(run.inputs.vectors) if run.inputs.vectors else (),
        )
        self._encoded: OrderedDict[str, Tensor] = OrderedDict()

    @property
    def description(self) -> str:
        """The run's checkpoint, for people."""
        return str(self.run.checkpoint)

    def prepare(
        self,
        source: Source,
        *,
        cache_dir: str | Path | None = None,
        bad_answers: BadAnswers = "keep",
        workers: int = 0,
        progress: Progress | None = None,
    ) -> PreparedData:
        """Prepare questions as the run's model needs them, or open them from the cache.

        Args:
            source: What `find_source` found.
            cache_dir: Folder of prepared data; None takes the run's own where it is still there,
                else the default one.
            bad_answers: What to do with a question without usable answers; what training said finds
                the data that training prepared.
            workers: Processes that annotate; 0 takes one for each core.
            progress: Called now and then.

        Raises:
            DataError: The source is not SQuAD v1.1.
            VectorsError: A source of the run's word vectors cannot be read.
            ConfigError: The run's spaCy pipeline is not installed.
            OutputError: The cache folder cannot be written.
        """
        own = self.run.cache_dir
        if cache_dir is None and own is not None and own.is_dir():
            cache_dir = own
        return prepare(
            source,
            cache_dir=cache_dir,
            bad_answers=bad_answers,
            pipeline=self.run.inputs.pipeline,
            vectors=self.run.inputs.vectors,
            workers=workers,
            progress=progress,
        )

    def held_out(self, preparation: Preparation) -> QuestionDataset[Any]:
        """Open the questions that the training chose its checkpoint by, with their answers.

        Args:
            preparation: How they are prepared.

        Raises:
            SquadQAError: The data of the training is not there any more, or cannot be prepared.
        """
        own = self.run.held_out
        data = self.prepare(
            find_source(own.source, part="dev" if own.share is None else "train"),
            cache_dir=preparation.cache_dir,
            bad_answers=own.bad_answers,
            workers=preparation.workers,
            progress=preparation.progress,
        )
        rows = None if own.share is None else np.flatnonzero(held_out(data, share=own.share))
        return self._dataset(data, rows)

    def dataset(self, source: Source, preparation: Preparation) -> QuestionDataset[Any]:
        """Open the questions of a source as the model reads them; see `prepare`."""
        data = self.prepare(
            source,
            cache_dir=preparation.cache_dir,
            workers=preparation.workers,
            progress=preparation.progress,
        )
        return self._dataset(data)

    def answers(
        self, data: PreparedData, *, n_best: int = 1, progress: Progress | None = None
    ) -> dict[str, list[Answer]]:
        """Answer every question of prepared data.

        Args:
            data: Questions prepared as the run's inputs ask.
            n_best: Most spans to give of each question; a short context has fewer.
            progress: Called after each batch.

        Returns:
            The best spans of each question id, the most probable first, at least one; ids in the
            data's order. Different spans may have the same text.

        Raises:
            CheckpointError: The weights give no numbers.
        """
        dataset = self._dataset(data)
        found = self._answers(dataset, self.outputs(dataset, progress=progress), n_best=n_best)
        return {dataset.id_of(item): answers for item, answers in enumerate(found)}

    def distributions(
        self, dataset: QuestionDataset[Any], *, progress: Progress | None = None
    ) -> list[SpanDistribution]:
        """Give the probabilities of every question's spans.

        Args:
            dataset: The questions, made by the run's inputs.
            progress: Called after each batch.

        Returns:
            What the model makes of each question, in the data set's order.

        Raises:
            CheckpointError: The weights give no numbers.
        """
        return self._distributions(dataset, self.outputs(dataset, progress=progress))

    def new_distributions(self, context: str, questions: Sequence[str]) -> Reading:
        """Give the probabilities of spans for questions about one text, which is read once."""
        dataset = self._new_dataset(context, questions)
        return Reading(dataset, self._distributions(dataset, self._new_outputs(dataset, context)))

    def outputs(
        self, dataset: QuestionDataset[Any], *, progress: Progress | None = None
    ) -> Outputs:
        """Let the model read every question of a data set, in batches of bounded size.

        Args:
            dataset: Made by the run's inputs.
            progress: Called after each batch.

        Yields:
            Places in the data set, their batch on the device, and the model's output for it.
        """
        done = 0
        for items in bounded_batches(dataset.context_lengths, limit=BATCH_TOKENS):
            batch = dataset.collate(items).to(self.device)
            with torch.inference_mode():
                output = self.model(batch)
            yield items, batch, output
            done += len(items)
            if progress:
                progress("answers", done, len(dataset))

    def ask(self, context: str, questions: Sequence[str], *, n_best: int) -> list[list[Answer]]:
        """Give the best spans of questions about one text, which is read once."""
        dataset = self._new_dataset(context, questions)
        outputs = self._new_outputs(dataset, context)
        return self._answers(dataset, outputs, n_best=n_best)

    def answer_file(
        self, source: Source, *, n_best: int = 1, preparation: Preparation | None = None
    ) -> Answered:
        """Answer every question of a source (see `squadqa.data.squad.find_source`)."""
        how = preparation or Preparation()
        data = self.prepare(
            source, cache_dir=how.cache_dir, workers=how.workers, progress=how.progress
        )
        return Answered(self.answers(data, n_best=n_best, progress=how.progress), data)

    def _new_dataset(self, context: str, questions: Sequence[str]) -> QuestionDataset[Any]:
        """Make the data set of questions about one text."""
        return self._dataset(self._texts.prepare(new_questions(context, questions)))

    def _dataset(
        self, data: PreparedData, rows: NDArray[np.int64] | None = None
    ) -> QuestionDataset[Any]:
        """Make the data set of prepared questions, if its word vectors are as wide as train's."""
        sizes, width = self.run.inputs.sizes, 0 if data.vectors is None else data.vectors.shape[1]
        if width != sizes.vector_size:
            raise VectorsError(
                f"the word vectors {' + '.join(self.run.inputs.vectors) or 'none'} have {width} "
                f'values a word; the run "{self.run.folder}" was trained with {sizes.vector_size}',
                next_step="Put back the vectors that it was trained with, or train it again.",
            )
        return self.run.inputs.dataset(data, rows)

    def _new_outputs(self, dataset: QuestionDataset[Any], context: str) -> Outputs:
        """Let the model read questions about one text, whose encoding is kept where it can be."""
        model = self.model
        if not isinstance(model, ContextFirstReader) or not model.keeps_contexts:
            yield from self.outputs(dataset)
            return
        for items in bounded_batches(dataset.context_lengths, limit=BATCH_TOKENS):
            batch = dataset.collate(items).to(self.device)
            with torch.inference_mode():
                encoded = self._encoded.pop(context, None)
                if encoded is None:
                    encoded = model.encode_context(batch)[:1]  # (1, C, H)
                self._encoded[context] = encoded
                if len(self._encoded) > CONTEXTS_KEPT:
                    self._encoded.popitem(last=False)
                output = model(batch, encoded.expand(len(items), -1, -1))
            yield items, batch, output

    def _answers(
        self, dataset: QuestionDataset[Any], outputs: Outputs, *, n_best: int
    ) -> list[list[Answer]]:
        """Choose the best spans, in the data set's order, and cut them out of their contexts."""
        found: dict[int, list[Answer]] = {}
        for items, batch, output in outputs:
            spans, scores = self.model.best_spans(output, batch, n_best=n_best)
            if torch.isnan(scores).any():
                raise diverged(self.run)
            kept = (scores > IMPOSSIBLE).cpu().numpy()
            probabilities = scores.double().exp().cpu().numpy()
            for item, its_spans, its_probabilities, real in zip(
                items, spans.cpu().numpy(), probabilities, kept, strict=True
            ):
                found[item] = cut_spans(dataset, item, its_spans[real], its_probabilities[real])
        return [found[item] for item in range(len(dataset))]

    def _distributions(
        self, dataset: QuestionDataset[Any], outputs: Outputs
    ) -> list[SpanDistribution]:
        """Give the probabilities of spans, in the data set's order."""
        found: dict[int, SpanDistribution] = {}
        for items, batch, output in outputs:
            read = self.model.distributions(output, batch)
            if not all(one.is_finite for one in read):
                raise diverged(self.run)
            found.update(zip(items, read, strict=True))
        return [found[item] for item in range(len(dataset))]


def diverged(run: Run) -> CheckpointError:
    """Say of a run that its scores are no numbers."""
    return CheckpointError(
        f'"{run.checkpoint.path}" gives no numbers (NaN): its training diverged',
        next_step="Take another checkpoint or run, or train with a lower learning rate.",
    )


def cut_spans(
    dataset: QuestionDataset[Any],
    item: int,
    spans: NDArray[np.int64],
    probabilities: NDArray[np.float64],
) -> list[Answer]:
    """Cut spans out of their context.

    Args:
        dataset: The questions.
        item: The question's place among them.
        spans: (K, 2) first and last tokens, inclusive; one at least.
        probabilities: (K,) of the spans.
    """
    data = dataset.data
    context: str = data.contexts[int(data.paragraphs[dataset.rows[item]])].as_py()
    answers = []
    for (first, last), probability in zip(spans.tolist(), probabilities.tolist(), strict=True):
        start, end = dataset.characters_of(item, first, last)
        answers.append(Answer(context[start:end], probability, start, end))
    assert answers, "a context with text has a token, and a token is a span"
    return answers
