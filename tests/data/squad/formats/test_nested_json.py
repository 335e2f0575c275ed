"""SQuAD's own files: what v2.0 adds, and numbers as identifiers."""

import json
from pathlib import Path
from typing import Any

import pytest

from squadqa.data.squad.formats import nested_json
from squadqa.data.squad.row import Row
from squadqa.errors import DataError
from tests.support import tiny


def rows(**question: Any) -> list[Row]:
    file = tiny.one_question(answers=[])
    file["data"][0]["paragraphs"][0]["qas"][0].update(question)
    return list(nested_json.rows_of(file, "x.json"))


@pytest.mark.parametrize("says", [None, True, False])
def test_impossible_questions(says: bool | None) -> None:
    (row,) = rows(is_impossible=says)
    assert (row.is_impossible, row.texts, row.starts) == (says, [], [])


def test_an_empty_answer_of_an_impossible_question_is_none() -> None:
    empty = [{"text": "", "answer_start": -1}]
    (row,) = rows(is_impossible=True, answers=empty)
    assert row.texts == []
    (row,) = rows(is_impossible=False, answers=empty)
    assert row.texts == [""]


def test_plausible_answers_are_no_answers() -> None:
    (row,) = rows(is_impossible=True, plausible_answers=[{"text": "cat", "answer_start": 4}])
    assert row.texts == []


@pytest.mark.parametrize("number", [0, 7, -3, 2**63])
def test_a_whole_number_is_an_identifier(number: int) -> None:
    assert rows(id=number)[0].id == str(number)


@pytest.mark.parametrize("value", [True, 7.0, 2**64, [7], None])
def test_other_identifiers_are_refused(value: Any) -> None:
    with pytest.raises(DataError, match='qas.0. (has|misses) "id"'):
        rows(id=value)


def test_a_number_and_its_text_are_the_same_identifier(tmp_path: Path) -> None:
    file = tiny.join(tiny.one_question(id="7"), tiny.one_question())
    file["data"][1]["paragraphs"][0]["qas"][0]["id"] = 7
    with pytest.raises(DataError, match='the id "7" occurs twice'):
        tiny.read(tiny.write(tmp_path / "x.json", file))


def test_v2_is_written_where_a_question_says_whether_it_is_impossible() -> None:
    for says, version in ((None, "1.1"), (False, "v2.0"), (True, "v2.0")):
        file = json.loads("".join(nested_json.dumped(rows(is_impossible=says))))
        (question,) = file["data"][0]["paragraphs"][0]["qas"]
        assert file["version"] == version
        assert question.get("is_impossible") == says
        assert ("is_impossible" in question) == (says is not None)


def test_articles_stay_together() -> None:
    file = tiny.squad()
    written = json.loads("".join(nested_json.dumped(list(nested_json.rows_of(file, "")))))
    assert written == file
