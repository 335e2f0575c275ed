"""Damaged result files, and the origins of run folders."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given

from squadqa.errors import DataError
from squadqa.evaluation.results import measured, read_result, result_json, write_result
from squadqa.run_files import ORIGIN
from squadqa.training.run_record import read_origin
from tests.fuzz.test_data_files import JSON
from tests.support.fuzzing import changed, few_and_many, fuzz, mutated

RESULT = measured(
    "row",
    command="squadqa train --config configs/drqa.yaml",
    data="squad",
    total=10_570,
    seed=1,
    device="cpu",
    parameters=100,
    exact_match=69.5,
    f1=78.8,
    configs=["configs/drqa.yaml"],
    overrides={"data.batch_size": 32},
    minutes=3.5,
    commit="abc",
    hardware="a machine",
)


def damaged(random: Random, text: str) -> bytes:
    """A JSON file with changed values or bytes."""
    if random.random() < 0.5:
        return mutated(random, text.encode())
    return json.dumps(changed(random, json.loads(text))).encode()


@few_and_many(300, seconds=600)
def test_damaged_results(count: int, tmp_path: Path) -> None:
    path = tmp_path / "row.json"

    def attempt(random: Random) -> None:
        path.write_bytes(damaged(random, result_json(RESULT)))
        result = read_result(path)
        write_result(tmp_path / "written", result)
        assert read_result(tmp_path / "written" / f"{result.name}.json") == result

    accepted, refused = fuzz(attempt, count, kept=path)
    assert accepted and refused


@given(JSON)
def test_any_value(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.result.json"
    path.write_text(json.dumps({**json.loads(result_json(RESULT)), "notes": value}))
    try:
        assert isinstance(read_result(path).notes, str)
    except DataError as error:
        assert str(path) in str(error)


@few_and_many(200, seconds=600)
def test_damaged_origins(count: int, tmp_path: Path, reader_run: Path) -> None:
    text = (reader_run / ORIGIN).read_text()

    def attempt(random: Random) -> None:
        (tmp_path / ORIGIN).write_bytes(damaged(random, text))
        result = replace(RESULT, **asdict(read_origin(tmp_path)))
        write_result(tmp_path / "written", result)

    accepted, refused = fuzz(attempt, count, kept=tmp_path / ORIGIN)
    assert accepted and refused
