"""The models of a demo: opened once, each asked by one thread at a time, in plain values."""

import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from squadqa.errors import DataError, SquadQAError
from squadqa.inference.answering import Answerer
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.predictor import Predictor

MOST_MODELS = 4
"""Models that fit side by side on a page."""

MOST_CHARACTERS = 50_000
"""Characters of a text: about 20 pages, a bound on the memory that reading it takes."""

MOST_QUESTION_CHARACTERS = 1_000
"""Characters of a question."""

DIGITS = 6
"""Digits after the point of a probability that is sent to the page."""


@dataclass(frozen=True)
class DemoModel:
    """A run or an ensemble on a demo's page.

    Args:
        name: What the page calls it.
        answerer: The run or ensemble.
        lock: Held while it answers; models share it if they share a spaCy pipeline, which only one
            thread at a time may use.
    """

    name: str
    answerer: Answerer
    lock: AbstractContextManager[Any]

    def answer(self, context: str, question: str, *, n_best: int) -> dict[str, Any]:
        """Answer a question as the page shows it.

        Args:
            context: The text.
            question: The question.
            n_best: Most answers to return.

        Returns:
            `answers`, each with text, probability, and its characters start and end, the text empty
            where the model says that there is no answer; `tokens`, the characters of each token;
            `start` and `end`, the probability of each to be the answer's first or last; `abstains`;
            `no_answer`, its probability, None if the model always answers; `milliseconds`.

        Raises:
            SquadQAError: The text or question is empty, too long or no text.
        """
        for what, text, most in (
            ("text", context, MOST_CHARACTERS),
            ("question", question, MOST_QUESTION_CHARACTERS),
        ):
            if len(text) > most:
                raise DataError(
                    f"the {what} has {len(text):,} characters, and {most:,} is the most",
                    next_step=f"Shorten the {what}.",
                )
        with self.lock:
            began = time.perf_counter()
            found = self.answerer.answer_in_detail(context, question, n_best=n_best)
            seconds = time.perf_counter() - began
        first = found.answers[0]
        return {
            "answers": [asdict(answer) for answer in found.answers],
            "abstains": not first.text,
            "no_answer": first.no_answer_probability,
            "tokens": found.offset_mapping.tolist(),
            "start": found.start.round(DIGITS).tolist(),
            "end": found.end.round(DIGITS).tolist(),
            "milliseconds": round(1000 * seconds, 1),
        }


def make_models(opened: Sequence[tuple[str, Answerer]]) -> list[DemoModel]:
    """Name the models of a demo, and give each its lock.

    Args:
        opened: The folder of each run or ensemble, and what was opened.

    Returns:
        The models, named by the shortest ends of their folders that tell them apart.
    """
    annotating = threading.Lock()
    names = short_names([folder for folder, _ in opened])
    return [
        DemoModel(name, answerer, annotating if _annotates(answerer) else threading.Lock())
        for name, (_, answerer) in zip(names, opened, strict=True)
    ]


def short_names(folders: Sequence[str]) -> list[str]:
    """Return the shortest ends of paths that tell folders apart; of a folder twice, the same.

    Args:
        folders: The folders.
    """
    parts = [Path(folder).resolve().parts for folder in folders]
    names = []
    for own in parts:
        others = [other for other in parts if other != own]
        length = 1
        while length < len(own) and any(own[-length:] == other[-length:] for other in others):
            length += 1
        names.append("/".join(own[-length:]))
    return names


def warm_up(model: DemoModel, context: str, question: str) -> None:
    """Let a model answer once, so that its word vectors and its pipeline are open.

    Args:
        model: The model.
        context: Any text.
        question: Any question.

    Raises:
        SquadQAError: Its vectors or its pipeline are missing, or its weights give NaN.
    """
    model.answer(context, question, n_best=1)


def wait_for(models: Sequence[DemoModel]) -> None:
    """Wait until no model answers, and let none begin: the program is about to end.

    Args:
        models: The models.
    """
    with ExitStack() as held:
        for lock in {id(model.lock): model.lock for model in models}.values():
            held.enter_context(lock)
        held.pop_all()


def error_values(error: SquadQAError) -> dict[str, str]:
    """Return an error as plain values.

    Args:
        error: The error.
    """
    return {"what": error.what, "hint": error.hint, "next_step": error.next_step}


def _annotates(answerer: Answerer) -> bool:
    members = answerer.members if isinstance(answerer, Ensemble) else [answerer]
    return any(
        isinstance(one, Predictor) and one.run.inputs.pipeline is not None for one in members
    )
