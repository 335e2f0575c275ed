"""The models that come with squadqa: small enough, and they answer without training."""

from pathlib import Path

import pytest

import squadqa
from squadqa.package_files import READY, READY_MODEL, ready_models
from squadqa.run_files import MODEL
from tests.support.runs import ROOT

MILL = ROOT / "docs" / "examples" / "mill.txt"


def test_the_one_that_is_taken_without_a_name_is_there() -> None:
    assert READY_MODEL in ready_models()


@pytest.mark.parametrize("name", ready_models())
def test_it_is_small_and_has_a_card(name: str) -> None:
    assert (READY / name / MODEL).stat().st_size <= 12e6
    card = (READY / name / "README.md").read_text(encoding="utf-8")
    for part in ("## Data", "## Training", "## Scores", "## Limits", "## Licence"):
        assert part in card


def test_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = squadqa.load(READY_MODEL)
    context = MILL.read_text(encoding="utf-8")
    questions = ["Who rebuilt the roof of the mill?", "What destroyed the roof?"]
    found = [answer.text for answer in run.answer(context, questions)]
    assert "Karl" in found[0] and "fire" in found[1], found
