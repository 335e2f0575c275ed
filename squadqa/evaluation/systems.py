"""Systems to compare: runs, ensembles and prediction files, with their answers and scores.

Letters: N questions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from squadqa.evaluation.predictions import Answer
from squadqa.evaluation.questions import Questions, span_lengths
from squadqa.scoring_v2 import score_each

UNKNOWN = -1
"""The place of an answer of which only the text is known."""


@dataclass(frozen=True)
class System:
    """A system's answers.

    Args:
        name: Its name, for people; different systems have different names.
        answers: The best answers of each question id, the best first. Where only the text is known,
            `probability` is NaN, and `start` and `end` are `UNKNOWN`. Missing ids score 0.
        description: Where it comes from, for people: a checkpoint, or a file.
    """

    name: str
    answers: Mapping[str, Sequence[Answer]]
    description: str = ""


@dataclass(frozen=True)
class ScoredSystem:
    """A system's first answer to each question, as columns of a table.

    Args:
        system: The system.
        texts: (N,) the answers' texts; empty where there is none.
        exact_match: (N,) 0 or 1.
        f1: (N,) 0 to 1.
        probabilities: (N,) 0 to 1; NaN where unknown.
        spans: (N, 2) characters of the answers, half-open; `UNKNOWN` where unknown.
        lengths: (N,) tokens of the answers; `UNKNOWN` where unknown.
    """

    system: System
    texts: list[str]
    exact_match: NDArray[np.float64]
    f1: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    spans: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @property
    def name(self) -> str:
        """The system's name."""
        return self.system.name

    @property
    def outcomes(self) -> NDArray[np.int64]:
        """(N,) index in `OUTCOMES`."""
        return outcomes_of(self.exact_match, self.f1)


OUTCOMES = ("right", "partly right", "wrong")
"""An exact match; shared words with a given answer; none."""


def outcomes_of(exact_match: NDArray[np.float64], f1: NDArray[np.float64]) -> NDArray[np.int64]:
    """(N,) index in `OUTCOMES` of answers with these (N,) scores."""
    return np.where(exact_match > 0, 0, np.where(f1 > 0, 1, 2)).astype(np.int64)


def score_system(questions: Questions, system: System, *, by_v2: bool = False) -> ScoredSystem:
    """Score a system question by question, by an official rule.

    Args:
        questions: The questions; each has given answers, unless the rule is that of v2.0.
        system: The system.
        by_v2: Whether the rule is that of SQuAD v2.0: an empty text says that there is no answer.

    Raises:
        DataError: A question has no given answers.
    """
    nothing = Answer("", math.nan, UNKNOWN, UNKNOWN)
    given = [system.answers.get(name) for name in questions.ids]
    best = [some[0] if some else nothing for some in given]
    answered = [row for row, some in enumerate(given) if some]
    exact_match, f1 = np.zeros(len(given)), np.zeros(len(given))
    texts = [best[row].text for row in answered]
    references = [questions.references[row] for row in answered]
    exact_match[answered], f1[answered] = score_each(texts, references, is_v2=by_v2)
    spans = np.array([_place(questions, row, one) for row, one in enumerate(best)], np.int64)
    spans = spans.reshape(-1, 2)
    return ScoredSystem(
        system=system,
        texts=[one.text for one in best],
        exact_match=exact_match,
        f1=f1,
        probabilities=np.array([one.probability for one in best], float),
        spans=spans,
        lengths=span_lengths(questions.data, spans),
    )


def system_of_texts(name: str, texts: Mapping[str, str], *, description: str = "") -> System:
    """Make a system of which only the texts of its answers are known.

    Args:
        name: The system's name.
        texts: The answer by question id.
        description: Where it comes from.
    """
    answers = {one: [Answer(text, math.nan, UNKNOWN, UNKNOWN)] for one, text in texts.items()}
    return System(name, answers, description)


def _place(questions: Questions, row: int, answer: Answer) -> tuple[int, int]:
    """Return where an answer is: where it says, or where its text is if it is there only once."""
    context = questions.context_of(row)
    if answer.start >= 0 and context[answer.start : answer.end] == answer.text:
        return answer.start, answer.end
    if answer.text.strip() and context.count(answer.text) == 1:
        start = context.index(answer.text)
        return start, start + len(answer.text)
    return UNKNOWN, UNKNOWN
