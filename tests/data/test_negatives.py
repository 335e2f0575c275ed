"""Questions without an answer that are made of others."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from squadqa.data.annotation import ANNOTATION_COLUMNS
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.dataset import SpanDataset
from squadqa.data.negatives import CLOSEST, with_negatives
from squadqa.data.prepare import PreparedData
from squadqa.errors import DataError
from squadqa.scoring import normalize_answer
from tests.support import tiny

SAID = "The {0} mill by the {0} river was built by {0} Moss. "


def articles(number: int = 2, paragraphs: int = 8) -> tiny.Json:
    """Articles whose paragraphs each answer one question; some hold other paragraphs' answers."""
    data = []
    for article in range(number):
        entries = []
        for place in range(paragraphs):
            name = f"Name{article}{place}"
            context = SAID.format(name) + f"So was {'the' if place % 2 else 'a'} bridge."
            if place == 1:
                context += f" name{article}0 Moss, it is said, saw it."
            entries.append(
                {
                    "context": context,
                    "qas": [
                        {
                            "id": f"q{article}{place}",
                            "question": f"Who built the bridge by the {name} river?",
                            "answers": [
                                {"text": f"{name} Moss", "answer_start": context.index(name + " M")}
                            ],
                        }
                    ],
                }
            )
        data.append({"title": f"Article {article}", "paragraphs": entries})
    return {"data": data}


DATA = tiny.prepared(articles())
EVERY = np.arange(len(DATA.ids))


def made(data: PreparedData = DATA, **options: Any) -> tuple[PreparedData, list[int]]:
    whole, origin = with_negatives(
        data, np.arange(len(data.ids)), **{"share": 1.0, "seed": 1} | options
    )
    return whole, origin.tolist()


def pairs(data: PreparedData, origin: list[int]) -> dict[str, int]:
    """The paragraph of each question that was made, by the id of the one that it was made of."""
    added = data.paragraphs[len(data.ids) - len(origin) :].tolist()
    return {str(data.ids[row]): paragraph for row, paragraph in zip(origin, added, strict=True)}


def test_another_paragraph_of_the_article_that_does_not_hold_the_answer() -> None:
    data, origin = made()
    assert sorted(origin) == EVERY.tolist()
    for row, paragraph in zip(origin, data.paragraphs[len(EVERY) :].tolist(), strict=True):
        assert paragraph != DATA.paragraphs[row]
        assert data.titles[paragraph] == DATA.titles[int(DATA.paragraphs[row])]
        (answer,) = DATA.answer_texts[row].as_py()
        assert normalize_answer(answer) not in normalize_answer(data.contexts[paragraph].as_py())


def test_the_questions_come_after_the_sources_own_which_stay() -> None:
    data, origin = made(share=0.5)
    count = len(EVERY)
    assert 0 < len(origin) < count
    assert data.ids.to_pylist() == [
        *DATA.ids.to_pylist(), *(f"{DATA.ids[row]}-negative" for row in origin),
    ]  # fmt: skip
    assert data.unanswerable.tolist() == [False] * count + [True] * len(origin)
    assert data.start_positions[count:].tolist() == [-1] * len(origin)
    for each in fields(PreparedData):
        before, after = getattr(DATA, each.name), getattr(data, each.name)
        if isinstance(before, np.ndarray) and len(before) == count:
            assert np.array_equal(after[:count], before), each.name


def test_a_made_question_has_the_tokens_of_its_original() -> None:
    data, origin = made()
    texts, count = len(data.contexts), len(EVERY)
    bounds = data.tokens.bounds
    for number, row in enumerate(origin):
        own, copy = (slice(*bounds[texts + at : texts + at + 2]) for at in (row, count + number))
        for values in (
            data.tokens.forms,
            data.tokens.offset_mapping,
            *(getattr(data.annotation, name) for name in ANNOTATION_COLUMNS),
        ):
            assert np.array_equal(values[own], values[copy])
        assert data.questions[count + number] == DATA.questions[row]


def test_most_of_the_question_is_in_the_paragraph() -> None:
    """Only the paragraphs at even places hold "a bridge": the question asks for "the bridge"."""
    data, origin = made()
    held = {paragraph % 8 for paragraph in pairs(data, origin).values()}
    assert len(held) <= CLOSEST + 1


def test_seed_and_id_decide_alone() -> None:
    data, origin = made(share=0.5)
    again = made(share=0.5)
    assert (again[1], pairs(*again)) == (origin, pairs(data, origin))
    some = np.array(origin[1:])
    part, of_part = with_negatives(DATA, some, share=0.5, seed=1)
    assert pairs(part, of_part.tolist()) == {
        name: paragraph
        for name, paragraph in pairs(data, origin).items()
        if name != str(DATA.ids[origin[0]])
    }
    assert pairs(*made(share=0.5, seed=2)) != pairs(data, origin)
    assert set(pairs(data, origin)) <= set(pairs(*made(share=0.7)))


def test_an_article_of_one_paragraph_gives_none() -> None:
    with pytest.raises(DataError, match=r"no question could be paired .* \(2 were tried\)"):
        made(tiny.prepared(articles(2, 1)))


def test_questions_without_answers_are_not_taken() -> None:
    file = articles()
    file["data"][0]["paragraphs"][0]["qas"][0]["answers"] = []
    data, origin = made(tiny.prepared(file))
    assert 0 not in origin
    assert len(origin) == len(EVERY) - 1


def test_both_families_read_them() -> None:
    data, origin = made()
    rows = np.arange(len(data.ids))
    batch = SpanDataset(data, abstains=True).collate(rows)
    assert batch.unanswerable is not None
    assert batch.unanswerable.tolist() == data.unanswerable.tolist()
    inputs = CandidateInputs(num_buckets=3)
    inputs.fit(data, rows, abstains=True)
    candidates = inputs.dataset(data).collate(rows)
    assert candidates.unanswerable is not None
    assert not candidates.candidate_labels[len(EVERY) :].any()
    assert candidates.question_weights is not None
    own, copies = candidates.question_weights[origin], candidates.question_weights[len(EVERY) :]
    assert own.tolist() == copies.tolist()
