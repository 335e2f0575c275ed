"""`squadqa features`: output and refusals."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.cli.main import main
from squadqa.inference import feature_counts
from squadqa.inference.feature_counts import TableCounts
from tests.support import tiny


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tiny.write(tmp_path / "train.json", tiny.squad())


def test_readable_figures(
    scorer_run: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    counts = {
        "lexicalized": TableCounts(
            features=16_000, distinct=3, colliding=2, rows=8, rows_taken=2, error=0.0,
            weights=16, weights_not_zero=1_234,
        ),
    }  # fmt: skip
    monkeypatch.setattr(feature_counts, "count_features", lambda *_, **__: counts)
    line = ["features", str(scorer_run), "--data", str(data)]
    assert main(line) == 0
    head, body, legend = capsys.readouterr().out.split("\n\n")
    reported, checkpoint = head.splitlines()
    assert reported == f"data        {data}, 8 questions"
    assert checkpoint.startswith(f"checkpoint  {scorer_run}/checkpoints/best.ckpt (epoch 1")
    assert body.splitlines() == [
        "table        a question  distinct  rows  taken  collide  by chance  not zero",
        "lexicalized       2,000         3     8      2    66.67      23.44     1,234",
    ]
    assert "estimates" not in legend

    of_four = TableCounts(**{**vars(counts["lexicalized"]), "error": 0.0234})
    monkeypatch.setattr(feature_counts, "count_features", lambda *_, **__: {"a": of_four})
    assert main([*line, "--limit", "4"]) == 0
    shown = capsys.readouterr().out
    assert f"{data}, 4 questions" in shown
    assert " 4,000 " in shown
    assert shown.splitlines()[-1].endswith("estimates, with a standard error of 0.023 %.")


def test_figures_as_json(scorer_run: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", str(scorer_run), "--data", str(data), "--limit", "3", "--json"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    reported = json.loads(shown)
    assert (reported["data"], reported["questions"]) == (str(data), 3)
    assert reported["checkpoint"].startswith(f"{scorer_run}/checkpoints/best.ckpt")
    assert len(reported["tables"]) == 4
    for one in reported["tables"].values():
        assert 0 < one["rows_taken"] <= one["rows"] == 64
        assert one["rows_taken"] <= one["distinct"] <= one["features"]
        assert one["collisions"] == pytest.approx(100 * one["colliding"] / one["distinct"])
        assert 0 <= one["expected_collisions"] <= 100


def test_prepared_data_of_the_training_are_reused(
    scorer_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scorer_run.parents[1])
    prepared = sorted(path.name for path in Path("cache").iterdir())
    assert main(["features", "runs/logistic", "--data", "train.json"]) == 0
    assert sorted(path.name for path in Path("cache").iterdir()) == prepared


# What is refused


def test_a_run_without_tables(reader_run: Path, data: Path, refused: Callable[..., str]) -> None:
    said = refused("features", reader_run, "--data", data)
    assert f'the run "{reader_run}" has no hashed features to count: DrQAReader' in said
    assert "Runs of LogisticScorer and MLPScorer have" in said


def test_unreadable_inputs(scorer_run: Path, data: Path, refused: Callable[..., str]) -> None:
    assert "there is no run folder" in refused("features", "runs/none", "--data", data)
    missing = data.with_name("trian.json")
    assert 'Did you mean "train.json"?' in refused("features", scorer_run, "--data", missing)


def test_invalid_limits(scorer_run: Path, data: Path, refused: Callable[..., str]) -> None:
    said = refused("features", scorer_run, "--data", data, "--limit", "0")
    assert '"0" is not a whole number of 1 or more' in said
