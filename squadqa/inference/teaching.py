"""What a trained run or an ensemble says about the training questions of another model.

Reference: Hinton, Vinyals and Dean, 2015, Distilling the Knowledge in a Neural Network (arXiv
1503.02531); for reading comprehension, Hu et al., 2018, Attention-Guided Answer Distillation for
Machine Reading Comprehension (arXiv 1808.07644).

The teacher answers all questions once, before the training. Its probabilities of starts and ends
are kept in the cache, under a name made of the teacher's weights and of the questions, so that
further students and resumed trainings find them.

Letters: N questions, C context tokens, L longest span.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squadqa.data.cache import cached_folder, file_digest
from squadqa.data.dataset import QuestionDataset
from squadqa.data.prepare import PreparedData, default_cache_dir
from squadqa.data.soft_targets import SoftTargets
from squadqa.data.squad import BadAnswers, Source
from squadqa.errors import ConfigError
from squadqa.inference.answered import Preparation
from squadqa.inference.answering import Answerer
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.mixing import mean_table
from squadqa.inference.predictor import Predictor
from squadqa.models.distributions import PointerDistribution, SpanDistribution, marginals
from squadqa.run_files import CONFIG

AT_ONCE = 2048
"""Questions whose distributions are in memory at once."""

KIND = "teacher"
"""First part of the names of the cache's folders."""

Pair = tuple[NDArray[np.floating], NDArray[np.floating]]


def teach(
    teacher: Answerer,
    data: PreparedData,
    rows: NDArray[np.int64],
    *,
    source: Source,
    preparation: Preparation,
    bad_answers: BadAnswers,
) -> SoftTargets:
    """Let a teacher answer a student's training questions, or open what it said before.

    Args:
        teacher: A run or an ensemble, as `squadqa.load` returns it.
        data: The source as the student reads it.
        rows: (N,) its questions to answer.
        source: The source that `data` was prepared from.
        preparation: How the teacher's inputs are prepared; its cache folder keeps the answers.
        bad_answers: What the student's training does with questions without usable answers.

    Raises:
        ConfigError: The teacher reads other questions or tokens in the source.
        SquadQAError: The source cannot be prepared for the teacher, or its weights give NaN.
    """
    members = teacher.members if isinstance(teacher, Ensemble) else [_predictor(teacher)]
    settings = {**_identity(teacher, members), "questions": _digest(data, rows)}

    def build(folder: Path) -> dict[str, Any]:
        prepared = [
            member.prepare(source, preparation, bad_answers=bad_answers) for member in members
        ]
        for member, own in zip(members, prepared, strict=True):
            if _digest(own, None) != _digest(data, None):
                raise ConfigError(
                    f'the teacher "{member.run.folder}" reads other questions or other tokens in '
                    f'"{data.source}" than the student',
                    next_step="Train on data that both prepare alike, and not from a pack of one.",
                )
        together = _joined(teacher)

        def datasets(part: NDArray[np.int64]) -> list[QuestionDataset[Any]]:
            return [
                member.dataset_of(own, part) for member, own in zip(members, prepared, strict=True)
            ]

        starts, ends = [], []
        for first in range(0, len(rows), AT_ONCE):
            read = [
                member.distributions(dataset)
                for member, dataset in zip(
                    members, datasets(rows[first : first + AT_ONCE]), strict=True
                )
            ]
            for distributions in zip(*read, strict=True):
                start, end = together(distributions)
                starts.append(start.astype(np.float16))
                ends.append(end.astype(np.float16))
            if preparation.progress:
                done = min(first + AT_ONCE, len(rows))
                preparation.progress("teacher's answers", done, len(rows))
        lengths = [len(start) for start in starts]
        targets = SoftTargets(
            np.concatenate(starts), np.concatenate(ends), np.cumsum([0, *lengths]).astype(np.int64)
        )
        targets.write(folder)
        return {"questions": len(targets), "teacher": teacher.description}

    root = preparation.cache_dir or default_cache_dir()
    return SoftTargets.open(cached_folder(root, KIND, settings, build))


def _joined(teacher: Answerer) -> Callable[[tuple[SpanDistribution, ...]], Pair]:
    """Make the function from the members' distributions to probabilities of starts and ends."""

    def alone(distributions: tuple[SpanDistribution, ...]) -> Pair:
        (one,) = distributions
        if isinstance(one, PointerDistribution):
            return one.start, one.end
        return marginals(one.table())

    if not isinstance(teacher, Ensemble):
        return alone
    weights, mean = teacher.weights, teacher.mean
    return lambda distributions: marginals(mean_table(distributions, weights, mean=mean))


def _predictor(teacher: Answerer) -> Predictor:
    assert isinstance(teacher, Predictor), "an answerer is a run or an ensemble"
    return teacher


def _identity(teacher: Answerer, members: list[Predictor]) -> dict[str, Any]:
    """What the teacher's probabilities depend on, besides the questions."""
    own: dict[str, Any] = {
        "members": [
            [file_digest(one.run.checkpoint.path), file_digest(one.run.folder / CONFIG)]
            for one in members
        ]
    }
    if isinstance(teacher, Ensemble):
        own |= {"mean": teacher.mean, "weights": teacher.weights}
    return own


def _digest(data: PreparedData, rows: NDArray[np.int64] | None) -> str:
    """Hash the questions' identifiers and the tokens of all texts."""
    total = hashlib.blake2b(digest_size=16)
    for text in data.ids.to_pylist():
        total.update(f"{text}\0".encode())
    whole = [data.paragraphs, data.tokens.bounds, data.tokens.offset_mapping]
    for values in [*whole, *([] if rows is None else [rows])]:
        total.update(np.ascontiguousarray(values).astype(np.int64).tobytes())
    return total.hexdigest()
