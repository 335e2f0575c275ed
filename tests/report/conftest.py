"""A report of made-up systems on the tiny SQuAD, with texts that would run if they were markup."""

import dataclasses

import numpy as np
import pytest

from squadqa.evaluation.comparison import compare
from squadqa.evaluation.inspected import Contributions, Inspected
from squadqa.evaluation.predictions import Answer
from squadqa.evaluation.question_slices import dimensions, score_slices
from squadqa.evaluation.questions import describe_questions
from squadqa.evaluation.systems import System, score_system, system_of_texts
from squadqa.evaluation.training_log import TrainingLog
from squadqa.report.content import ReportContent
from tests.support import tiny

EVIL = "</script><img src=x onerror=\"document.title='broken'\"> & {{ 7 * 7 }}"


def hostile() -> tiny.Json:
    """The tiny SQuAD, with markup in every kind of text, and a wide character before answers."""
    file = tiny.squad()
    article = file["data"][0]
    article["title"] = EVIL
    article["paragraphs"][0]["qas"][0]["question"] = f"Who {EVIL}?"
    paragraph = article["paragraphs"][1]
    paragraph["context"] = f"🥐 {EVIL} " + paragraph["context"]
    for question in paragraph["qas"]:
        for answer in question["answers"]:
            answer["answer_start"] = paragraph["context"].index(answer["text"])
    return file


@pytest.fixture(scope="session")
def content() -> ReportContent:
    """What a report of two systems shows."""
    questions = describe_questions(tiny.prepared(hostile()))
    answers = {}
    for row, name in enumerate(questions.ids):
        start, end = questions.gold_spans[row].tolist()
        context = questions.context_of(row)
        some = [Answer(context[start:end], 0.75, start, end), Answer(context[:4], 0.2, 0, 4)]
        answers[name] = some if row % 3 else some[::-1]
    first = score_system(questions, System("first", answers, "runs/first"))
    second = score_system(questions, system_of_texts(f"<b>{EVIL}", {"q0": "Moss", "q1": EVIL}))
    inspected = {}
    for row in (0, 4, 5):
        size = int(questions.context_lengths[row])
        words = int(np.diff(questions.data.tokens.bounds)[len(questions.contexts) + row])
        start_shares, end_shares = np.zeros(size, np.float32), np.zeros(size, np.float32)
        start_shares[1], end_shares[2] = 0.9, 1.0
        inspected[row] = Inspected(
            start_shares,
            end_shares,
            attention=np.full((size, words), 1 / words, np.float32),
            contributions=Contributions(EVIL, True, {"lengths": 1.5}, {"lengths": -0.25}),
        )
    kinds = dimensions(questions)
    log = TrainingLog(train_loss=[(5, 9.0), (10, 8.0)], f1=[(10, 20.0)])
    return ReportContent(
        data=f"dev {EVIL}",
        questions=questions,
        systems=[first, second],
        dimensions=kinds,
        slices=score_slices(kinds, [first, second]),
        comparisons=[compare(questions, first, second, kinds)],
        logs=[log, None],
        inspected=[inspected, {}],
        chosen=[4, 0, 5, 7],
    )


@pytest.fixture(scope="session")
def alone(content: ReportContent) -> ReportContent:
    """The same of one system that gives texts alone."""
    return dataclasses.replace(
        content,
        systems=content.systems[1:],
        slices=score_slices(content.dimensions, content.systems[1:]),
        comparisons=[],
        logs=[None],
        inspected=[{}],
    )
