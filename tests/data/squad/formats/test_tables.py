"""CSV and TSV: cells of every kind, and tables that are none."""

import csv

import pytest

from squadqa.data.squad.columns import Columns
from squadqa.data.squad.formats import tables
from squadqa.data.squad.row import Row
from squadqa.errors import DataError


def rows(text: str, **columns: str) -> list[Row]:
    return list(tables.rows_of(text, "x.csv", Columns(**columns)))


def refusal(text: str, **columns: str) -> str:
    with pytest.raises(DataError) as caught:
        rows(text, **columns)
    assert '"x.csv"' in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("header", "cells", "texts", "starts"),
    [
        ("answer,answer_start", "Ada,0", ["Ada"], [0]),
        ("answer,answer_start", "Ada,0.0", ["Ada"], [0]),
        ("answer,answer_start", "Ada,", ["Ada"], [None]),
        ("answer,answer_start", "Ada,-1", ["Ada"], [None]),
        ("answer,answer_start", ",", [], []),
        ("answer", "[Ada]", ["[Ada]"], [None]),
        ("answer", "5", ["5"], [None]),
        ("answers", "[]", [], []),
        ("answers", "", [], []),
        ("answers", '"[""Ada"", ""K""]"', ["Ada", "K"], [None, None]),
        ("answers,answer_start", '"[""Ada"", ""K""]","[0, 8]"', ["Ada", "K"], [0, 8]),
        ("answers", '"{""text"": [""Ada""], ""answer_start"": [0]}"', ["Ada"], [0]),
        ("answers", '"[{""text"": ""Ada"", ""answer_start"": 0}]"', ["Ada"], [0]),
    ],
)
def test_answers(header: str, cells: str, texts: list[str], starts: list[int | None]) -> None:
    (row,) = rows(f"question,context,{header}\nWho?,Ada saw Karl.,{cells}\n")
    assert (row.texts, row.starts) == (texts, starts)


@pytest.mark.parametrize(
    ("cell", "says"),
    [("", None), ("true", True), ("False", False), ("1", True), ("0", False)],
)
def test_impossible_questions(cell: str, says: bool | None) -> None:
    (row,) = rows(f"question,context,is_impossible\nWho?,Ada.,{cell}\n")
    assert row.is_impossible is says


def test_texts_are_kept_character_by_character() -> None:
    context = ' Ada;\tsaid, "no"\r\n\rand left.\n '
    quoted = context.replace('"', '""')
    for mark in tables.DELIMITERS:
        (row,) = rows(f'question{mark}context\n" who?\n"{mark}"{quoted}"')
        assert (row.question, row.context) == (" who?\n", context)


def test_long_cells_and_the_limit_of_others() -> None:
    before = csv.field_size_limit()
    (row,) = rows(f"question,context\nWho?,{'Ada ' * 100_000}\n")
    assert len(row.context) == 400_000
    assert csv.field_size_limit() == before


def test_rows_are_numbered_and_lines_are_named() -> None:
    found = rows('question,context\n\nWho?,"Ada\nleft."\nWhy?,Ada.\n')
    assert [(row.id, row.where) for row in found] == [("1", "line 3"), ("2", "line 5")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question,text\nWho?,Ada.\n", 'has no column "context" for the context'),
        ("question;context;id\nWho?;Ada.\n", "line 2 has 2 cells, and the header has 3"),
        ("question,context\nWho?,Ada, Karl.\n", "line 2 has 3 cells, and the header has 2"),
        ('question,context\nWho?,"Ada\n', "is no table: unexpected end of data at line 2"),
        ('question,context\nWho?,"Ada" or "Karl"\n', "is no table: ',' expected after '\"'"),
        ("question,context,question\nWho?,Ada.,Who?\n", 'has 2 columns "question"'),
        ("question,context,answers\nWho?,Ada.,Ada\n", "\"answers\": 'Ada', which is no JSON list"),
        ("question,context,answers\nWho?,Ada.,5\n", "\"answers\": '5', which is no JSON list"),
        (
            "question,context,answer,answer_start\nWho?,Ada.,Ada,x\n",
            "line 2 has \"answer_start\": 'x', not a whole number",
        ),
        (
            "question,context,answer,answer_start\nWho?,Ada.,Ada,0.5\n",
            'line 2 has "answer_start": 0.5, not a whole number',
        ),
        (
            "question,context,is_impossible\nWho?,Ada.,maybe\n",
            "line 2 has \"is_impossible\": 'maybe', not true or false",
        ),
    ],
)
def test_other_tables_are_refused(text: str, said: str) -> None:
    assert said in refusal(text)


def test_a_plain_column_called_answers() -> None:
    text = "question,context,answers\nWho?,Ada.,Ada\n"
    assert "--columns answer=answers" in refusal(text)
    assert rows(text, answer="answers")[0].texts == ["Ada"]


def test_a_misspelt_name_gets_a_suggestion() -> None:
    said = refusal("question,context,gold\nWho?,Ada.,Ada\n", answer="glod")
    assert 'has no column "glod" for the answer\nDid you mean "gold"?' in said


def test_all_columns_are_listed() -> None:
    said = refusal("Question,Passage,Answer\nWho?,Ada.,Ada\n")
    assert 'Did you mean "Question"? It has "Question", "Passage", "Answer".' in said
