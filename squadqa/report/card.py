"""The model card of a trained run, as Markdown: data, training, scores, limits, licence.

It has names, numbers and scores, and no sentence of the data.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from squadqa.data.prepare import PreparedData
from squadqa.evaluation.question_slices import Dimension, SliceScores, dimensions, score_slices
from squadqa.evaluation.questions import describe_questions
from squadqa.evaluation.results import Result
from squadqa.evaluation.systems import score_system, system_of_texts
from squadqa.provenance import without_folders
from squadqa.report.page import TEMPLATES

SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")
"""Characters that Markdown may take for markup."""


@dataclass(frozen=True)
class CardModel:
    """What a card says about a model.

    Args:
        name: The run's name.
        kind: The model's class.
        parameters: Number of trained weights.
        language: Code of the texts' language.
        vectors: The sources of its word vectors.
        pipeline: The spaCy pipeline that it needs; None if it needs none.
        longest: Tokens of the longest answer; None if that has no fixed limit.
        abstains: Whether it may leave a question without an answer.
    """

    name: str
    kind: str
    parameters: int
    language: str
    vectors: tuple[str, ...]
    pipeline: str | None
    longest: int | None
    abstains: bool


@dataclass(frozen=True)
class CardScores:
    """Scores with intervals, in percent.

    Args:
        whole: The scores of all questions.
        slices: The scores of parts of them.
    """

    whole: SliceScores
    slices: list[SliceScores]


def card_scores(
    data: PreparedData, predictions: Mapping[str, str], *, by_v2: bool = False
) -> CardScores:
    """Score predictions for a card.

    Args:
        data: The questions; all have given answers, unless they are scored by the rule of v2.0.
        predictions: The predicted text by question id.
        by_v2: Whether they are scored by the rule of SQuAD v2.0.

    Raises:
        DataError: A question has no given answers.
    """
    questions = describe_questions(data)
    scored = score_system(questions, system_of_texts("model", predictions), by_v2=by_v2)
    # All questions are one more slice, so that they are resampled only once, which takes longest.
    everyone = Dimension("all", ("questions",), np.zeros(len(questions), np.int64))
    whole, *slices = score_slices([everyone, *dimensions(questions)], [scored])
    return CardScores(whole, slices)


def model_card(
    model: CardModel, result: Result | None = None, scores: CardScores | None = None
) -> str:
    """Write a model card.

    Args:
        model: The model.
        result: The record of its training; None if that has not ended.
        scores: Scores with intervals of the same predictions; None if they are not known.

    Returns:
        Markdown. Of absolute paths only the last part is left.
    """
    needed = [*(f"the word vectors {name}" for name in model.vectors)]
    needed += [f"the spaCy pipeline {model.pipeline}"] if model.pipeline else []
    sources = [] if result is None else result.data.split(", ")
    text: str = _template().render(
        model=model,
        result=result,
        scores=scores,
        needs=without_folders(" and ".join(needed)) or "neither word vectors nor a pipeline",
        training=[] if result is None else _training(result),
        interval=lambda one: f"{one.value:.1f} ({one.low:.1f} to {one.high:.1f})",
        of_squad=any(name.partition(" ")[0] == "squad" for name in sources),
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def _training(result: Result) -> list[tuple[str, str]]:
    """The rows of the table about a training."""
    changed = [f"{name} = {value}" for name, value in without_folders(result.overrides).items()]
    rows = [
        ("configuration", ", ".join(without_folders(result.configs))),
        ("changed values", ", ".join(changed)),
        ("minutes", "" if result.minutes is None else f"{result.minutes:.1f}"),
        ("passes over the questions", "" if result.epochs is None else f"{result.epochs:.2f}"),
        ("seed", str(result.seed)),
        ("commit", result.commit),
        ("machine", f"{result.hardware}; on {result.device}"),
        ("notes", result.notes),
    ]
    return [(name, value) for name, value in rows if value]


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # it is no HTML: `_plain` takes its place
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_plain,
    )
    return environment.get_template("card.md")


def _plain(value: Any) -> Any:
    """Write a value that came from outside on one line, and as no markup."""
    if not isinstance(value, str) or value == "\n":
        return value
    return SPECIAL.sub(r"\\\1", " ".join(without_folders(value).split()))
