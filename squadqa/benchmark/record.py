"""The record of a benchmark and its JSON file."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from squadqa.errors import DataError
from squadqa.files import write_atomic

PHASES = ("data", "forward", "backward", "optimizer")
"""The phases of a training step: making the batch and moving it to the device; the loss; its
gradients; clipping them, the optimiser and what follows it."""


@dataclass(frozen=True)
class Latency:
    """How long single questions take, one after another.

    Args:
        median_ms: The median, in milliseconds.
        slow_ms: The time that 95 % of the questions stay below, in milliseconds.
        questions: How many were measured.
    """

    median_ms: float
    slow_ms: float
    questions: int


@dataclass(frozen=True)
class ModelSpeed:
    """The speed of one model.

    Args:
        model: Its name, that of its configuration.
        parameters: Number of trained parameters.
        batch_size: Questions in a training batch.
        precision: Lightning's name for the precision of training.
        steps: Training steps that the rate was measured over.
        training_per_second: Questions per second of training, through the same loop as
            `squadqa train`.
        bare_rnn_per_second: Questions per second of the yardstick on the same device, right before
            (see `squadqa.benchmark.yardstick`).
        shares: Share of a training step's time by phase, for `PHASES`; they sum to 1.
        idle: Share of the training's time in which the device computes nothing: a GPU without a
            kernel, or the threads of a CPU that are not running.
        evaluation_per_second: Questions per second of evaluation, on prepared data.
        reading: Latency of one question on prepared data.
        answering: Latency of one question about a new text, tokenising and annotating included;
            None where that is not possible, such as without spaCy.
        memory_gib: Most memory that the process held, in GiB, libraries and data included.
        device_memory_gib: Most memory of the GPU that tensors took, in GiB; None on a CPU.
        notes: Anything else that a reader should know; may be empty.
    """

    model: str
    parameters: int
    batch_size: int
    precision: str
    steps: int
    training_per_second: float
    bare_rnn_per_second: float
    shares: Mapping[str, float]
    idle: float
    evaluation_per_second: float
    reading: Latency
    answering: Latency | None
    memory_gib: float
    device_memory_gib: float | None
    notes: str = ""

    @property
    def of_bare_rnn(self) -> float:
        """The training's rate as a share of the yardstick's."""
        return self.training_per_second / self.bare_rnn_per_second


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: where and how it was made, and the models' speeds.

    Args:
        command: The command line that repeats it.
        data: The data source.
        device: "cpu", or the GPU's name.
        hardware: The machine, as `squadqa.provenance.hardware` gives it.
        threads: Threads of the process.
        torch: Torch's version.
        commit: The code's commit, as `squadqa.provenance.commit` gives it.
        models: The speeds, in the order in which they were measured.
        notes: Anything else that a reader should know; may be empty.
    """

    command: str
    data: str
    device: str
    hardware: str
    threads: int
    torch: str
    commit: str
    models: tuple[ModelSpeed, ...] = ()
    notes: str = ""


def benchmark_json(benchmark: Benchmark) -> str:
    """Return a benchmark as the text of its JSON file."""
    return json.dumps(asdict(benchmark), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_benchmark(path: str | Path, benchmark: Benchmark) -> None:
    """Write a benchmark's JSON file.

    Args:
        path: The file.
        benchmark: The benchmark.

    Raises:
        OutputError: The file cannot be written.
    """
    with write_atomic(path) as file:
        file.write(benchmark_json(benchmark))


def read_benchmark(path: str | Path) -> Benchmark:
    """Read a benchmark.

    Args:
        path: Its JSON file.

    Raises:
        DataError: The file is not a benchmark: it is not JSON, or a field is missing, unknown or of
            another type.
    """
    try:
        values = json.loads(Path(path).read_bytes())
        return Benchmark(**{**values, "models": tuple(map(_speed, values["models"]))})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f'"{path}" is not the file of a benchmark: {error}',
            next_step="Name a file that `squadqa bench --output FILE` wrote.",
        ) from error


def _speed(values: dict[str, Any]) -> ModelSpeed:
    """Make the speed of a model from plain values.

    Raises:
        KeyError, TypeError, ValueError: They are others.
    """
    answering = values["answering"]
    speed = ModelSpeed(
        **{
            **values,
            "reading": Latency(**values["reading"]),
            "answering": None if answering is None else Latency(**answering),
        }
    )
    numbers = (
        speed.training_per_second,
        speed.bare_rnn_per_second,
        speed.evaluation_per_second,
        speed.memory_gib,
        speed.idle,
        *(speed.shares[phase] for phase in PHASES),
    )
    for number in numbers:
        if not 0 <= number < math.inf:
            raise ValueError(f'a figure of "{speed.model}" is {number!r}')
    if not speed.bare_rnn_per_second:
        raise ValueError(f'the yardstick beside "{speed.model}" is 0')
    return speed
