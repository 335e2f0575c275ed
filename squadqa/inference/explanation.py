"""Explanations of a chosen span: what each feature group adds to its score and to its rivals'."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from squadqa.data.candidates.parse import parse_paragraphs
from squadqa.data.prepare import PreparedData, prepare_data
from squadqa.data.squad import SquadData
from squadqa.errors import CheckpointError, DataError
from squadqa.inference.devices import find_device
from squadqa.inference.reading import diverged
from squadqa.inference.run_folder import Run
from squadqa.scoring import normalize_answer


@dataclass(frozen=True)
class ExplainedSpan:
    """A candidate answer and its score.

    Args:
        text: The candidate's text, as it is in the context.
        start: Its first character in the context.
        end: The character after its last one.
        sentence: The sentence that it is in.
        sentence_start: That sentence's first character in the context.
        probability: Its probability among the context's candidates, 0 to 1.
        score: Its score, the sum of the groups'.
        groups: What each feature group adds to the score, by the group's name.
    """

    text: str
    start: int
    end: int
    sentence: str
    sentence_start: int
    probability: float
    score: float
    groups: dict[str, float]


@dataclass(frozen=True)
class Explanation:
    """The answer that a run chose, and its rivals.

    Args:
        question: The question.
        references: The given answers; empty if they are not known.
        chosen: The most probable candidate.
        runner_up: The most probable candidate with another text, as the official score compares
            texts; None if all candidates have the same text.
        gold: The right candidate for the first reference, as in training; None if no candidate
            contains the reference, or it is not known.
    """

    question: str
    references: list[str]
    chosen: ExplainedSpan
    runner_up: ExplainedSpan | None
    gold: ExplainedSpan | None

    @property
    def rival(self) -> ExplainedSpan | None:
        """The span to compare the chosen one with: the gold if that differs, else the runner-up."""
        return self.gold if self.gold not in (None, self.chosen) else self.runner_up

    @property
    def separations(self) -> dict[str, float]:
        """How much each group prefers the chosen span to its rival, by name, the largest first."""
        rival: Mapping[str, float] = self.rival.groups if self.rival else {}
        by_name = {name: value - rival.get(name, 0.0) for name, value in self.chosen.groups.items()}
        return dict(sorted(by_name.items(), key=lambda item: -abs(item[1])))


def question_with_id(data: SquadData, question_id: str) -> SquadData:
    """Take one question out of a source.

    Args:
        data: The source.
        question_id: The question's identifier.

    Raises:
        DataError: The question does not exist.
    """
    if question_id not in data.ids:
        near = difflib.get_close_matches(question_id, data.ids, n=1)
        raise DataError(
            f'none of the {len(data.ids):,} questions has the id "{question_id}"',
            hint=f'Did you mean "{near[0]}"?' if near else "",
            next_step=f'Name an id of the data, such as "{data.ids[0]}".',
        )
    row = data.ids.index(question_id)
    paragraph = data.paragraphs[row]
    return SquadData(
        titles=[data.titles[paragraph]],
        contexts=[data.contexts[paragraph]],
        ids=[question_id],
        questions=[data.questions[row]],
        paragraphs=[0],
        answer_texts=[data.answer_texts[row]],
        answer_starts=[data.answer_starts[row]],
    )


def explain(run: Run, asked: SquadData, *, device: str = "auto") -> Explanation:
    """Explain how a run answers one question.

    Args:
        run: A run of the feature-based family, whose score is a sum over feature groups.
        asked: The question, alone with its context.
        device: "cpu", "cuda" (or "cuda:1" and so on), or "auto": a GPU if there is one.

    Raises:
        CheckpointError: The run's model is not a sum of feature groups, its weights do not fit, or
            they give NaN.
        ConfigError: The device does not exist, or the run's spaCy pipeline is not installed.
        VectorsError: A source of the run's word vectors cannot be read.
    """
    if not hasattr(run.make_model.func, "group_scores"):
        raise CheckpointError(
            f'the run "{run.folder}" cannot be explained: {run.checkpoint.model_name} does not '
            "score by a sum of feature groups",
            hint="Runs of LogisticScorer can be, such as those of configs/logistic.yaml.",
            next_step="Name such a run, or see this one's answers: squadqa answer --help",
        )
    chosen_device = find_device(device)
    data = prepare_data(
        asked,
        language=run.inputs.language,
        pipeline=run.inputs.pipeline,
        parse=run.inputs.parse,
        vectors=run.inputs.vectors,
    )
    model: Any = run.model.to(chosen_device)
    batch = run.inputs.dataset(data).collate([0]).to(chosen_device)
    with torch.inference_mode():
        scores = model(batch)[0].cpu()  # (N,)
        groups = {name: some[0].cpu().numpy() for name, some in model.group_scores(batch).items()}
    if torch.isnan(scores).any():
        raise diverged(run)
    temperature = run.checkpoint.calibration.temperature
    probabilities = (scores.double() / temperature).softmax(dim=0).numpy()
    spans = batch.candidate_spans[0].cpu().numpy()
    context = asked.contexts[0]
    parse, offsets = parse_paragraphs(data), data.tokens.offset_mapping

    def explained(candidate: int) -> ExplainedSpan:
        first, last = spans[candidate].tolist()
        sentence = parse.sentences[first]
        begin, stop = parse.sentence_bounds[sentence : sentence + 2].tolist()
        start, end = int(offsets[first, 0]), int(offsets[last, 1])
        sentence_start = int(offsets[begin, 0])
        return ExplainedSpan(
            text=context[start:end],
            start=start,
            end=end,
            sentence=context[sentence_start : int(offsets[stop - 1, 1])],
            sentence_start=sentence_start,
            probability=float(probabilities[candidate]),
            score=float(scores[candidate]),
            groups={name: float(some[candidate]) for name, some in groups.items()},
        )

    order = scores.float().log_softmax(dim=0).argsort(descending=True, stable=True).numpy()
    order = order[batch.candidate_mask[0].cpu().numpy()[order]]
    texts = (context[offsets[first, 0] : offsets[last, 1]] for first, last in spans[order])
    normalized = [normalize_answer(text) for text in texts]
    others = [place for place, text in enumerate(normalized) if text != normalized[0]]
    gold = _gold(data, spans, batch.candidate_labels[0].cpu().numpy())
    return Explanation(
        question=asked.questions[0],
        references=asked.answer_texts[0],
        chosen=explained(order[0]),
        runner_up=explained(order[others[0]]) if others else None,
        gold=None if gold is None else explained(gold),
    )


def _gold(data: PreparedData, spans: NDArray[np.int64], labels: NDArray[np.bool_]) -> int | None:
    """The right candidate at the place of the first reference, if there is one."""
    at_answer = (spans[:, 0] <= data.end_positions[0]) & (spans[:, 1] >= data.start_positions[0])
    found = np.flatnonzero(labels & at_answer)
    return int(found[0]) if len(found) else None
