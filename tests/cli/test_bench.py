"""`squadqa bench`: every model is measured, with tiny settings."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from squadqa.benchmark import measuring
from squadqa.benchmark.measuring import Effort
from squadqa.benchmark.record import Benchmark, read_benchmark
from squadqa.cli import bench
from squadqa.cli.main import main
from squadqa.cli.training_options import KINDS, known_models
from squadqa.inference.catalog import catalog
from tests.benchmark.test_record import BENCHMARK
from tests.support.runs import ROOT

TINY = Effort(
    warm_up_steps=1,
    train_seconds=0.0,
    train_steps=2,
    yardstick_seconds=0.0,
    evaluate_seconds=0.0,
    questions=3,
)
SMALL = ["--batch-size", "2", "--data.inputs.pipeline", "null"]


@pytest.fixture
def quick(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(measuring, "QUICK", TINY)
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")  # Lightning sets it; restored after the test
    return checkout


def test_a_reader_and_a_scorer_are_measured(
    quick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["bench", "bilstm", "logistic", "--quick", "--output", "bench.json", *SMALL]
    assert main([*line, "--notes", "all quiet", "--model.optimizer.lr", "0.01"]) == 0
    printed = capsys.readouterr()
    benchmark = read_benchmark(quick / "bench.json")
    assert bench.text_of(benchmark) in printed.out
    assert (benchmark.data, benchmark.device) == ("data/sample", "cpu")
    assert benchmark.command.endswith(
        "--quick --batch-size 2 --data.inputs.pipeline null --model.optimizer.lr 0.01"
    )
    assert benchmark.notes == "all quiet"
    assert [speed.model for speed in benchmark.models] == ["bilstm", "logistic"]
    for speed in benchmark.models:
        assert (speed.steps, speed.batch_size, speed.precision) == (2, 2, "32-true")
        assert sum(speed.shares.values()) == pytest.approx(1)
        assert 0 <= speed.idle <= 1
        assert min(speed.training_per_second, speed.evaluation_per_second) > 0
        assert speed.bare_rnn_per_second > 0 and speed.memory_gib > 0.1
        assert speed.device_memory_gib is None and speed.notes == ""
        assert speed.answering is not None
        for latency in (speed.reading, speed.answering):
            assert 0 < latency.median_ms <= latency.slow_ms and latency.questions >= 1
    assert "1 of 2: bilstm" in printed.err and "GPU available" not in printed.err


@pytest.mark.slow(seconds=240)
def test_where_no_text_can_be_prepared_the_rest_is_measured(
    quick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from squadqa.errors import ConfigError
    from squadqa.inference.predictor import Predictor

    def answer(*_: object) -> None:
        raise ConfigError("spaCy is not installed")

    monkeypatch.setattr(Predictor, "answer", answer)
    assert main(["bench", "logistic", "--quick", "--json", *SMALL]) == 0
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert (model["model"], model["answering"]) == ("logistic", None)
    assert model["reading"]["questions"] >= 1 and model["training_per_second"] > 0
    assert model["notes"] == "New texts cannot be answered here: spaCy is not installed."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["drqs"], 'there is no model "drqs"'),
        (["no.yaml"], 'no configuration "no.yaml"'),
        (["drqa", "--config", "no.yaml"], 'no configuration "no.yaml"'),
        (["drqa", "--seconds", "0"], '"0" is not a number above 0'),
        (["drqa", "--output", "."], "it is a folder"),
    ],
)
def test_a_mistake_is_refused_at_once(
    checkout: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_every_model_with_its_own_configuration_is_known() -> None:
    entries = [one for one in catalog(ROOT / "configs") if one.kind in KINDS]
    listed = {Path(one.configs[0]).stem for one in entries}
    assert set(known_models()) == listed


def test_the_table_shows_each_figure() -> None:
    head, drqa, mlp, *_ = bench.text_of(BENCHMARK).splitlines()
    figures = "drqa 88 75 % 2 % 38 % 55 % 5 % 12 % 230 6.2 9.4 31.0 44.5 1.3 -"
    assert " ".join(drqa.split()) == figures
    assert mlp.split()[-4:] == ["-", "-", "1.3", "1.5"]


@pytest.mark.slow(seconds=240)
def test_figures_are_kept_that_were_measured_before_an_error(
    quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from squadqa.errors import DataError

    measured = iter([replace(BENCHMARK.models[0], model="bilstm")])

    def measure(workload: object, effort: Effort) -> object:
        import torch

        try:
            return next(measured), torch.device("cpu")
        except StopIteration:
            raise DataError("no more") from None

    monkeypatch.setattr(measuring, "measure", measure)
    assert main(["bench", "bilstm", "logistic", "--quick", "--output", "bench.json"]) == 2
    kept: Benchmark = read_benchmark(quick / "bench.json")
    assert [speed.model for speed in kept.models] == ["bilstm"]
