"""Counts of what a prepared source holds."""

from dataclasses import replace
from pathlib import Path

import pytest

from squadqa.data.prepare import prepare_data
from squadqa.data.summary import summarize
from tests.support import tiny
from tests.support.parsed import Question, Text, prepared

FILES = tiny.join(
    tiny.one_question("Ida saw.", "Who?", [("Ida", 0)], id="exact"),
    tiny.one_question("Ida saw.", "Who?", [("Id", 0)], id="expanded"),
    tiny.one_question("Tom saw.", "Who?", [], id="none"),
)


def test_counts_by_hand() -> None:
    data = replace(prepare_data(tiny.as_data(FILES)), source="dev.json", skipped={"no text": 4})
    found = summarize(data)
    assert (found.source, found.paragraphs, found.questions) == ("dev.json", 2, 3)
    assert found.articles == 1
    assert found.tokens == 2 * 3 + 3 * 2  # "Ida saw ." and "Tom saw .", and "Who ?" three times
    assert found.forms == 6
    assert found.alignment == {
        "none": 1,
        "exact": 1,
        "expanded": 1,
        "lost": 0,
        "misplaced": 0,
        "unplaced": 0,
    }
    assert found.skipped == {"no text": 4}
    assert (found.annotated, found.vectors) == (False, None)


def test_annotation_is_reported() -> None:
    text = Text([[("Ida", 1), ("saw", 1)]])
    assert summarize(prepared([text], [Question(text, 0, (0, 0))])).annotated


def test_coverage_counts_forms_and_tokens(tmp_path: Path) -> None:
    paths = [tmp_path / "some.txt", tmp_path / "more.txt"]
    for path, words in zip(paths, (["Ida"], ["saw", "Ida"]), strict=True):
        path.write_text("".join(f"{word} 1 0\n" for word in words))
    sources = list(map(str, paths))
    found = summarize(prepare_data(tiny.as_data(FILES), vectors=sources), vectors=sources).vectors
    assert found is not None
    assert found.sources == tuple(sources)
    assert found.by_form == pytest.approx((100 / 6, 200 / 6))
    assert found.by_token == pytest.approx((100 / 12, 300 / 12))  # "saw" occurs twice
    together = (found.together_by_form, found.together_by_token)
    assert together == (found.by_form[1], found.by_token[1])
    assert found.missing == (("?", 3), ("Who", 3), (".", 2), ("Tom", 1))
