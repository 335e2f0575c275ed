"""Measuring of one model: steps of the same training as `squadqa train`, evaluation, answers."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from squadqa.benchmark.memory import forget_peak, peak_gib
from squadqa.benchmark.record import Latency, ModelSpeed
from squadqa.benchmark.steps import Stage, StepTimer
from squadqa.benchmark.yardstick import bare_rnn_rate, waiting_for
from squadqa.data.dataset import QuestionDataset
from squadqa.data.squad import find_source
from squadqa.errors import SquadQAError
from squadqa.inference.answered import Preparation
from squadqa.inference.checkpoint import Checkpoint
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import HeldOut, Run
from squadqa.training.checks import require_inputs, require_precision
from squadqa.training.datamodule import SquadDataModule
from squadqa.training.fit import make_trainer
from squadqa.training.held_memory import HeldMemory
from squadqa.training.module import QAModule

ENDLESS = 1_000_000
"""More passes than a measurement has."""


@dataclass(frozen=True)
class Effort:
    """How long to measure a model.

    Args:
        warm_up_steps: Training steps before the clock starts: the first ones allocate memory.
        train_seconds: Seconds of training, after that.
        train_steps: Training steps at least.
        yardstick_seconds: Seconds of the yardstick.
        evaluate_seconds: About how many seconds of evaluation.
        questions: Single questions to time.
    """

    warm_up_steps: int = 5
    train_seconds: float = 20.0
    train_steps: int = 10
    yardstick_seconds: float = 4.0
    evaluate_seconds: float = 5.0
    questions: int = 100


QUICK = Effort(
    warm_up_steps=1,
    train_seconds=0.7,
    train_steps=2,
    yardstick_seconds=0.2,
    evaluate_seconds=0.2,
    questions=8,
)
"""For a first look: some percent of noise."""


@dataclass(frozen=True)
class Workload:
    """One model with its data, ready to train.

    Args:
        name: The model's name.
        module: The model and how it is trained.
        data: The questions.
        trainer: Options of the trainer, as in a configuration's section `trainer`.
        seed: Seed of the order of training questions.
        held_memory: Memory that the training keeps between batches, in GiB.
        threads: Threads to compute with on a CPU; None takes those of the process. Other than in
            `squadqa train` the number stays, so that the yardstick has the same.
    """

    name: str
    module: QAModule
    data: SquadDataModule
    trainer: Mapping[str, Any]
    seed: int
    held_memory: float
    threads: int | None = None


def measure(workload: Workload, effort: Effort) -> tuple[ModelSpeed, torch.device]:
    """Measure a model: training first, then evaluation and answers with what was trained.

    Args:
        workload: The model with its data.
        effort: How long to measure.

    Returns:
        The figures, and the device that they are of.

    Raises:
        SquadQAError: Model, data and trainer do not fit each other, or the data cannot be used.
    """
    if workload.threads is not None:
        torch.set_num_threads(workload.threads)
    trainer = make_trainer(
        {**workload.trainer, "devices": 1},
        callbacks=[HeldMemory(most_gib=workload.held_memory)],
        max_epochs=ENDLESS,
        max_steps=-1,
        limit_val_batches=0,
        enable_checkpointing=False,
    )
    device = trainer.strategy.root_device
    require_inputs(workload.module, workload.data.inputs)
    require_precision(workload.module, trainer.precision, device)
    yardstick = bare_rnn_rate(device, seconds=effort.yardstick_seconds)
    forget_peak()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)

    stages = _stages(effort, device)
    trainer.callbacks.append(StepTimer(stages, device=device))  # type: ignore[attr-defined]
    workload.data.seed = workload.seed
    trainer.fit(workload.module, datamodule=workload.data)
    rated, split, busy = stages[1], stages[min(2, len(stages) - 1)], stages[-1]
    if busy.profiles:
        idle = 1 - busy.busy_seconds / busy.questions * rated.per_second
    else:
        idle = 1 - rated.cpu_seconds / (rated.taken * torch.get_num_threads())

    predictor = Predictor(_run_of(workload), device=str(device))
    evaluated = _evaluated(predictor, workload.data)
    answering, notes = _answering(predictor, evaluated, effort.questions)
    speed = ModelSpeed(
        model=workload.name,
        parameters=predictor.model.num_parameters,
        batch_size=workload.data.batch_size,
        precision=str(trainer.precision),
        steps=rated.steps,
        training_per_second=rated.per_second,
        bare_rnn_per_second=yardstick,
        shares=split.shares,
        idle=max(0.0, idle),
        evaluation_per_second=_evaluation_rate(predictor, evaluated, effort.evaluate_seconds),
        reading=_reading(predictor, evaluated, effort.questions),
        answering=answering,
        memory_gib=peak_gib(),
        device_memory_gib=(
            torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else None
        ),
        notes=notes,
    )
    return speed, device


def _stages(effort: Effort, device: torch.device) -> list[Stage]:
    """Make the stages of training: a rate, and on a GPU its phases and its kernels' time."""
    stages = [
        Stage(0.0, effort.warm_up_steps),
        Stage(effort.train_seconds, effort.train_steps),
    ]
    if device.type == "cuda":
        stages += [
            Stage(effort.train_seconds / 4, effort.train_steps, waits=True),
            Stage(effort.train_seconds / 8, effort.train_steps, profiles=True),
        ]
    return stages


def _run_of(workload: Workload) -> Run:
    """Make a run of the trained model, without a folder."""
    model = workload.module.model
    assert model is not None
    return Run(
        folder=Path(workload.name),
        checkpoint=Checkpoint(
            path=Path(workload.name),
            epoch=0,
            step=0,
            model_name=type(model).__name__,
            weights={name: value.cpu() for name, value in model.state_dict().items()},
            inputs_state={},
        ),
        inputs=workload.data.inputs,
        make_model=workload.module.make_model,  # type: ignore[arg-type]  # only called
        held_out=HeldOut(str(workload.data.sources["train"]), workload.data.val_share, "keep"),
        cache_dir=workload.data.cache_dir,
    )


def _evaluated(predictor: Predictor, data: SquadDataModule) -> QuestionDataset[Any]:
    """Open the test questions."""
    preparation = Preparation(
        cache_dir=data.cache_dir, workers=data.workers, progress=data.progress
    )
    return predictor.dataset(
        find_source(str(data.sources["test"]), reading=data.reading), preparation
    )


def _evenly(length: int, count: int) -> NDArray[np.int64]:
    """Choose `count` of so many places evenly, or all."""
    count = min(count, length)
    return np.arange(count) * length // count


def whole_paragraphs(dataset: QuestionDataset[Any], count: int) -> NDArray[np.int64]:
    """Choose about `count` rows of a data set: all questions of paragraphs evenly taken from it.

    So they share contexts as those of a whole evaluation do.
    """
    distinct = np.unique(dataset.paragraphs)
    number = max(1, len(distinct) * min(count, len(dataset)) // len(dataset))
    chosen = distinct[_evenly(len(distinct), number)]
    return dataset.rows[np.isin(dataset.paragraphs, chosen)]


def _evaluation_rate(predictor: Predictor, dataset: QuestionDataset[Any], seconds: float) -> float:
    """Measure questions per second of evaluation, over about so many seconds."""
    wait = waiting_for(predictor.device)

    def taken(count: int) -> tuple[int, float]:
        part = predictor.run.inputs.dataset(dataset.data, whole_paragraphs(dataset, count))
        wait()
        begun = time.perf_counter()
        for _, batch, output in predictor.outputs(part):
            spans, scores = predictor.model.best_spans(output, batch)
            spans.cpu(), scores.cpu()
        return len(part), time.perf_counter() - begun

    questions, first = taken(32)  # which warms up
    questions, took = taken(max(questions, math.ceil(seconds / first * questions)))
    return questions / took


def _latency(ask: Callable[[int], object], count: int) -> Latency:
    """Time questions one after another, by their number; the first ones warm up."""
    warm_up = min(2, count - 1)
    taken = []
    for number in range(count):
        begun = time.perf_counter()
        ask(number)
        taken.append(1000 * (time.perf_counter() - begun))
    median, slow = np.percentile(taken[warm_up:], [50, 95])
    return Latency(float(median), float(slow), count - warm_up)


def _reading(predictor: Predictor, dataset: QuestionDataset[Any], count: int) -> Latency:
    """Time single questions on prepared data."""
    items = _evenly(len(dataset), count).tolist()

    def read(number: int) -> None:
        batch = dataset.collate(items[number : number + 1]).to(predictor.device)
        with torch.inference_mode():
            predictor.model.best_spans(predictor.model(batch), batch)[0].cpu()

    return _latency(read, len(items))


def _answering(
    predictor: Predictor, dataset: QuestionDataset[Any], count: int
) -> tuple[Latency | None, str]:
    """Time answers about new texts; None, and why, where text cannot be prepared here."""
    data = dataset.data
    paragraphs = np.unique(data.paragraphs, return_index=True)[1]  # a question of each
    rows = paragraphs[_evenly(len(paragraphs), count)]
    texts = [
        (data.contexts[int(data.paragraphs[row])].as_py(), str(data.questions[int(row)]))
        for row in rows
    ]
    try:
        return _latency(lambda number: predictor.answer(*texts[number]), len(texts)), ""
    except SquadQAError as error:
        return None, f"New texts cannot be answered here: {error.what}."
