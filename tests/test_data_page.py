"""docs/data.md: each example of a format is a file that can be read, as it is shown."""

import re
from pathlib import Path

import pytest

from squadqa.data.squad import Reading, SquadData, find_source, read_squad
from tests.support.pages import blocks
from tests.support.runs import ROOT

EXAMPLES = sorted((ROOT / "docs/examples/formats").iterdir())
PAGE = (ROOT / "docs/data.md").read_text(encoding="utf-8")
CONTEXT = "Ada Brandt built the mill in 1784."
MOST_LINES = 5


def read(path: Path) -> SquadData:
    if path.name == "questions.txt":
        text = str(ROOT / "docs/examples/mill.txt")
        return read_squad(find_source(text, reading=Reading.of(questions=str(path))))
    names = "question=q,context=text,answer=gold" if path.stem == "other-names" else None
    reading = Reading.of(names, "first")
    # As in a training, which needs answers where they say they are.
    bad_answers = "skip" if path.stem == "mill-v2" else "error"
    return read_squad(find_source(str(path), reading=reading), bad_answers=bad_answers)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_each_example_is_shown_and_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    language = {".tsv": "text", ".txt": "text", ".jsonl": "json"}.get(path.suffix, path.suffix[1:])
    assert text in blocks(PAGE, language)
    assert f"`{path.name}`" in PAGE
    data = read(path)
    assert len(data.ids) >= 1
    if path.stem in ("mill", "mill-v2"):
        assert data.contexts == [CONTEXT]
        assert data.answer_texts[0][0] == "Ada Brandt"


def test_no_example_is_missing() -> None:
    shown = set(re.findall(r"`((?:mill|other|questions)[\w-]*\.\w+)`", PAGE))
    assert shown == {path.name for path in EXAMPLES}


def test_the_shown_code_converts(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(PAGE, "python")
    exec(code, {})
    assert capsys.readouterr().out == "2 1\n"
