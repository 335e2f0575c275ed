"""Results: how they are made, read back and checked."""

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from squadqa import provenance
from squadqa.errors import DataError
from squadqa.evaluation.results import (
    Result,
    measured,
    read_result,
    read_results,
    result_json,
    write_result,
)
from tests.support.runs import ROOT

RESULT = Result(
    name="reader",
    configs=("configs/reader.yaml", "configs/part.yaml"),
    overrides={"model.decay": None, "data.limit_train": 10, "model.sizes": [1, {"a": 0.5}]},
    command="squadqa train --config configs/reader.yaml --config configs/part.yaml",
    data="squad",
    split="dev",
    total=10_570,
    seed=7,
    commit="0123456789abcdef-dirty",
    hardware="Abacus, 2 cores, 8 GiB",
    device="cpu",
    vectors="GloVe 6B 50d",
    budget_minutes=None,
    minutes=61.25,
    epochs=3.5,
    examples_per_second=118.4,
    parameters=1_234_567,
    exact_match=60.12345678901234,
    f1=72.0,
    notes="",
)
UNTRAINED = replace(
    RESULT, name="baseline-2.1", configs=(), overrides={}, minutes=None, epochs=None
)


def test_results_read_back_in_the_order_of_names(tmp_path: Path) -> None:
    assert write_result(tmp_path / "results", RESULT) == tmp_path / "results" / "reader.json"
    write_result(tmp_path / "results", UNTRAINED)
    timed = replace(RESULT, name="timed", until_f1=75.0)
    write_result(tmp_path / "results", timed)
    assert read_results(tmp_path / "results") == [UNTRAINED, RESULT, timed]


def test_only_trainings_to_a_score_have_its_fields() -> None:
    assert "f1" in result_json(RESULT) and "until_f1" not in result_json(RESULT)
    for seconds in (61.5, None):
        timed = replace(RESULT, until_f1=75.0, seconds_to_f1=seconds)
        assert json.loads(result_json(timed))["seconds_to_f1"] == seconds


def test_a_single_result_may_have_any_file_name(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(result_json(RESULT))
    assert read_result(path) == RESULT
    with pytest.raises(DataError, match='"name" is "reader"') as caught:
        read_results(tmp_path)
    assert str(path) in caught.value.what


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"total": "300"}, "\"total\" is '300'"),
        ({"seed": True}, '"seed" is True'),
        ({"parameters": 1.5}, '"parameters" is 1.5'),
        ({"notes": None}, '"notes" is None'),
        ({"minutes": "1"}, "\"minutes\" is '1'"),
        ({"minutes": -1}, '"minutes" is -1'),
        ({"epochs": float("inf")}, '"epochs" is inf'),
        ({"f1": None}, '"f1" is None'),
        ({"f1": float("nan")}, '"f1" is nan'),
        ({"exact_match": 100.5}, '"exact_match" is 100.5'),
        ({"name": "../reader"}, '"name" is "../reader"'),
        ({"configs": "a.yaml"}, "\"configs\" is 'a.yaml'"),
        ({"configs": ["a.yaml", 3]}, "\"configs\" is ('a.yaml', 3)"),
        ({"configs": [""]}, "\"configs\" is ('',)"),
        ({"overrides": ["model.loss"]}, "\"overrides\" is ['model.loss']"),
        ({"overrides": {"model.rate": float("nan")}}, "\"overrides\" is {'model.rate': nan}"),
        ({"overrides": {"model loss": 1}}, "\"overrides\" is {'model loss': 1}"),
        ({"config": "a.yaml"}, 'unknown field "config"'),
    ],
)
def test_a_bad_field_is_named_with_its_file(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    path = tmp_path / "reader.json"
    path.write_text(json.dumps(asdict(RESULT) | changed))
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read_result(path)
    assert str(path) in caught.value.what
    assert caught.value.hint


def test_an_unknown_field_gets_a_suggestion(tmp_path: Path) -> None:
    path = tmp_path / "reader.json"
    path.write_text(json.dumps(asdict(RESULT) | {"config": "a.yaml"}))
    with pytest.raises(DataError) as caught:
        read_result(path)
    assert caught.value.hint == 'Did you mean "configs"?'


@pytest.mark.parametrize("value", [{"a": (1, 2)}, {"a": {1: 2}}, {"a": Path("x")}, {3: "a"}])
def test_overrides_are_values_that_json_gives_back(value: dict[Any, Any]) -> None:
    with pytest.raises(DataError, match='"overrides" is '):
        replace(RESULT, overrides=value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "not a JSON object"),
        ('{"name": "reader"}', 'without "configs", "overrides", "command", "data"'),
    ],
)
def test_invalid_results_are_errors(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "reader.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_results(tmp_path)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder of results"):
        read_results(tmp_path / "results")


def row(**values: Any) -> Result:
    known: dict[str, Any] = {
        "command": "squadqa baseline random --data dev.json",
        "data": "dev.json",
        "total": 8,
        "seed": 3,
        "device": "cpu",
        "parameters": 0,
        "exact_match": 50.0,
        "f1": 60.0,
    }
    return measured("random", **(known | values))


def test_a_row_names_the_current_code_and_machine() -> None:
    made = row()
    assert (made.commit, made.hardware) == (provenance.commit(), provenance.hardware())


def test_a_row_may_name_where_its_training_began() -> None:
    made = row(commit="0123", hardware="Abacus")
    assert (made.commit, made.hardware) == ("0123", "Abacus")


def test_a_row_is_of_dev_and_has_no_training_by_default() -> None:
    made = row()
    assert (made.split, made.vectors, made.notes) == ("dev", "", "")
    assert (made.configs, made.overrides, made.budget_minutes) == ((), {}, None)
    assert (made.minutes, made.epochs, made.examples_per_second) == (None, None, None)


def test_published_results_can_be_measured_again() -> None:
    """Each result's configurations exist, and its command names them and the changes."""
    results = read_results(ROOT / "results")
    assert any(result.configs for result in results)
    for result in results:
        words = result.command.split()
        pairs = list(zip(words, words[1:], strict=False))
        assert words[0] == "squadqa"
        assert [value for name, value in pairs if name == "--config"] == [*result.configs]
        assert all((ROOT / config).is_file() for config in result.configs)
        for name, value in result.overrides.items():
            short = name.rpartition(".")[2]  # as `squadqa train` takes it, too
            own = {"max_epochs": "epochs"}.get(short, short)
            assert {(f"--{one}", str(value)) for one in (name, short, own)} & {*pairs}, name
        if result.budget_minutes:
            assert ("--minutes", f"{result.budget_minutes:g}") in pairs
