"""Damaged prediction files."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given

from squadqa.errors import DataError
from squadqa.evaluation.predictions import read_predictions
from squadqa.scoring import score
from tests.fuzz.test_data_files import JSON
from tests.support import tiny
from tests.support.fuzzing import changed, few_and_many, fuzz, mutated

REFERENCES = tiny.as_data(tiny.squad()).references
VALID = {name: texts[0] for name, texts in REFERENCES.items()}


@few_and_many(300, seconds=600)
def test_damaged_files(count: int, tmp_path: Path) -> None:
    path = tmp_path / "predictions.json"

    def attempt(random: Random) -> None:
        if random.random() < 0.5:
            path.write_bytes(mutated(random, json.dumps(VALID).encode()))
        else:
            path.write_text(json.dumps(changed(random, VALID)))
        score(REFERENCES, read_predictions(path, known_ids=REFERENCES))

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


@given(JSON)
def test_any_value(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any.predictions.json"
    path.write_text(json.dumps(value))
    try:
        score(REFERENCES, read_predictions(path))
    except DataError as error:
        assert str(path) in str(error)
