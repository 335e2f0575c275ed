"""The file of a benchmark: what is written can be read back, and nothing else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from squadqa.benchmark.record import (
    Benchmark,
    Latency,
    ModelSpeed,
    benchmark_json,
    read_benchmark,
    write_benchmark,
)
from squadqa.errors import DataError

SPEED = ModelSpeed(
    model="drqa",
    parameters=3_950_387,
    batch_size=32,
    precision="32-true",
    steps=55,
    training_per_second=88.5,
    bare_rnn_per_second=118.0,
    shares={"data": 0.02, "forward": 0.38, "backward": 0.55, "optimizer": 0.05},
    idle=0.125,
    evaluation_per_second=230.0,
    reading=Latency(6.2, 9.4, 98),
    answering=Latency(31.0, 44.5, 98),
    memory_gib=1.26,
    device_memory_gib=None,
)
BENCHMARK = Benchmark(
    command="squadqa bench drqa",
    data="data/sample",
    device="cpu",
    hardware="Abacus, 2 cores, 8 GiB",
    threads=2,
    torch="2.13.0+cpu",
    commit="0123456789abcdef",
    models=(SPEED, replace(SPEED, model="mlp", answering=None, device_memory_gib=1.5)),
)


def test_a_benchmark_reads_back(tmp_path: Path) -> None:
    write_benchmark(tmp_path / "bench.json", BENCHMARK)
    assert read_benchmark(tmp_path / "bench.json") == BENCHMARK
    assert SPEED.of_bare_rnn == 0.75


@pytest.mark.parametrize(
    "change",
    [
        {"models": None},
        {"models": [1]},
        {"models": [{"model": "drqa"}]},
        {"unknown": 1},
        {"models": [{**json.loads(benchmark_json(BENCHMARK))["models"][0], "idle": "much"}]},
        {"models": [{**json.loads(benchmark_json(BENCHMARK))["models"][0], "idle": -1}]},
        {"models": [{**json.loads(benchmark_json(BENCHMARK))["models"][0], "shares": {}}]},
        {"models": [{**json.loads(benchmark_json(BENCHMARK))["models"][0], "reading": None}]},
        {
            "models": [
                {**json.loads(benchmark_json(BENCHMARK))["models"][0], "bare_rnn_per_second": 0}
            ]
        },
    ],
)
def test_another_file_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({**json.loads(benchmark_json(BENCHMARK)), **change}))
    with pytest.raises(DataError, match="not the file of a benchmark"):
        read_benchmark(path)
    with pytest.raises(DataError, match="not the file of a benchmark"):
        read_benchmark(tmp_path / "missing.json")
