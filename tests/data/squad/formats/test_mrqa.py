"""MRQA's files: inclusive ends, markers in contexts, several places, aliases."""

import json
from pathlib import Path
from typing import Any

import pytest

from squadqa.data.squad import read_squad
from squadqa.data.squad.formats import mrqa
from squadqa.data.squad.row import Row
from squadqa.data.squad.source import Source
from squadqa.errors import DataError

HEADER = {"header": {"dataset": "Mills", "split": "dev"}}
CONTEXT = "[TLE] The mill [PAR] Ada  built the mill. [SEP] It was ADA again. [DOC] Karl left."


def question(*detected: tuple[str, list[list[int]]], **fields: Any) -> dict[str, Any]:
    found = [{"text": text, "char_spans": spans} for text, spans in detected]
    return {"qid": "a", "question": "Who?", "detected_answers": found, **fields}


def rows(*questions: dict[str, Any]) -> list[Row]:
    lines = [HEADER, {"context": CONTEXT, "qas": list(questions)}]
    return list(mrqa.rows_of("\n".join(map(json.dumps, lines)), "x.jsonl"))


def test_the_last_character_belongs_to_the_answer() -> None:
    (row,) = rows(question(("Ada", [[21, 23]])))
    assert (row.id, row.context) == ("a", CONTEXT)
    assert (row.texts, row.starts) == (["Ada"], [21])
    assert CONTEXT[21 : 21 + 3] == "Ada"


def test_every_place_then_aliases() -> None:
    spans = [[21, 23], [55, 57]]
    (row,) = rows(question(("Ada", spans), ("Karl", [[72, 75]]), answers=["Ada", "Miss A.", "Ada"]))
    # As the context has it, where only capitals differ.
    assert row.texts == ["Ada", "ADA", "Karl", "Miss A."]
    assert row.starts == [21, 55, 72, None]


def test_other_white_space_is_that_of_the_context() -> None:
    (row,) = rows(question(("Ada built", [[21, 30]])))
    assert row.texts == ["Ada  built"]


def test_an_answer_elsewhere_stays_as_it_is() -> None:
    (row,) = rows(question(("Ada", [[22, 24]])))
    assert (row.texts, row.starts) == (["Ada"], [22])


def test_a_text_without_spans_has_no_place() -> None:
    (row,) = rows(question(("Ada", [])))
    assert (row.texts, row.starts) == (["Ada"], [None])


def test_training_takes_questions_with_aliases(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    line = {"context": CONTEXT, "qas": [question(("Ada", [[21, 23]]), answers=["Ada", "Miss A."])]}
    path.write_text(json.dumps(HEADER) + "\n" + json.dumps(line))
    data = read_squad(Source(str(path)), bad_answers="error")
    assert (data.answer_texts, data.answer_starts) == ([["Ada", "Miss A."]], [[21, -1]])
    assert data.titles == ["untitled: line 2 qas[0]"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"detected_answers": [{"text": "Ada", "char_spans": [[5]]}]}, '"char_spans[0]": [5], not'),
        ({"detected_answers": [{"text": "Ada", "char_spans": [[5, 4]]}]}, "last character is bef"),
        ({"detected_answers": [{"text": "A", "char_spans": [["5", 6]]}]}, "'5', not a whole numb"),
        ({"detected_answers": [{"char_spans": [[5, 6]]}]}, 'misses "text"'),
        ({"detected_answers": "Ada"}, "\"detected_answers\": 'Ada', not a list"),
        ({"question": None}, 'misses "question"'),
        ({"qid": None}, 'misses "id"'),
        ({"answers": [5]}, '"answers[0]": 5, not a string'),
    ],
)
def test_other_forms_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as caught:
        rows({**question(), **changed})
    assert '"x.jsonl" is not MRQA: line 2 qas[0]' in str(caught.value)
    assert said in str(caught.value)


def test_written_lines_have_what_the_format_asks_for() -> None:
    made = rows(question(("Ada", [[21, 23], [55, 57]]), ("Karl", [[72, 75]]), answers=["Miss A."]))
    header, line = map(json.loads, mrqa.dumped(made, name="mills.json"))
    assert header["header"]["dataset"] == "mills.json"
    assert line["context"] == CONTEXT
    for text, start in line["context_tokens"]:
        assert CONTEXT[start : start + len(text)] == text
    (written,) = line["qas"]
    assert (written["qid"], written["question"]) == ("a", "Who?")
    assert written["answers"] == ["Ada", "ADA", "Karl", "Miss A."]
    for answer in written["detected_answers"]:
        for (first, last), (begin, end) in zip(
            answer["char_spans"], answer["token_spans"], strict=True
        ):
            assert CONTEXT[first : last + 1] == answer["text"]
            tokens = line["context_tokens"]
            assert (tokens[begin][1], tokens[end][1] + len(tokens[end][0])) == (first, last + 1)
