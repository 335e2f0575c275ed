"""A trained run that answers every question of prepared data, or some about a new text.

One file, as all ways to answer share one model and one way to read batches.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from squadqa.data.dataset import QuestionDataset
from squadqa.data.prepare import PreparedData, Progress, prepare
from squadqa.data.sampler import bounded_batches
from squadqa.data.squad import BadAnswers, Source, Unanswerable, find_source
from squadqa.data.text_preparer import TextPreparer
from squadqa.data.vectors import VectorStore
from squadqa.errors import VectorsError
from squadqa.evaluation.calibration import DEFAULT_THRESHOLD
from squadqa.evaluation.predictions import Answer
from squadqa.inference.answered import Answered, DetailedAnswer, Preparation
from squadqa.inference.answering import Answerer
from squadqa.inference.devices import batch_tokens, find_device, threads_for
from squadqa.inference.new_texts import new_questions
from squadqa.inference.no_answer import with_no_answer
from squadqa.inference.reading import Reading, cut_spans, diverged, held_out_questions
from squadqa.inference.run_folder import Run
from squadqa.inference.several import Found
from squadqa.inference.trusted import own_cache, require_source
from squadqa.models.base import ContextFirstReader, QAModel
from squadqa.models.distributions import SpanDistribution, marginals
from squadqa.nn.decoding import IMPOSSIBLE
from squadqa.run_files import CONFIG

TINY = 1e-12
"""Stands for a probability of 0 in a division."""

CONTEXTS_KEPT = 64
"""Number of contexts whose encodings are kept for further questions."""

Outputs = Iterator[tuple[list[int], Any, Any]]
"""Indices of questions in their data set, their batch on the device, and the model's output."""


class Predictor(Answerer):
    """A trained run that answers questions.

    The model, the word vectors, the pipeline and the last contexts stay in memory, so that only the
    first answer has to wait for them.

    Args:
        run: The run.
        device: "cpu", "cuda" (or "cuda:1" and so on), or "auto": a GPU if there is one.

    Raises:
        ConfigError: The device does not exist.
        CheckpointError: The weights do not fit.
    """

    def __init__(self, run: Run, *, device: str = "auto") -> None:
        self.run = run
        self.device = find_device(device)
        self.model: QAModel = run.model.to(self.device)
        self.use_temperature(True)
        self.texts = TextPreparer(
            language=run.inputs.language,
            pipeline=run.inputs.pipeline,
            parse=run.inputs.parse,
            vectors=VectorStore(run.inputs.vectors) if run.inputs.vectors else (),
        )
        self._encoded: OrderedDict[str, Tensor] = OrderedDict()

    @property
    def description(self) -> str:
        """The run's checkpoint, for people."""
        return str(self.run.checkpoint)

    @property
    def threshold(self) -> float | None:
        """The probability of "no answer" above which the run abstains; None if it never does."""
        if not self.run.inputs.abstains:
            return None
        threshold = self.run.checkpoint.calibration.threshold
        return DEFAULT_THRESHOLD if threshold is None else threshold

    @property
    def parser(self) -> str | None:
        """The spaCy pipeline that parses what the run reads; None if none does."""
        return self.run.inputs.pipeline if self.run.inputs.parse else None

    def prepare(
        self,
        source: Source,
        preparation: Preparation | None = None,
        *,
        bad_answers: BadAnswers = "keep",
        unanswerable: Unanswerable = "error",
    ) -> PreparedData:
        """Prepare questions as the run's model needs them, or open them from the cache.

        Args:
            source: What `find_source` returned.
            preparation: How they are prepared. Without a cache folder, the run's is taken if it is
                a cache of the user's (see `own_cache`), else the default one.
            bad_answers: What to do with a question without usable answers; with the value of the
                training, the data that the training prepared are found.
            unanswerable: What to do with a question without any answers; likewise.

        Raises:
            DataError: The source is not SQuAD v1.1.
            VectorsError: A source of the run's word vectors cannot be read.
            ConfigError: The run's spaCy pipeline is not installed.
            OutputError: The cache folder cannot be written.
        """
        how = preparation or Preparation()
        cache_dir = how.cache_dir
        if cache_dir is None:
            cache_dir = own_cache(self.run.cache_dir, self.run.folder, trust=self.run.trust)
        return prepare(
            source,
            cache_dir=cache_dir,
            bad_answers=bad_answers,
            unanswerable=unanswerable,
            language=self.run.inputs.language,
            pipeline=self.run.inputs.pipeline,
            parse=self.run.inputs.parse,
            vectors=self.run.inputs.vectors,
            workers=how.workers,
            progress=how.progress,
        )

    def held_out(self, preparation: Preparation) -> QuestionDataset[Any]:
        """Open the validation questions, which training chose its checkpoint by, with answers.

        Args:
            preparation: How they are prepared.

        Raises:
            SquadQAError: The training's data no longer exists, or cannot be prepared.
        """
        own = self.run.held_out
        source = find_source(own.source, part=own.part, reading=own.reading)
        require_source(source, own.option, self.run.folder / CONFIG, trust=self.run.trust)
        data = self.prepare(
            source, preparation, bad_answers=own.bad_answers, unanswerable=own.unanswerable
        )
        return self.dataset_of(*held_out_questions(own, data))

    def dataset(
        self, source: Source, preparation: Preparation, *, rows: NDArray[np.int64] | None = None
    ) -> QuestionDataset[Any]:
        """Open questions of a source, all or some rows, as the model reads them; see `prepare`."""
        return self.dataset_of(self.prepare(source, preparation), rows)

    def answers(
        self,
        data: PreparedData,
        *,
        n_best: int = 1,
        always: bool = False,
        progress: Progress | None = None,
    ) -> dict[str, list[Answer]]:
        """Answer every question of prepared data.

        Args:
            data: Questions prepared for the run's inputs.
            n_best: Most answers to return for each question; a short context has fewer.
            always: Answer also where the run would abstain.
            progress: Called after each batch.

        Returns:
            The best spans of each question id, the most probable first, at least one; ids in the
            data's order. Different spans may have the same text.

        Raises:
            CheckpointError: The weights give NaN.
        """
        return self.answers_of(
            self.dataset_of(data), n_best=n_best, always=always, progress=progress
        )

    def answers_of(
        self,
        dataset: QuestionDataset[Any],
        *,
        n_best: int = 1,
        always: bool = False,
        progress: Progress | None = None,
    ) -> dict[str, list[Answer]]:
        """Answer every question of a data set, which the run's inputs made; see `answers`."""
        outputs = self.outputs(dataset, progress=progress)
        found = self._answers(dataset, outputs, n_best=n_best, always=always)
        return {dataset.id_of(item): answers for item, answers in enumerate(found)}

    def distributions(
        self, dataset: QuestionDataset[Any], *, progress: Progress | None = None
    ) -> list[SpanDistribution]:
        """Return the probabilities of every question's spans.

        Args:
            dataset: The questions, as made by the run's inputs.
            progress: Called after each batch.

        Returns:
            The distribution for each question, in the data set's order.

        Raises:
            CheckpointError: The weights give NaN.
        """
        return self._distributions(dataset, self.outputs(dataset, progress=progress))

    def new_distributions(self, context: str, questions: Sequence[str]) -> Reading:
        """Return the probabilities of spans for questions about one text, which is read once."""
        dataset = self._new_dataset(context, questions)
        return Reading(dataset, self._distributions(dataset, self._new_outputs(dataset, context)))

    def outputs(
        self, dataset: QuestionDataset[Any], *, progress: Progress | None = None
    ) -> Outputs:
        """Run the model on every question of a data set, in batches of bounded size.

        Args:
            dataset: The questions, as made by the run's inputs.
            progress: Called after each batch.

        Yields:
            Indices in the data set, their batch on the device, and the model's output for it.
        """
        done = 0
        batches = bounded_batches(
            dataset.context_lengths, limit=batch_tokens(self.device), paragraphs=dataset.paragraphs
        )
        for items in batches:
            batch = dataset.collate(items).to(self.device)
            with torch.inference_mode(), threads_for(dataset.context_lengths[items], self.device):
                output = self.model(batch)
            yield items, batch, output
            done += len(items)
            if progress:
                progress("answers", done, len(dataset))

    def ask(
        self, context: str, questions: Sequence[str], *, n_best: int, always: bool = False
    ) -> list[list[Answer]]:
        """Return the best answers of questions about one text, which is read once."""
        dataset = self._new_dataset(context, questions)
        read = self._new_outputs(dataset, context)
        return self._answers(dataset, read, n_best=n_best, always=always)

    def answer_held_out(self, preparation: Preparation, *, always: bool = False) -> Answered:
        """Answer the questions that were held out of the training, with its negatives of them."""
        dataset = self.held_out(preparation)
        answers = self.answers_of(dataset, always=always, progress=preparation.progress)
        return Answered(answers, dataset.data)

    @torch.inference_mode()
    def find(
        self, contexts: Sequence[str], questions: Sequence[str], *, n_best: int
    ) -> list[list[Found]]:
        """Return, for each question, the answers in each of several contexts."""
        found: list[list[Found]] = [[] for _ in questions]
        for context in contexts:
            dataset = self._new_dataset(context, questions)
            for items, batch, output in self._new_outputs(dataset, context):
                read = self._spans(dataset, items, batch, output, n_best=n_best)
                none = self.model.no_answer_probabilities(output, batch)
                weights = self.model.log_weights(output, batch).tolist()
                nones = [0.0] * len(items) if none is None else none.tolist()
                for item, answers, weight, missed in zip(items, read, weights, nones, strict=True):
                    if_here = [
                        replace(answer, probability=answer.probability / max(1 - missed, TINY))
                        for answer in answers
                    ]
                    found[item].append(Found(if_here, weight))
        return found

    def use_temperature(self, is_used: bool) -> None:
        """Set whether probabilities are calibrated, as they are at first."""
        self.model.temperature = self.run.checkpoint.calibration.temperature if is_used else 1.0

    def ask_in_detail(self, context: str, question: str, *, n_best: int) -> DetailedAnswer:
        """Return the best spans of one question, and the probabilities of starts and ends."""
        dataset = self._new_dataset(context, [question])
        outputs = list(self._new_outputs(dataset, context))
        (answers,) = self._answers(dataset, iter(outputs), n_best=n_best, always=False)
        (distribution,) = self._distributions(dataset, iter(outputs))
        table = distribution.table()
        offsets = dataset.data.tokens.offset_mapping[: len(table)]
        return DetailedAnswer(answers, offsets, *marginals(table))

    def answer_file(
        self,
        source: Source,
        *,
        n_best: int = 1,
        always: bool = False,
        preparation: Preparation | None = None,
    ) -> Answered:
        """Answer every question of a source (see `squadqa.data.squad.find_source`)."""
        data = self.prepare(source, preparation)
        progress = preparation.progress if preparation else None
        return Answered(self.answers(data, n_best=n_best, always=always, progress=progress), data)

    def _new_dataset(self, context: str, questions: Sequence[str]) -> QuestionDataset[Any]:
        """Make the data set of questions about one text."""
        return self.dataset_of(self.texts.prepare(new_questions(context, questions)))

    def dataset_of(
        self, data: PreparedData, rows: NDArray[np.int64] | None = None
    ) -> QuestionDataset[Any]:
        """Make the data set of prepared questions; its word vectors must be as wide as train's."""
        sizes, width = self.run.inputs.sizes, 0 if data.vectors is None else data.vectors.shape[1]
        if width != sizes.vector_size:
            raise VectorsError(
                f"the word vectors {' + '.join(self.run.inputs.vectors) or 'none'} have {width} "
                f'values per word, but the run "{self.run.folder}" was trained with '
                f"{sizes.vector_size}",
                next_step="Use the vectors that it was trained with, or train it again.",
            )
        return self.run.inputs.dataset(data, rows)

    def _new_outputs(self, dataset: QuestionDataset[Any], context: str) -> Outputs:
        """Run the model on questions about one text, whose encoding is kept if possible."""
        model = self.model
        if not isinstance(model, ContextFirstReader) or not model.keeps_contexts:
            yield from self.outputs(dataset)
            return
        for items in bounded_batches(dataset.context_lengths, limit=batch_tokens(self.device)):
            batch = dataset.collate(items).to(self.device)
            with torch.inference_mode(), threads_for(dataset.context_lengths[items], self.device):
                encoded = self._encoded.pop(context, None)
                if encoded is None:
                    one = batch if len(items) == 1 else dataset.collate(items[:1]).to(self.device)
                    encoded = model.encode_context(one)  # (1, C, H)
                self._encoded[context] = encoded
                if len(self._encoded) > CONTEXTS_KEPT:
                    self._encoded.popitem(last=False)
                output = model(batch, encoded.expand(len(items), -1, -1))
            yield items, batch, output

    @torch.inference_mode()
    def _answers(
        self, dataset: QuestionDataset[Any], outputs: Outputs, *, n_best: int, always: bool
    ) -> list[list[Answer]]:
        """Choose the best answers, in the data set's order, with their texts."""
        threshold = None if always else self.threshold
        found: dict[int, list[Answer]] = {}
        for items, batch, output in outputs:
            spans = self._spans(dataset, items, batch, output, n_best=n_best)
            found.update(zip(items, spans, strict=True))
            no_answers = self.model.no_answer_probabilities(output, batch)
            if no_answers is None:
                continue
            for item, no_answer in zip(items, no_answers.tolist(), strict=True):
                found[item] = with_no_answer(
                    found[item], no_answer, threshold=threshold, n_best=n_best
                )
        return [found[item] for item in range(len(dataset))]

    def _spans(
        self,
        dataset: QuestionDataset[Any],
        items: list[int],
        batch: Any,
        output: Any,
        *,
        n_best: int,
    ) -> list[list[Answer]]:
        """Choose the best spans of a batch's questions, with their texts."""
        spans, scores = self.model.best_spans(output, batch, n_best=n_best)
        if torch.isnan(scores).any():
            raise diverged(self.run)
        kept = (scores > IMPOSSIBLE).cpu().numpy()
        probabilities = scores.double().exp().cpu().numpy()
        return [
            cut_spans(dataset, item, its_spans[real], its_probabilities[real])
            for item, its_spans, its_probabilities, real in zip(
                items, spans.cpu().numpy(), probabilities, kept, strict=True
            )
        ]

    @torch.inference_mode()
    def _distributions(
        self, dataset: QuestionDataset[Any], outputs: Outputs
    ) -> list[SpanDistribution]:
        """Return the probabilities of spans, in the data set's order."""
        found: dict[int, SpanDistribution] = {}
        for items, batch, output in outputs:
            read = self.model.distributions(output, batch)
            if not all(one.is_finite for one in read):
                raise diverged(self.run)
            found.update(zip(items, read, strict=True))
        return [found[item] for item in range(len(dataset))]
