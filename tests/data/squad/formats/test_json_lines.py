"""Rows of JSON: the forms of answers, other names, and rows without identifiers."""

import json
from typing import Any

import pytest

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.formats import json_lines
from squadqa.data.squad.row import Row
from squadqa.errors import DataError

ROW = {"id": "a", "question": "Who?", "context": "Ada saw Karl."}


def rows(*values: dict[str, Any], **columns: str) -> list[Row]:
    text = "".join(json.dumps(value) + "\n" for value in values)
    return list(json_lines.rows_of(text, "x.jsonl", Columns(**columns)))


@pytest.mark.parametrize(
    ("fields", "texts", "starts"),
    [
        ({}, [], []),
        ({"answers": None}, [], []),
        ({"answers": []}, [], []),
        ({"answers": {"text": [], "answer_start": []}}, [], []),
        ({"answers": {"text": ["Ada", "Karl"], "answer_start": [0, 8]}}, ["Ada", "Karl"], [0, 8]),
        ({"answers": {"text": ["Ada", "K"], "answer_start": [0, None]}}, ["Ada", "K"], [0, None]),
        ({"answers": {"text": ["Ada"]}}, ["Ada"], [None]),
        ({"answers": {"text": "Ada", "answer_start": 0}}, ["Ada"], [0]),
        ({"answers": {"text": "Ada"}}, ["Ada"], [None]),
        ({"answers": [{"text": "Ada", "answer_start": 0}, {"text": "K"}]}, ["Ada", "K"], [0, None]),
        ({"answers": [{"text": "Ada", "answer_start": -1}]}, ["Ada"], [None]),
        ({"answers": ["Ada", "Karl"]}, ["Ada", "Karl"], [None, None]),
        ({"answers": ["Ada", "Karl"], "answer_start": [0, 8]}, ["Ada", "Karl"], [0, 8]),
        ({"answers": "Ada"}, ["Ada"], [None]),
        ({"answers": "Ada", "answer_start": 0}, ["Ada"], [0]),
        ({"answer": "Ada", "answer_start": 0}, ["Ada"], [0]),
        ({"answer": "Ada"}, ["Ada"], [None]),
        ({"answer": ""}, [], []),
        ({"answer": ["Ada"]}, ["Ada"], [None]),
    ],
)
def test_forms_of_answers(
    fields: dict[str, Any], texts: list[str], starts: list[int | None]
) -> None:
    (row,) = rows({**ROW, **fields})
    assert (row.texts, row.starts) == (texts, starts)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"answer": "Ada", "answer_start": "0"}, "\"answer_start\": '0', not a whole number"),
        ({"answer": "Ada", "answer_start": True}, '"answer_start": True, not a whole number'),
        ({"answer": 5}, '"answer": 5, not an object, a list or a text'),
        ({"answers": True}, '"answers": True, not an object, a list or a text'),
        ({"answers": ["Ada", "Karl"], "answer_start": 0}, '2 answer texts but one "answer_start"'),
        ({"answers": ["Ada"], "answer_start": [0, 8]}, "1 answer texts but 2 answer starts"),
        ({"answers": [{"text": "Ada"}, "Karl"]}, "\"answers[0]\": {'text': 'Ada'}, not a string"),
        ({"is_impossible": "no"}, "\"is_impossible\": 'no', not true or false"),
        ({"is_impossible": True, "answer": "Ada"}, '"is_impossible": true, and the answer'),
        ({"question": 5}, '"question": 5, not a string'),
        ({"title": 5}, '"title": 5, not a string'),
    ],
)
def test_other_forms_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as caught:
        rows(ROW, {**ROW, **fields})
    assert '"x.jsonl" is not SQuAD v1.1: line 2 has ' in str(caught.value)
    assert said in str(caught.value)


def test_other_names() -> None:
    value = {"key": 5, "q": "Who?", "text": "Ada.", "gold": "Ada", "at": 0, "about": "Mill"}
    names = {"id": "key", "question": "q", "context": "text", "answer": "gold"}
    (row,) = rows(value, **names, answer_start="at", title="about")
    assert (row.id, row.question, row.context, row.title) == ("5", "Who?", "Ada.", "Mill")
    assert (row.texts, row.starts) == (["Ada"], [0])


def test_a_named_column_wins_over_the_usual_one() -> None:
    value = {**ROW, "answers": ["Karl"], "gold": "Ada"}
    assert rows(value)[0].texts == ["Karl"]
    assert rows(value, answer="gold")[0].texts == rows(value, answers="gold")[0].texts == ["Ada"]


def test_a_named_column_has_to_be_there() -> None:
    with pytest.raises(DataError) as caught:
        rows(ROW, answer="anser")
    assert '"x.jsonl" has no column "anser" for the answer' in str(caught.value)


def test_a_misspelt_field_gets_a_suggestion() -> None:
    with pytest.raises(DataError, match='line 1 misses "context"\nDid you mean "contexts"'):
        rows({"question": "Who?", "contexts": "Ada."})


def test_rows_without_identifiers_are_numbered() -> None:
    bare = {"question": "Who?", "context": "Ada."}
    assert [row.id for row in rows(bare, bare)] == ["1", "2"]
    with pytest.raises(DataError, match='line 2 misses "id"'):
        rows(ROW, bare)
