"""Damaged data files: JSON, JSON lines, MRQA, tables, and some of them packed."""

import gzip
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.prepare import prepare_data
from squadqa.data.squad import Reading, content, find_source, read_squad
from squadqa.data.squad.convert import convert
from squadqa.data.squad.formats import mrqa, nested_json
from squadqa.errors import DataError
from tests.support import tiny
from tests.support.fuzzing import changed, few_and_many, fuzz, mutated

ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz", ".mrqa.jsonl", ".csv", ".tsv")
DELIMITERS = {".csv": ",", ".tsv": "\t"}


def value_of(ending: str) -> Any:
    """The tiny file in the form that is changed: JSON's values, lines, or cells."""
    if "mrqa" in ending:
        rows = list(nested_json.rows_of(tiny.squad(), ""))
        return [json.loads(line) for line in mrqa.dumped(rows, name="x")]
    rows = list(tiny.flat_rows(tiny.squad()))
    if ending in DELIMITERS:
        names = ["id", "title", "context", "question", "answers"]
        return [names, *([row[name] for name in names] for row in rows)]
    return rows if "jsonl" in ending else tiny.squad()


def text_of(value: Any, ending: str) -> bytes:
    """A file as text: a table, JSON lines, or JSON."""
    if ending in DELIMITERS:
        return "".join(_line(row, DELIMITERS[ending]) for row in value or [[]]).encode(
            "utf-8", "surrogatepass"
        )
    if "jsonl" in ending:
        lines = value if isinstance(value, list) else [value]
        return "".join(json.dumps(line) + "\n" for line in lines).encode()
    return json.dumps(value).encode()


def _line(row: Any, delimiter: str) -> str:
    cells = row if isinstance(row, list) else [row]
    quoted = (one if isinstance(one, str) else json.dumps(one) for one in cells)
    return delimiter.join('"' + one.replace('"', '""') + '"' for one in quoted) + "\n"


def damaged(random: Random, ending: str) -> bytes:
    """A data file with changed values or bytes, or changed bytes of its packed form."""
    value = value_of(ending)
    how = random.randrange(3 if ending.endswith(".gz") else 2)
    text = text_of(changed(random, value) if how == 0 else value, ending)
    text = mutated(random, text) if how == 1 else text
    packed = gzip.compress(text) if ending.endswith(".gz") else text
    return mutated(random, packed) if how == 2 else packed


@pytest.mark.parametrize("ending", ENDINGS)
@few_and_many(60, seconds=1200)
def test_damaged_files(ending: str, count: int, tmp_path: Path) -> None:
    path = tmp_path / f"x{ending}"
    prepare_data(tiny.as_data(tiny.squad()))  # imports much

    def attempt(random: Random) -> None:
        path.write_bytes(damaged(random, ending))
        data = read_squad(
            find_source(str(path)), bad_answers=random.choice(("error", "skip", "keep"))
        )
        if random.random() < 0.2:  # takes ten times as long
            prepare_data(data)
        if random.random() < 0.2:
            made = path.with_name("made" + random.choice((".json", ".jsonl", ".csv")))
            reading = Reading.of(None, "all")
            convert(find_source(str(path), reading=reading), made)
            read_squad(find_source(str(made)))

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["data", "paragraphs", "context", "qas", "id", "question", "answers"]))
def test_any_value_in_any_field(tmp_path_factory: pytest.TempPathFactory, value: Any, key: str):
    file = tiny.one_question()
    place: Any = file
    while key not in place:
        place = next(one for name in ("data", "paragraphs", "qas") if (one := place.get(name)))[0]
    place[key] = value
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(file))
    try:
        prepare_data(read_squad(find_source(str(path))))
    except DataError as error:
        assert str(path) in str(error)


def test_a_packed_file_that_unpacks_to_far_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(bytes(5 << 20)))
    monkeypatch.setattr(content, "MOST_UNPACKED", 4 << 20)
    with pytest.raises(DataError, match="unpacks to more than 4 MiB"):
        read_squad(find_source(str(path)))
