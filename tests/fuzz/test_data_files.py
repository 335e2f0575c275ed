"""Damaged data files: JSON, JSON lines, and both packed."""

import gzip
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.prepare import prepare_data
from squadqa.data.squad import content, find_source, read_squad
from squadqa.errors import DataError
from tests.support import tiny
from tests.support.fuzzing import changed, few_and_many, fuzz, mutated

ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")


def text_of(value: Any, ending: str) -> bytes:
    """A nested file as JSON, or a list of rows as JSON lines."""
    if "jsonl" in ending:
        lines = value if isinstance(value, list) else [value]
        return "".join(json.dumps(line) + "\n" for line in lines).encode()
    return json.dumps(value).encode()


def damaged(random: Random, ending: str) -> bytes:
    """A data file with changed values or bytes, or changed bytes of its packed form."""
    value: Any = list(tiny.flat_rows(tiny.squad())) if "jsonl" in ending else tiny.squad()
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
