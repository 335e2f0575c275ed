"""A model without weights, whose answers a test writes down: for pages and servers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from squadqa.evaluation.predictions import Answer
from squadqa.inference.answered import Answered, DetailedAnswer, Preparation
from squadqa.inference.answering import Answerer


class ScriptedAnswerer(Answerer):
    """Answers every question with words of the text, as a function of the question says.

    Args:
        choose: The numbers of the words to answer with, the best first, and their probabilities.
    """

    def __init__(self, choose: Callable[[str], Sequence[tuple[int, float]]]) -> None:
        self.choose = choose

    @property
    def description(self) -> str:
        return "made up"

    @property
    def parser(self) -> None:
        return None

    def ask(
        self, context: str, questions: Sequence[str], *, n_best: int, **options: Any
    ) -> list[list[Answer]]:
        return [
            self.ask_in_detail(context, question, n_best=n_best).answers for question in questions
        ]

    def ask_in_detail(self, context: str, question: str, *, n_best: int) -> DetailedAnswer:
        offsets, begin = [], 0
        for word in context.split():
            begin = context.index(word, begin)
            offsets.append((begin, begin + len(word)))
            begin += len(word)
        chosen = list(self.choose(question))[:n_best]
        shares = np.zeros(len(offsets))
        for word, probability in chosen:
            shares[word] = probability
        answers = [
            Answer(context[slice(*offsets[word])], probability, *offsets[word])
            for word, probability in chosen
        ]
        return DetailedAnswer(answers, np.array(offsets), shares, shares)

    def answer_file(self, *_: Any, preparation: Preparation | None = None, **__: Any) -> Answered:
        raise NotImplementedError
