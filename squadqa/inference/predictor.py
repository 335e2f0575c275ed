"""Answers of a trained run: to every question of prepared data, or to one about a new text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from squadqa.data.dataset import QuestionDataset
from squadqa.data.prepare import PreparedData, Progress, prepare, prepare_data
from squadqa.data.sampler import bounded_batches
from squadqa.data.squad import BadAnswers, Source, SquadData
from squadqa.errors import CheckpointError, ConfigError, DataError
from squadqa.evaluation.predictions import NBest
from squadqa.inference.run_folder import Run
from squadqa.models.base import SpanLogits
from squadqa.nn.decoding import best_spans

BATCH_TOKENS = 16_384
"""Context tokens of a batch, padding included: bounds memory whatever a context's length."""

IMPOSSIBLE = torch.finfo(torch.float32).min / 8
"""Scores below this are padding's, not a span's."""


class Predictor:
    """Answers questions with a trained run.

    Args:
        run: The run.
        device: "cpu", "cuda" (or "cuda:1" and so on), or "auto": a GPU where there is one.

    Raises:
        ConfigError: There is no such device.
    """

    def __init__(self, run: Run, *, device: str = "auto") -> None:
        self.run = run
        self.device = find_device(device)
        self._model: Any = None

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

    def answers(
        self, data: PreparedData, *, n_best: int = 1, progress: Progress | None = None
    ) -> dict[str, list[NBest]]:
        """Answer every question of prepared data.

        Args:
            data: Questions prepared as the run's inputs ask.
            n_best: Most spans to give of each question; a short context has fewer.
            progress: Called after each batch.

        Returns:
            The best spans of each question id, the most probable first, at least one; ids in the
            data's order. Different spans may have the same text.

        Raises:
            CheckpointError: The weights do not fit, or give no numbers.
        """
        dataset = self.run.inputs.dataset(data)
        found: dict[int, list[NBest]] = {}
        for items, batch, output in self.outputs(dataset, progress=progress):
            spans, scores = self._ranked(output, batch, n_best)
            if torch.isnan(scores).any():
                raise diverged(self.run)
            kept = (scores > IMPOSSIBLE).cpu().numpy()
            probabilities = scores.double().exp().cpu().numpy()
            for item, its_spans, its_probabilities, real in zip(
                items, spans.cpu().numpy(), probabilities, kept, strict=True
            ):
                found[item] = cut_spans(dataset, item, its_spans[real], its_probabilities[real])
        return {dataset.id_of(item): found[item] for item in range(len(dataset))}

    def outputs(
        self, dataset: QuestionDataset[Any], *, progress: Progress | None = None
    ) -> Iterator[tuple[list[int], Any, Any]]:
        """Let the model read every question of a data set, in batches of bounded size.

        Args:
            dataset: Made by the run's inputs.
            progress: Called after each batch.

        Yields:
            Places in the data set, their batch on the device, and what the model says of it:
            `SpanLogits` or `candidate_logits`.

        Raises:
            CheckpointError: The weights do not fit.
        """
        model = self._model_for(dataset.data)
        done = 0
        for items in bounded_batches(dataset.context_lengths, limit=BATCH_TOKENS):
            batch = dataset.collate(items).to(self.device)
            with torch.inference_mode():
                output = model(batch)
            yield items, batch, output
            done += len(items)
            if progress:
                progress("answers", done, len(dataset))

    def num_parameters(self, data: PreparedData) -> int:
        """Count the parameters of the model.

        Args:
            data: What it reads, prepared as the run's inputs ask.

        Raises:
            CheckpointError: The weights do not fit.
        """
        return sum(parameter.numel() for parameter in self._model_for(data).parameters())

    def _model_for(self, data: PreparedData) -> Any:
        if self._model is None:
            self._model = self.run.model_for(data).to(self.device)
        return self._model

    def answer(self, context: str, question: str, *, n_best: int = 1) -> list[NBest]:
        """Answer one question about a text.

        Args:
            context: The text.
            question: The question.
            n_best: Most spans to give.

        Returns:
            The best spans, the most probable first; their characters are the context's own.

        Raises:
            DataError: The context or the question is empty.
            VectorsError: A source of the run's word vectors cannot be read.
            ConfigError: The run's spaCy pipeline is not installed.
            CheckpointError: The weights do not fit, or give no numbers.
        """
        for name, text in (("context", context), ("question", question)):
            if not text.strip():
                raise DataError(f"the {name} is empty: {text!r}", next_step=f"Give a {name}.")
        inputs = self.run.inputs
        asked = new_question(context, question)
        data = prepare_data(asked, pipeline=inputs.pipeline, vectors=inputs.vectors)
        (answers,) = self.answers(data, n_best=n_best).values()
        return answers

    def _ranked(self, output: Any, batch: Any, n_best: int) -> tuple[Tensor, Tensor]:
        """(B, k, 2) best spans and (B, k) their log-probabilities, the best first."""
        if isinstance(output, SpanLogits):
            assert self.run.max_span_length is not None
            return best_spans(
                output.start_logits,
                output.end_logits,
                max_span_length=self.run.max_span_length,
                n_best=n_best,
            )
        scores, places = ranked(output)
        places = places[:, :n_best, None].expand(-1, -1, 2)  # (B, k, 2)
        return batch.candidate_spans.gather(1, places), scores[:, :n_best]


def ranked(candidate_logits: Tensor) -> tuple[Tensor, Tensor]:
    """Order candidates by probability; of equally good ones the first comes first, as in training.

    Args:
        candidate_logits: (B, N) their scores, masked.

    Returns:
        (B, N) log-probabilities, the best first, and (B, N) the candidates' places.
    """
    log_probabilities = candidate_logits.float().log_softmax(dim=1)
    return log_probabilities.sort(dim=1, descending=True, stable=True)


def new_question(context: str, question: str) -> SquadData:
    """Ask a question of which no answer is known.

    Args:
        context: The text that holds the answer.
        question: The question.
    """
    return SquadData(
        titles=[""],
        contexts=[context],
        ids=["question"],
        questions=[question],
        paragraphs=[0],
        answer_texts=[[]],
        answer_starts=[[]],
    )


def diverged(run: Run) -> CheckpointError:
    """Say of a run that its scores are no numbers."""
    return CheckpointError(
        f'"{run.checkpoint.path}" gives no numbers (NaN): its training diverged',
        next_step="Take another checkpoint or run, or train with a lower learning rate.",
    )


def find_device(name: str) -> torch.device:
    """Find the device that a user named.

    Args:
        name: "cpu", "cuda", "cuda:1" and so on, or "auto".

    Raises:
        ConfigError: There is no such device.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ConfigError(
            f'there is no device "{name}": PyTorch finds {count} GPUs here',
            hint="" if count else "There is none, or its driver or this PyTorch does not fit it.",
            next_step="Leave --device out, or take --device cpu.",
        )
    return device


def cut_spans(
    dataset: QuestionDataset[Any],
    item: int,
    spans: NDArray[np.int64],
    probabilities: NDArray[np.float64],
) -> list[NBest]:
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
        answers.append(NBest(context[start:end], probability, start, end))
    assert answers, "a context with text has a token, and a token is a span"
    return answers
