"""The ranges and trials of a sweep."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from squadqa.errors import ConfigError, DataError
from squadqa.training.sweep import (
    Range,
    Sweep,
    Trial,
    importances,
    next_values,
    open_sweep,
    read_ranges,
    write_sweep,
)
from tests.support.runs import ROOT

RANGES = {
    "lr": Range("log_uniform_values", (0.001, 0.1)),
    "dropout": Range("q_uniform", (0.1, 0.5), 0.1),
    "size": Range("categorical", (32, 64, None)),
    "layers": Range("int_uniform", (1, 3)),
    "fixed": Range("constant", ("x",)),
}


def score(values: Any) -> float:
    """A score that only the learning rate decides."""
    return 100 - 1000 * abs(float(values["lr"]) - 0.02)


def tried(count: int) -> list[Trial]:
    pytest.importorskip("optuna")
    trials: list[Trial] = []
    for number in range(count):
        values = next_values(RANGES, trials, seed=1)
        trials.append(Trial(number, values, score(values), 1.0, f"trial-{number + 1}"))
    return trials


def test_the_shipped_sweep_is_read() -> None:
    ranges, words = read_ranges(ROOT / "configs" / "sweep.yaml")
    assert {name.rpartition(".")[2]: one.kind for name, one in ranges.items()} == {
        "lr": "log_uniform_values",
        "dropout": "q_uniform",
        "hidden_size": "categorical",
    }
    assert words == ["--config=configs/quickstart.yaml", "--wandb=online"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"value": 3}, Range("constant", (3,))),
        ({"values": [1, "a", None]}, Range("categorical", (1, "a", None))),
        ({"min": 1, "max": 3}, Range("int_uniform", (1, 3))),
        ({"min": 0.5, "max": 3}, Range("uniform", (0.5, 3))),
        ({"distribution": "q_uniform", "min": 0, "max": 1}, Range("q_uniform", (0, 1), 1)),
        ({}, None),
        ({"values": []}, None),
        ({"values": [[1]]}, None),
        ({"min": 3, "max": 1}, None),
        ({"min": 1, "max": "x"}, None),
        ({"min": 0, "max": float("inf")}, None),
        ({"distribution": "log_uniform_values", "min": 0, "max": 1}, None),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0}, None),
        ({"distribution": "normal", "mu": 0}, None),
        (5, None),
    ],
)
def test_ranges(given: Any, expected: Range | None, tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump({"parameters": {"a": given}}), encoding="utf-8")
    if expected is None:
        with pytest.raises(ConfigError, match='"a" has '):
            read_ranges(path)
    else:
        assert read_ranges(path)[0] == {"a": expected}


@pytest.mark.parametrize("text", ["", "a: 1", "parameters: {}", "parameters: [1]", "[", "\t"])
def test_what_is_no_sweep(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        read_ranges(path)


def test_values_are_in_their_ranges_and_can_be_repeated() -> None:
    trials = tried(12)
    for trial in trials:
        values: dict[str, Any] = dict(trial.values)
        assert 0.001 <= values["lr"] <= 0.1
        assert round(10 * values["dropout"]) in range(1, 6)
        assert values["dropout"] == pytest.approx(round(10 * values["dropout"]) / 10)
        assert values["size"] in (32, 64, None)
        assert values["layers"] in (1, 2, 3)
        assert values["fixed"] == "x"
    assert len({str(trial.values) for trial in trials}) > 6
    again = next_values(RANGES, trials[:5], seed=1)
    assert again == trials[5].values


def test_what_was_good_is_tried_more() -> None:
    trials = tried(40)
    early, late = (
        sum(abs(float(trial.values["lr"]) - 0.02) for trial in some)  # type: ignore[arg-type]
        for some in (trials[:10], trials[-10:])
    )
    assert late < early


def test_what_mattered() -> None:
    trials = tried(40)
    shares = importances(RANGES, trials)
    assert next(iter(shares)) == "lr"
    assert sum(shares.values()) == pytest.approx(1)
    assert "fixed" not in shares
    assert importances(RANGES, trials[:3]) == {}


def test_a_sweep_is_read_again(tmp_path: Path) -> None:
    values = {name: one.values[0] for name, one in RANGES.items()}
    new = Sweep(("--config=x.yaml",), RANGES, 1)
    assert open_sweep(tmp_path / "none", new) == new
    trials = (Trial(0, values, 50.0, 1.5, "trial-1"), Trial(1, values, None, 0.1, "trial-2"))
    done = Sweep(new.config, new.ranges, 1, trials)
    write_sweep(tmp_path / "sweep", done)
    assert open_sweep(tmp_path / "sweep", new) == done
    assert done.best == trials[0]
    with pytest.raises(ConfigError, match="holds another sweep"):
        open_sweep(tmp_path / "sweep", Sweep(new.config, new.ranges, 2))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"config": [], "seed": 1, "ranges": {}, "trials": [{"values": {}, "score": 101}]}',
        '{"config": [], "seed": 1, "ranges": {}, "trials": [{"number": 0, "values": {}, '
        '"score": 1, "minutes": 1, "run": "../../etc"}]}',
        "[" * 100_000,
    ],
)
def test_files_of_something_else(text: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="is not the file of a sweep"):
        open_sweep(tmp_path, Sweep((), {}, 1))


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ConfigError, match="is not the folder of a sweep"):
        open_sweep(tmp_path, Sweep((), {}, 1))
