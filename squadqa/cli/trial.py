"""A trial of a training: a few steps on a few of its questions, through all that a long one does.

It trains, evaluates, writes its run folder, opens it again and answers from it. On the way it
measures what a long training will take: time, memory and disk.
"""

import io
import json
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from squadqa.benchmark.memory import peak_gib
from squadqa.cli.lightning import train
from squadqa.cli.lightning_parser import parse
from squadqa.cli.quiet import quiet_lightning
from squadqa.data.squad import SquadData
from squadqa.errors import CheckpointError
from squadqa.inference.load import load
from squadqa.models.base import QAModel
from squadqa.run_files import CHECKPOINTS, LAST, RESULTS

TRAINED, SCORED = 400, 40
"""About how many questions a trial trains on, and scores."""

LONGEST = 3
"""The paragraphs with the most characters that are among those to train on."""

MOST_BATCH = 32
"""Questions in a batch of a trial; a larger one's memory is computed, not tried."""

LEAST_STEPS = 3
"""Steps to measure at least."""

GIB = 2**30

TRANSIENT = 1.5
"""A backward pass's memory for each byte that the forward pass saved: an estimate."""


@dataclass(frozen=True)
class Trial:
    """What a trial measured.

    Args:
        parameters: The model's parameters.
        per_second: Questions per second of training.
        steps: Training steps that this was measured over.
        batch_gib: Memory of a batch of the configured size, of the longest contexts, in GiB.
        held_gib: Memory that the training held at most without it: the GPU's, or the process's.
        on_gpu: Whether it trained on a GPU.
        checkpoint_bytes: Size of a checkpoint.
        prepared_bytes: Size of the prepared data, for each question.
    """

    parameters: int
    per_second: float
    steps: int
    batch_gib: float
    held_gib: float
    on_gpu: bool
    checkpoint_bytes: int
    prepared_bytes: float


class StepRate(pl.Callback):
    """Ends a training after some seconds of it, and counts its questions; evaluation is left out.

    The first step is left out too: it allocates memory.

    Args:
        least_seconds: How long to train.
    """

    def __init__(self, least_seconds: float) -> None:
        self.least_seconds = least_seconds
        self.steps = -1
        self.questions = 0
        self.seconds = 0.0
        self._since = 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        """Start the clock (called by Lightning)."""
        self._since = time.perf_counter()

    def on_validation_end(self, *_: Any) -> None:
        """Start the clock again (called by Lightning)."""
        self._since = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, _: int
    ) -> None:
        """Count a step, and end the training when it is time (called by Lightning)."""
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize()
        now = time.perf_counter()
        self.steps += 1
        if self.steps:
            self.questions += len(batch)
            self.seconds += now - self._since
        self._since = now
        if self.steps >= LEAST_STEPS and self.seconds >= self.least_seconds:
            trainer.should_stop = True


def run_trial(
    line: Sequence[str],
    folder: Path,
    *,
    train_data: SquadData,
    test_data: SquadData,
    seconds: float,
    questions: int = TRAINED,
    trust: Sequence[str] = (),
) -> Trial:
    """Train a little, write everything, open it again, and compare.

    Args:
        line: The command line of the training; its configuration can be parsed.
        folder: An empty folder.
        train_data: The training questions, all of them.
        test_data: The test questions.
        seconds: How long to train.
        questions: About how many questions to train on.
        trust: What the user trusts of a run that a warm start opens.

    Raises:
        SquadQAError: A long training would fail too.
    """
    files = {"train": folder / "train.json", "dev": folder / "dev.json"}
    few = some_questions(train_data, questions, longest=LONGEST)
    files["train"].write_text(json.dumps(few), encoding="utf-8")
    files["dev"].write_text(json.dumps(some_questions(test_data, SCORED)), encoding="utf-8")
    cache, run = folder / "cache", folder / "runs" / "trial"
    with quiet_lightning(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        parsed = parse([*line, *_overrides(files, cache, run)])
        configured = parsed.data.batch_size
        parsed.data.batch_size = min(configured, MOST_BATCH)
        device = _device(parsed.trainer)
        timer = StepRate(seconds)
        options = {**parsed.trainer, "callbacks": [*_listed(parsed.trainer), timer]}
        train(replace(parsed, trainer=options), command="", trust=trust)
        scored = json.loads((run / RESULTS).read_text("utf-8"))
        opened = load(run, device=str(device), trust=trust)
        score = opened.evaluate(str(files["dev"]), cache_dir=cache)
    if abs(score.f1 - scored["f1"]) > 0.5:  # half-precision rounds
        raise CheckpointError(
            f"a trial training scored F1 {scored['f1']:.2f}, and {score.f1:.2f} when it was opened "
            "again",
            hint="The model has a state that its checkpoint does not keep.",
        )
    model, dataset = parsed.module.model, parsed.data.datasets["train"]
    assert model is not None
    rows = sorted(range(len(dataset)), key=lambda row: -int(dataset.context_lengths[row]))
    one, several = (
        saved_bytes(model.to(device), dataset.collate(rows[:count]).to(device))
        for count in (1, LONGEST)
    )
    each = max(0.0, (several - one) / (LONGEST - 1))
    prepared = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    questions = sum(len(p["qas"]) for a in few["data"] for p in a["paragraphs"]) + SCORED
    on_gpu = device.type == "cuda"
    return Trial(
        parameters=model.num_parameters,
        per_second=timer.questions / timer.seconds,
        steps=timer.steps,
        batch_gib=TRANSIENT * (one + each * (configured - 1)) / GIB,
        held_gib=torch.cuda.max_memory_allocated() / GIB if on_gpu else peak_gib(),
        on_gpu=on_gpu,
        checkpoint_bytes=(run / CHECKPOINTS / LAST).stat().st_size,
        prepared_bytes=prepared / questions,
    )


def some_questions(data: SquadData, count: int, *, longest: int = 0) -> dict[str, Any]:
    """Choose paragraphs of a data set evenly, with all their questions, as SQuAD's JSON.

    Args:
        data: The questions.
        count: About how many questions to choose.
        longest: Further paragraphs to take: those with the most characters.
    """
    asked: dict[int, list[int]] = {}
    for question, paragraph in enumerate(data.paragraphs):
        asked.setdefault(paragraph, []).append(question)
    paragraphs = list(asked)
    number = max(1, min(len(paragraphs), len(paragraphs) * count // max(1, len(data.ids))))
    chosen = {paragraphs[place * len(paragraphs) // number] for place in range(number)}
    chosen |= set(sorted(paragraphs, key=lambda one: -len(data.contexts[one]))[:longest])
    articles = [
        {
            "title": f"{data.titles[paragraph]} {paragraph}",
            "paragraphs": [
                {
                    "context": data.contexts[paragraph],
                    "qas": [_question(data, row) for row in asked[paragraph]],
                }
            ],
        }
        for paragraph in sorted(chosen)
    ]
    return {"version": "1.1", "data": articles}


def saved_bytes(model: QAModel, batch: Any) -> int:
    """Count what a forward pass keeps for its backward pass, without the model's weights.

    Args:
        model: The model.
        batch: A batch on its device.
    """
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept: dict[int, int] = {}

    def keep(saved: torch.Tensor) -> torch.Tensor:
        if saved.layout == torch.strided:
            storage = saved.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
        return saved

    model.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda saved: saved):
        loss = model.loss(model(batch), batch)  # keeps them alive: no address is used twice
    del loss
    model.eval()
    return sum(size for address, size in kept.items() if address not in weights)


def _question(data: SquadData, row: int) -> dict[str, Any]:
    answers = [
        {"text": text} if start < 0 else {"text": text, "answer_start": start}
        for text, start in zip(data.answer_texts[row], data.answer_starts[row], strict=True)
    ]
    return {"id": data.ids[row], "question": data.questions[row], "answers": answers}


def _overrides(files: dict[str, Path], cache: Path, run: Path) -> list[str]:
    """Return the options that make a training a trial."""
    values = {
        "data.train": files["train"],
        "data.val": files["dev"],
        "data.test": files["dev"],
        "data.cache_dir": cache,
        "data.workers": 1,
        "data.bad_answers": "skip",
        "data.limit_train": "null",
        "data.columns": "null",
        "run_folder": run,
        "resume": "false",
        "wandb": "off",
        "results": "null",
        "budget_minutes": "null",
        "until_f1": "null",
        "trainer.max_epochs": 1000,
        "trainer.max_steps": -1,
        "trainer.val_check_interval": "1.0",
        "trainer.check_val_every_n_epoch": 1,
        "trainer.devices": 1,
        "early_stopping.patience": 1_000_000,
    }
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


def _device(options: Any) -> torch.device:
    """Return the device that a trainer will take."""
    asked = options.get("accelerator", "auto")
    wants_gpu = asked in ("gpu", "cuda") or (asked == "auto" and torch.cuda.is_available())
    return torch.device("cuda" if wants_gpu else "cpu")


def _listed(options: Any) -> list[Any]:
    callbacks = options.get("callbacks") or []
    return [*callbacks] if isinstance(callbacks, list | tuple) else [callbacks]
