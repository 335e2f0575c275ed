"""The measurement of picking paragraphs."""

import json
from pathlib import Path

import pick_paragraphs
import pytest

from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run
from squadqa.scoring import score
from tests.support import tiny


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(tiny.write(tmp_path / "dev.json", tiny.squad()))


def test_scores_over_articles_and_with_the_paragraph_given(data: str, reader_run: Path) -> None:
    run = Predictor(open_run(reader_run), device="cpu")
    found = pick_paragraphs.measure(run, data, questions=100)
    file = tiny.as_data(tiny.squad())
    assert found["questions"] == len(file.ids) == 8
    assert found["paragraphs"] == (6 * 2 + 2 * 1) / 8, "the first article has two paragraphs"
    predictions = {
        name: run.answer(file.contexts[paragraph], question).text
        for name, question, paragraph in zip(file.ids, file.questions, file.paragraphs, strict=True)
    }
    scored = score(file.references, predictions)
    assert (found["given"]["exact_match"], found["given"]["f1"]) == (scored.exact_match, scored.f1)
    assert 25 <= found["right_paragraph"] <= found["holds_answer"] <= 100
    assert found["article"]["total"] == 8


def test_the_tool_prints_json(
    data: str, reader_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = [str(reader_run), "--data", data, "--questions", "2"]
    assert pick_paragraphs.main(line) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == 2
    with pytest.raises(SystemExit):
        pick_paragraphs.main([str(reader_run), "--data", "nothing.json"])
