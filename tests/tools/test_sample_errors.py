"""Errors of a run's held-out questions are drawn as they are."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import sample_errors

from squadqa.evaluation.predictions import Answer
from squadqa.inference.answered import Answered
from tests.support import tiny

COLUMNS = ("ids", "questions", "contexts", "titles")


def answered(**texts: str) -> Answered:
    given = tiny.as_data(tiny.squad())
    data = SimpleNamespace(
        references=given.references,
        paragraphs=np.array(given.paragraphs),
        **{name: pa.array(getattr(given, name)) for name in COLUMNS},
    )
    right = {name: texts[0] for name, texts in given.references.items()}
    answers = {
        name: [Answer(text, probability=0.5, start=0, end=len(text))]
        for name, text in (right | texts).items()
    }
    return Answered(answers, data)  # type: ignore[arg-type]  # all that is read


def test_only_wrong_answers_are_drawn() -> None:
    given = tiny.as_data(tiny.squad()).references
    found = sample_errors.draw(
        answered(q1="nothing", q2=f"{given['q2'][0]} nothing"), questions=10, seed=1
    )
    assert {key: found[key] for key in ("questions", "wrong", "overlap")} == {
        "questions": 8,
        "wrong": 2,
        "overlap": 1,
    }
    assert [one["id"] for one in found["drawn"]] == ["q1", "q2"]
    assert [one["place"] for one in found["drawn"]] == ["Lighthouse, 1.2", "Lighthouse, 1.3"]
    first, second = found["drawn"]
    assert first["f1"] == 0 < second["f1"] < 1
    assert first["given"] == given["q1"] and first["answers"][0]["text"] == "nothing"
    assert all(text in first["context"] for text in first["given"])


def test_the_seed_decides_which() -> None:
    wrong = answered(**{f"q{number}": "nothing" for number in range(8)})
    drawn = [
        [one["id"] for one in sample_errors.draw(wrong, questions=4, seed=seed)["drawn"]]
        for seed in (1, 1, 2, 3)
    ]
    assert drawn[0] == drawn[1] and len(set(map(tuple, drawn))) > 1


def test_the_tool_writes_a_file(
    reader_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(reader_run.parents[1])  # where its training data lie
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "errors.json"
    assert sample_errors.main([str(reader_run), "--output", str(path), "--questions", "2"]) == 0
    found = json.loads(path.read_text(encoding="utf-8"))
    assert len(found["drawn"]) == min(2, found["wrong"])
    for one in found["drawn"]:
        assert all(answer["text"] in one["context"] for answer in one["answers"])


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        sample_errors.main([str(tmp_path), "--output", str(tmp_path / "errors.json")])
    assert stopped.value.code == 2
    assert not (tmp_path / "errors.json").exists()
