"""Files written in another format: which format, what is kept, what is refused."""

import gzip
import json
from pathlib import Path

import pytest

import squadqa
from squadqa.data.squad import find_source, read_squad
from squadqa.data.squad.convert import Converted, convert
from squadqa.errors import ConfigError, DataError, OutputError
from tests.support import tiny


def converted(source: Path, path: Path, to: str | None = None) -> Converted:
    return convert(find_source(str(source)), path, to=to)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tiny.write(tmp_path / "in.json", tiny.squad())


@pytest.mark.parametrize(
    ("name", "to"),
    [
        *((f"out{end}{packed}", None) for end in (".json", ".jsonl", ".csv", ".tsv")
          for packed in ("", ".gz")),
        *(("out.jsonl.gz", "mrqa"), ("out.data", "csv"), ("out.json", "jsonl")),
    ],
)  # fmt: skip
def test_the_questions_are_the_same(
    name: str, to: str | None, source: Path, tmp_path: Path
) -> None:
    done = converted(source, tmp_path / name, to)
    assert (done.questions, done.contexts, done.without_answers) == (8, 3, 0)
    assert done.found == {}
    assert tiny.read(tmp_path / name) == tiny.as_data(tiny.squad())


def test_articles_and_paragraphs_stay_as_they_are(source: Path, tmp_path: Path) -> None:
    converted(source, tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == tiny.squad()


def test_the_same_questions_make_the_same_file(source: Path, tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        converted(source, tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes())


def test_impossible_questions_come_back(tmp_path: Path) -> None:
    file = tiny.join(tiny.squad(), tiny.one_question(answers=[]))
    file["data"][-1]["paragraphs"][0]["qas"][0]["is_impossible"] = True
    source = tiny.write(tmp_path / "in.json", file)
    done = converted(source, tmp_path / "out.csv")
    assert done.without_answers == 1
    converted(tmp_path / "out.csv", tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["version"] == "v2.0"
    assert written["data"][-1]["paragraphs"][0]["qas"][0]["is_impossible"] is True


def test_from_python_with_columns_and_places(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("q,text,gold\nWho?,Ada met Ada.,Ada\nWho?,Karl left.,Ida\n")
    names = {"question": "q", "context": "text", "answer": "gold"}
    line = (tmp_path / "in.csv", tmp_path / "out.json")
    with pytest.raises(DataError, match="the answers of 2 of 2 questions are texts without pl"):
        squadqa.convert(*line, columns=names)
    assert not (tmp_path / "out.json").exists()
    done = squadqa.convert(*line, columns=names, find_answers="all")
    assert done.found == {"found": 1, "of these in several places": 1, "not in the context": 1}
    data = read_squad(find_source(str(tmp_path / "out.json")))
    assert data.answer_starts == [[0, 8], [-1]]


@pytest.mark.parametrize(
    ("name", "to", "said"),
    [
        ("out.xml", None, 'the ending of ".*out.xml" says no format'),
        ("out", None, "says no format"),
        ("out.jsno", None, 'Did you mean ".json"'),
        ("out.gz", None, "says no format"),
        ("out.json", "mrqq", 'there is no format "mrqq"\nDid you mean "mrqa"'),
    ],
)
def test_other_formats_are_refused(
    name: str, to: str | None, said: str, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        converted(source, tmp_path / name, to)


def test_nothing_is_left_of_a_file_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        converted(source, source / "out.json")
    (tmp_path / "bad.jsonl").write_text('{"question": "Who?"}')
    with pytest.raises(DataError):
        converted(tmp_path / "bad.jsonl", tmp_path / "out.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.jsonl", "in.json"]
