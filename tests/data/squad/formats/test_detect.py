"""The format of a file is found by its content, whatever its name."""

import json
from pathlib import Path

import pytest

from squadqa.data.squad import Columns, Reading, SquadData, find_source, read_squad
from squadqa.errors import DataError

CONTEXT = 'Ada said: "The mill, it turns; always."\nKarl left.'
ROW = {"id": "a", "question": "What turns?", "context": CONTEXT}
ANSWERS = {"text": ["mill"], "answer_start": [CONTEXT.index("mill")]}
QUESTION = {"id": "a", "question": ROW["question"]}
PLACED = [{"text": "mill", "answer_start": ANSWERS["answer_start"][0]}]
MRQA = {
    "context": CONTEXT,
    "qas": [{**QUESTION, "detected_answers": [{"text": "mill", "char_spans": [[15, 18]]}]}],
}
QUOTED = CONTEXT.replace('"', '""')

TEXTS = {
    "nested": json.dumps({"data": [{"paragraphs": [{"context": CONTEXT, "qas": [
        {**QUESTION, "answers": PLACED}]}]}]}, indent=1),
    "one line": json.dumps({**ROW, "answers": ANSWERS}),
    "lines": "\n" + json.dumps({**ROW, "answers": ANSWERS}) + "\n\n",
    "texts and places": json.dumps({**ROW, "answers": ["mill"], "answer_start": [15]}),
    "list": json.dumps([{**ROW, "answers": PLACED}], indent=2),
    "mrqa": json.dumps({"header": {"dataset": "x"}}) + "\n" + json.dumps(MRQA),
    "mrqa without a header": json.dumps(MRQA),
    "csv": f'id,answer_start,question,context,answer\na,15,What turns?,"{QUOTED}",mill\n',
    "tsv": f'context\tid\tquestion\tanswer\tanswer_start\n"{QUOTED}"\ta\tWhat turns?\tmill\t15.0',
    "semicolons": f'id;context;question;answers;answer_start\r\na;"{QUOTED}";What turns?;'
    '"[""mill""]";[15]\r\n',
}  # fmt: skip
NAMES = ("x.json", "x.jsonl", "x.csv", "x.data")


def read(path: Path, *, columns: str | None = None) -> SquadData:
    return read_squad(find_source(str(path), reading=Reading.of(columns)), bad_answers="error")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("format", TEXTS)
def test_every_form_under_every_name(format: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(TEXTS[format].encode())
    data = read(path)
    assert (data.contexts, data.questions) == ([CONTEXT], ["What turns?"])
    assert (data.ids, data.answer_texts, data.answer_starts) == (["a"], [["mill"]], [[15]])


@pytest.mark.parametrize("name", ["notes", "x.csv", "x.json"])
@pytest.mark.parametrize("text", ["", "Ada built the mill.", "a,b,c\n1,2,3\n", "%PDF-1.4", "\x00"])
def test_other_texts_are_refused(text: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read(path)
    assert f'"{path}"' in str(caught.value)
    expected = {
        "notes": "is in no known format: it begins with" if text else "is empty",
        "x.csv": 'has no column "question" for the question',
        "x.json": "is not JSON",
    }
    assert expected[name] in str(caught.value)


def test_a_plain_text_is_told_how_to_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "mill.txt"
    path.write_text("Ada built the mill.")
    with pytest.raises(DataError, match="squadqa predict RUN_FOLDER --data FILE --questions FILE"):
        read(path)


def test_other_names_of_columns_help_to_find_a_table(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("q,text\nWho?,Ada.\n")
    with pytest.raises(DataError, match="in no known format"):
        read(path)
    source = find_source(str(path), reading=Reading(Columns(question="q", context="text")))
    assert read_squad(source).questions == ["Who?"]


@pytest.mark.parametrize("rest", ["x", '{"data": []}'])
def test_more_after_the_end(rest: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(f'{{"data":\n []}} {rest}')
    with pytest.raises(DataError, match="is not JSON: Extra data at line 2, column 6"):
        read(path)
