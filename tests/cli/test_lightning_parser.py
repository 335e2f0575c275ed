"""What a training's configuration changes of its files, as a result records it."""

from copy import deepcopy
from math import inf, nan

import pytest
import yaml

from squadqa.cli.lightning_parser import overrides, parse
from squadqa.errors import ConfigError
from squadqa.evaluation.results import measured, read_result, write_result
from tests.support.fuzzing import causes
from tests.support.runs import READER


def test_changes_without_those_told_elsewhere() -> None:
    before = {"model": {"init_args": {"reader": {"init_args": {"layers": 3, "size": 8}}}}}
    after = {
        "model": {"init_args": {"reader": {"init_args": {"layers": 3, "size": 9}}}},
        "data": {"train": "x.json", "batch_size": 4},
        "seed_everything": 1,
    }
    assert overrides(before, after) == {"model.reader.size": 9, "data.batch_size": 4}


@pytest.mark.parametrize("value", [inf, -inf, nan])
def test_a_result_can_hold_a_change_to_an_infinite_number(value, tmp_path) -> None:
    changes = overrides({}, {"early_stopping": {"divergence_threshold": value}})
    assert changes == {"early_stopping.divergence_threshold": str(value)}
    result = measured(
        "row", command="x", data="x", total=1, seed=1, device="cpu", parameters=1,
        exact_match=1.0, f1=1.0, overrides=changes,
    )  # fmt: skip
    assert read_result(write_result(tmp_path, result)) == result


def test_a_refused_value_is_not_among_the_causes_of_its_own_error(tmp_path) -> None:
    path = tmp_path / "x.yaml"
    model = deepcopy(READER["model"])
    model["init_args"]["reader"]["init_args"]["char_cnn"]["init_args"]["filters"] = {}
    data = {"train": "a.json", "inputs": READER["inputs"]}
    path.write_text(yaml.safe_dump({"model": model, "data": data}))
    with pytest.raises(ConfigError, match="vectors of width 0") as caught:
        parse(["fit", "--config", str(path)])
    assert caught.value in causes(caught.value)  # which fails if they form a ring


def test_command_lines_share_a_parser_and_nothing_else(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")  # restored after the test
    path = tmp_path / "x.yaml"
    data = {"train": "a.json", "test": "b.json", "inputs": READER["inputs"]}
    path.write_text(yaml.safe_dump({"model": READER["model"], "data": data}))
    for known in (["--epochs"], []):
        with pytest.raises(ConfigError) as caught:
            parse(["fit", "--print_config", "--epocs", "3"], also_known=known)
        assert ('"--epochs"' in caught.value.hint) is bool(known)
    for size in ("3", "4"):
        parsed = parse(["fit", "--config", str(path), "--data.batch_size", size])
        assert parsed.overrides == {"data.batch_size": int(size)}
    assert parse(["fit", "--config", str(path)]).overrides == {}
