"""Damaged configurations of trainings, as the command line reads them."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from squadqa.cli.lightning_parser import parse
from tests.support.fuzzing import VALUES, changed, few_and_many, fuzz, mutated
from tests.support.runs import READER

VALID: dict[str, Any] = {
    "seed_everything": 1,
    "model": READER["model"],
    "data": {"train": "a.json", "test": "b.json", "batch_size": 4, "inputs": READER["inputs"]},
    "trainer": {"max_epochs": 1, "accelerator": "cpu"},
}
SMALL = tuple(one for one in VALUES if not isinstance(one, int) or abs(one) < 100)
"""Values without huge sizes: who writes these into the own configuration gets what it asks for."""


@few_and_many(20, seconds=3000)
def test_damaged_configurations(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")  # restored after the test
    path = tmp_path / "x.yaml"
    text = yaml.safe_dump(VALID).encode()
    line = ["fit", "--config", str(path)]
    path.write_bytes(text)
    parse(line)  # imports much

    def attempt(random: Random) -> None:
        if random.random() < 0.5:
            path.write_bytes(mutated(random, text))
        else:
            path.write_text(json.dumps(changed(random, VALID, values=SMALL)))
        parse(line)

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused
