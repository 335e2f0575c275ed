"""The output of a training: a start block, progress, and a row for each evaluation."""

import shlex
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from squadqa.cli.console import bold, facts
from squadqa.cli.scores import abstaining_lines
from squadqa.cli.streams import REDRAW
from squadqa.run_files import RESULTS
from squadqa.training.clock import TrainingClock
from squadqa.training.evaluation import Evaluation
from squadqa.training.module import QAModule
from squadqa.training.samples import fixed_questions
from squadqa.training.until import UntilF1
from squadqa.training.warm_start import TakenWeights, WarmStart

SECONDS_BETWEEN_LINES = 30.0
"""Seconds between lines of progress that cannot be redrawn in place."""


class StepLine(pl.Callback):
    """Prints the progress of an epoch; on a terminal, in a line that is redrawn in place.

    Args:
        clock: Counts the questions.
    """

    def __init__(self, clock: TrainingClock) -> None:
        self.clock = clock
        self._printed = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Wait for some steps before the first line (called by Lightning)."""
        self._printed = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        index: int,
    ) -> None:
        """Print progress when it is due (called by Lightning)."""
        if not trainer.is_global_zero:
            return
        in_place = sys.stderr.isatty()
        now = time.monotonic()
        if now - self._printed < (0.2 if in_place else SECONDS_BETWEEN_LINES):
            return
        self._printed = now
        batches = int(trainer.num_training_batches)
        rate = self.clock.recent_questions_per_second
        left = (batches - index - 1) * len(batch) * trainer.world_size / max(rate, 1e-9)
        left, whole = min((left, "epoch"), (self.clock.seconds_left, "budget"))
        epochs = "" if trainer.max_epochs == -1 else f"/{trainer.max_epochs}"
        loss = float(trainer.callback_metrics.get("train/loss", float("nan")))
        line = (
            f"epoch {trainer.current_epoch + 1}{epochs}  "
            f"{100 * (index + 1) // batches:3} %  loss {loss:.3f}  "
            f"{rate:.0f} questions/s  {_clock_time(left)} left in the {whole}"
        )
        sys.stderr.write(f"{REDRAW}{line}" if in_place else f"{line}\n")
        sys.stderr.flush()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Clear the line for the report of the evaluation (called by Lightning)."""
        if trainer.is_global_zero and sys.stderr.isatty():
            sys.stderr.write(REDRAW)
            sys.stderr.flush()


class Reporter(pl.Callback):
    """Prints a report at the start of a training and at each evaluation.

    Args:
        clock: Counts the questions.
        warm_start: The warm start that gave the model its weights, if there was one.
    """

    def __init__(self, clock: TrainingClock, *, warm_start: WarmStart | None = None) -> None:
        self.clock = clock
        self.warm_start = warm_start
        self._has_header = False
        self._share = 1.0  # remaining share of the learning rate

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the start block (called by Lightning)."""
        if not trainer.is_global_zero:
            return
        assert isinstance(pl_module, QAModule)
        self._share = pl_module.plateau.share
        data = pl_module.data
        assert pl_module.model is not None
        counts = data.counts()
        reasons = {
            "skipped": "without usable answers left out",
            "lost": "without answer tokens left out",
            "without_target": "without a right candidate are not learned from",
            "skipped_test": "test questions without answers left out",
        }
        left_out = "".join(
            f"; {counts[name]:,} {reason}" for name, reason in reasons.items() if counts[name]
        )
        if data.inputs.abstains:
            without = (f"{counts[f'unanswerable_{part}']:,}" for part in ("train", "val"))
            left_out = f"; {' and '.join(without)} of them have no answer{left_out}"
        begun = f", from step {trainer.global_step:,}" if trainer.global_step else ""
        pairs = [
            (
                "model",
                f"{type(pl_module.model).__name__}, {pl_module.model.num_parameters:,} parameters",
            ),
            ("data", f"{counts['train']:,} train, {counts['val']:,} val questions{left_out}"),
            ("vectors", " + ".join(data.inputs.vectors) or "none"),
            (
                "device",
                f"{trainer.strategy.root_device}, {trainer.precision}, "
                f"{trainer.world_size} process(es), {torch.get_num_threads()} thread(s)",
            ),
            (
                "training",
                f"{_limits(trainer, self.clock)} of {trainer.num_training_batches:,} batches"
                f"{begun}",
            ),
            *(
                (
                    "early stop",
                    f"after {_evaluations(each.patience)} without a better {_score(each.monitor)}",
                )
                for each in trainer.early_stopping_callbacks
            ),
            ("folder", trainer.default_root_dir),
        ]
        steps = pl_module.total_steps()
        if pl_module.warmup_steps > steps:
            warmup = f"{pl_module.warmup_steps:,} steps, more than the training's {steps:,}"
            pairs.append(("warm-up", f"{warmup}: the learning rate will not reach its full value"))
        if self.warm_start is not None and self.warm_start.result is not None:
            pairs.append(("warm start", f"from {self.warm_start.name}"))
            if self.warm_start.vectors != data.inputs.vectors:
                others = " + ".join(self.warm_start.vectors) or "none"
                pairs.append(("", f"which was trained on other word vectors: {others}"))
            pairs += [("", line) for line in taken_lines(self.warm_start.result)]
        print(facts(pairs), flush=True)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the evaluation's row and a few answers (called by Lightning)."""
        if trainer.sanity_checking or not trainer.is_global_zero or trainer.state.fn != "fit":
            return
        assert isinstance(pl_module, QAModule)
        columns = f"{'epoch':>6} {'minutes':>8} {'val loss':>9} {'val EM':>7} {'val F1':>7}"
        if not self._has_header:
            print(bold(f"\n{columns}"))
            self._has_header = True
        loss, exact, f1 = (
            float(trainer.callback_metrics[f"val/{name}"]) for name in ("loss", "exact_match", "f1")
        )
        minutes = self.clock.seconds / 60
        print(f"{trainer.current_epoch + 1:6} {minutes:8.1f} {loss:9.4f} {exact:7.2f} {f1:7.2f}")
        for question, gold, predicted in fixed_questions(
            pl_module.data.datasets["val"], pl_module.evaluation.predictions, count=5
        ):
            answers = f"gold: {_short(gold, 30)}  predicted: {_short(predicted, 30)}"
            print(f"         {_short(question, 60)}  {answers}")
        if pl_module.plateau.share < self._share:
            self._share = pl_module.plateau.share
            rate = max(group["lr"] for each in trainer.optimizers for group in each.param_groups)
            waited = _stalled(f"val/{pl_module.plateau_score}", pl_module.plateau.patience)
            print(f"         {waited}: the learning rate is cut to {rate:.3g}")
        sys.stdout.flush()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report why training ends early (called by Lightning)."""
        if not trainer.is_global_zero:
            return
        for callback in trainer.early_stopping_callbacks:
            if callback.wait_count >= callback.patience:
                stalled = _stalled(callback.monitor, callback.patience)
                print(f"\n{stalled}: training stops early", flush=True)


def taken_lines(result: TakenWeights) -> list[str]:
    """Report the weights of a warm start: a line for each part of the model, and exceptions.

    Args:
        result: The copied and other weights.
    """
    taken, reshaped, missing, unused = (
        Counter(map(_part, names))
        for names in (result.taken, result.reshaped, result.missing, result.unused)
    )
    shared = taken + reshaped
    lines = [
        f"took {taken[part]} of {count} weights of {part}"
        + ("" if part in shared else ", which is missing there")
        for part, count in (shared + missing).items()
    ]
    lines += [
        f"not {name}: {_shape(here)} here, {_shape(there)} there"
        for name, (here, there) in result.reshaped.items()
    ]
    lines += [f"not {name}: missing there" for name in result.missing if _part(name) in shared]
    lines += [f"left {name}: missing here" for name in result.unused if _part(name) in shared]
    lines += [
        f"left {count} weights of {part}, which is missing here"
        for part, count in unused.items()
        if part not in shared
    ]
    if taken.total() < (shared + missing).total() / 2:
        lines.append("most weights do not fit: train with the other run's configuration")
    return lines


def end_block(
    folder: Path,
    evaluation: Evaluation,
    clock: TrainingClock,
    *,
    trust: Sequence[str],
    until: UntilF1 | None = None,
    wandb_runs: Sequence[Path],
) -> str:
    """Report the scores of a training and the possible next steps.

    Args:
        folder: The run folder.
        evaluation: The scores on the test part.
        clock: The clock of the training.
        trust: The options that commands need which open the run.
        until: The score at which it was to end, if there was one.
        wandb_runs: Folders of the offline W&B run, one for each time that it was trained.
    """
    run, scores = shlex.join([str(folder), *trust]), evaluation.scores
    lines = [
        "",
        facts(
            [
                ("test", f"EM {scores['exact_match']:.2f}  F1 {scores['f1']:.2f}"),
                *abstaining_lines(evaluation.v2),
                (
                    "minutes",
                    f"{clock.seconds / 60:.1f} ({clock.questions_per_second:.1f} questions/s)",
                ),
                *([(f"F1 {until.f1:g}", _reached(until))] if until else []),
                ("folder", str(folder)),
                ("scores", str(folder / RESULTS)),
                ("answer", f'squadqa answer {run} --context FILE --question "..."'),
                ("evaluate", f"squadqa evaluate {run} --data FILE"),
            ]
        ),
    ]
    if wandb_runs:
        folders = shlex.join(map(str, wandb_runs))
        lines.append(f"To upload the log to Weights & Biases: wandb sync {folders}")
    return "\n".join(lines)


def _reached(until: UntilF1) -> str:
    if until.reached_after is None:
        return "was not reached"
    return f"was reached {until.reached_after:,.1f} s after the first step"


def _stalled(monitor: str, evaluations: int) -> str:
    """Report that a score stalled, by the name of its column."""
    times = "evaluation" if evaluations == 1 else _evaluations(evaluations)
    return f"{_score(monitor)} did not improve in the last {times}"


def _score(monitor: str) -> str:
    return monitor.replace("/", " ").replace("exact_match", "EM").replace("f1", "F1")


def _evaluations(count: int) -> str:
    return f"{count} evaluation" if count == 1 else f"{count} evaluations"


def _part(name: str) -> str:
    return name.partition(".")[0]


def _shape(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes)) or "one number"


def _short(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"


def _limits(trainer: pl.Trainer, clock: TrainingClock) -> str:
    """Report the length of a training: epochs, minutes, or whichever ends first."""
    minutes = "" if clock.budget_minutes is None else f"{clock.budget_minutes:g} minutes"
    epochs = "" if trainer.max_epochs == -1 else f"{trainer.max_epochs} epochs"
    return " or ".join(filter(None, [minutes, epochs])) or "epochs, endlessly,"


def _clock_time(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
