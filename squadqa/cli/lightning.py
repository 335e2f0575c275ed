"""The subcommands fit, validate, test and predict, with a run folder; used by `squadqa train`."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl
import torch
from jsonargparse import Namespace
from pytorch_lightning.callbacks import LearningRateMonitor
from pytorch_lightning.loggers import Logger

from squadqa.cli.cards import card_model, write_card
from squadqa.cli.console import ProgressLines
from squadqa.cli.lightning_parser import Parsed, parse, seed_of
from squadqa.cli.quiet import quiet_lightning
from squadqa.cli.reporting import Reporter, StepLine, end_block
from squadqa.cli.run_folders import (
    choose_run_folder,
    find_last_checkpoint,
    find_run_checkpoint,
    require_name,
    resume_line,
    resume_or_other,
    trust_options,
    write_scored,
)
from squadqa.cli.teacher import open_teacher
from squadqa.errors import ConfigError
from squadqa.evaluation.predictions import write_predictions
from squadqa.evaluation.results import Result, measured, write_result
from squadqa.files import require_writable_file
from squadqa.inference.checkpoint import read_checkpoint
from squadqa.inference.run_folder import open_run
from squadqa.provenance import commit, hardware
from squadqa.report.card import card_scores, model_card
from squadqa.report.curves import write_curves
from squadqa.run_files import BEST, CHECKPOINTS, LAST, LOGS, PREDICTIONS, WANDB
from squadqa.training.checkpoints import (
    CheckpointFolder,
    TrainingStopped,
    require_model,
)
from squadqa.training.checks import require_end, require_practice
from squadqa.training.clock import TrainingClock
from squadqa.training.datamodule import SquadDataModule
from squadqa.training.evaluation import Evaluation
from squadqa.training.fit import fit, make_trainer
from squadqa.training.held_memory import HeldMemory
from squadqa.training.logs import WholeLogs
from squadqa.training.prediction_table import MOST_ROWS, PredictionTable
from squadqa.training.processes import is_first_process
from squadqa.training.random_states import RandomStates
from squadqa.training.run_lock import hold_run
from squadqa.training.run_record import Origin, RunRecord, read_origin
from squadqa.training.samples import SampleTable
from squadqa.training.threads import SharedCores
from squadqa.training.until import UntilF1
from squadqa.training.wandb_log import WandbLog
from squadqa.training.warm_start import WarmStart

RULE_V2 = "Scored by the rule of SQuAD v2.0."
"""The note on results of runs that may abstain."""


def run(
    arguments: Sequence[str],
    *,
    command: str | None = None,
    also_known: Sequence[str] = (),
    trust: Sequence[str] = (),
) -> int:
    """Run a subcommand: fit, validate, test or predict.

    Args:
        arguments: The command line after the program's name.
        command: The whole command line, to record in a result; None takes `arguments` as those of
            train_cli.py.
        also_known: Options of the calling command, to suggest for a wrong one.
        trust: What the user trusts of a run that a warm start or a teacher opens.

    Returns:
        The exit code: 0, or 1 if a signal stopped a training.

    Raises:
        SquadQAError: A mistake of the user.
    """
    line = command or " ".join(["python train_cli.py", *arguments])
    with quiet_lightning():
        parsed = parse(arguments, check=_check, also_known=also_known)
        parsed.data.progress = ProgressLines()
        if parsed.subcommand == "fit":
            return train(parsed, command=line, trust=trust)
        answer(parsed)
    return 0


def train(parsed: Parsed, *, command: str, trust: Sequence[str] = ()) -> int:
    """Train a run, and score its best checkpoint.

    Args:
        parsed: The configuration of a training.
        command: The command line, to record in a result.
        trust: What the user trusts of a run that a warm start opens.

    Returns:
        The exit code: 0, or 1 if a signal stopped the training.
    """
    config = parsed.config
    if config.ckpt_path:
        raise ConfigError(
            f'a training cannot begin with ckpt_path "{config.ckpt_path}"',
            next_step="Resume a run with --resume RUN_FOLDER, or begin a new one with the weights "
            "of another with --warm-start RUN_FOLDER.",
        )
    folder = choose_run_folder(config.run_folder, parsed.configs, is_new=not config.resume)
    if is_first_process():
        require_name(folder, **({"next_step": "Rename it."} if config.resume else {}))
    last = find_last_checkpoint(folder) if config.resume else None
    with hold_run(folder, is_new=not config.resume, next_step=resume_or_other(folder)):
        return _train(parsed, folder, last, command=command, trust=trust)


def _train(
    parsed: Parsed, folder: Path, last: Path | None, *, command: str, trust: Sequence[str]
) -> int:
    """Train in a folder that no other training uses, and score the best checkpoint."""
    config, module, data = parsed.config, parsed.module, parsed.data
    config.wandb = _available_wandb(config.wandb)
    if config.resume:
        _require_readable(folder, last)
    warm_start: WarmStart | None = None
    if config.warm_start and not last:
        warm_start = warm_start_from(config.warm_start, trust=trust)
    if config.teacher:
        data.teacher = open_teacher(parsed, trust=trust)
    clock = TrainingClock(budget_minutes=config.budget_minutes)
    until = None if config.until_f1 is None else UntilF1(config.until_f1)
    table = PredictionTable()
    keeper = CheckpointFolder(folder / CHECKPOINTS, every_n_steps=config.save_every)
    origin = Origin(
        configs=parsed.configs,
        overrides=parsed.overrides,
        command=command,
        commit=commit(),
        hardware=hardware(),
    )
    trainer = make_trainer(
        parsed.trainer,
        default_root_dir=str(folder),
        loggers=_loggers(folder, config.wandb),
        callbacks=[
            RandomStates(),
            clock,
            HeldMemory(most_gib=config.held_memory),
            SharedCores(threads=config.threads),
            *keeper.callbacks,
            LearningRateMonitor("step"),
            SampleTable(),
            table,
            StepLine(clock),
            *([warm_start] if warm_start else []),
            *([until] if until else []),
            Reporter(clock, warm_start=warm_start),
            parsed.early_stopping,
            RunRecord(parsed.text, config.as_dict(), origin),
        ],
    )
    try:
        if config.results and is_first_process():
            require_writable_file(Path(config.results) / f"{folder.name}.json")
        evaluation = fit(
            module,
            data,
            trainer,
            seed=seed_of(parsed),
            clock=clock,
            keeper=keeper,
            resume_from=last,
        )
    except TrainingStopped as stopped:
        if not is_first_process():  # only the first process prints
            return 0
        _finish_wandb(config.wandb)
        line = resume_line(stopped.checkpoint.parent.parent)
        sys.stderr.write(f"\nStopped; resume with: {line}\n")
        return 1
    except BaseException:
        if not config.resume and is_first_process():
            _remove_without_checkpoint(folder, config.wandb)
        raise
    if trainer.is_global_zero:
        _finish(parsed, folder, evaluation, clock, until, trainer, left_out=table.left_out)
    return 0


def answer(parsed: Parsed) -> None:
    """Answer questions with a run, and print the scores or write a prediction file.

    Args:
        parsed: The configuration of an evaluation or a prediction.
    """
    config, data = parsed.config, parsed.data
    folder = choose_run_folder(config.run_folder, parsed.configs, is_new=False)
    path = Path(config.ckpt_path) if config.ckpt_path else find_run_checkpoint(folder, BEST, LAST)
    checkpoint = read_checkpoint(path)
    described = config.model.init_args
    model = (described.get("reader") or described.get("scorer")).class_path.rpartition(".")[2]
    require_model(checkpoint.model_name, model)
    data.inputs.load_state_dict(checkpoint.inputs_state)
    trainer = make_trainer(parsed.trainer, default_root_dir=str(folder))
    options = {} if parsed.subcommand == "predict" else {"verbose": False}  # no table by Lightning
    getattr(trainer, parsed.subcommand)(
        parsed.module, datamodule=data, ckpt_path=str(path), weights_only=True, **options
    )
    if not trainer.is_global_zero:
        return
    evaluation = parsed.module.evaluation
    if parsed.subcommand == "predict":
        output = folder / PREDICTIONS
        write_predictions(output, evaluation.predictions)
        print(f"{len(evaluation.predictions):,} answers in {output}")
        return
    stage = {"validate": "val", "test": "test"}[parsed.subcommand]
    for name, value in {**evaluation.scores, **evaluation.v2}.items():
        print(f"{stage}/{name}  {value:.4f}")


def warm_start_from(folder: str, *, trust: Sequence[str] = ()) -> WarmStart:
    """Read a run for a warm start: the weights of its best checkpoint, or else the last one.

    Args:
        folder: The run folder.
        trust: What the user trusts (see `open_run`).

    Raises:
        CheckpointError: The run does not exist, or its checkpoint cannot be used.
    """
    run = open_run(folder, trust=trust)
    return WarmStart(
        str(run.checkpoint),
        run.checkpoint.weights,
        frequent=run.checkpoint.inputs_state.get("frequent", ()),
        vectors=run.inputs.vectors,
    )


def _require_readable(folder: Path, last: Path | None) -> None:
    """Check before the work that a run to resume has what it needs until its end."""
    read_origin(folder)
    if last is None:
        sys.stderr.write("Stopped before its first checkpoint; begins again with its first step.\n")
        return
    for path in (last, last.with_name(BEST)):
        if path.exists():
            read_checkpoint(path)


def _check(subcommand: str, config: Namespace) -> None:
    if subcommand == "fit":
        if config.until_f1 is not None and config.data.val is None:
            config.data.val = config.data.test  # the score to reach is that on dev
        require_practice(config)
        require_end(config)


def _available_wandb(mode: str) -> str:
    """Return the mode of W&B; where it is not installed, "off" in place of the usual "offline".

    Raises:
        ConfigError: W&B is to log online, and is not installed.
    """
    if mode == "off":
        return mode
    try:
        from wandb import Settings  # noqa: F401  # a folder of W&B's logs can be imported too
    except ImportError as error:
        if mode == "online":
            raise ConfigError(
                '--wandb online needs the package "wandb", which is not installed',
                next_step="Install it (pip install wandb), or leave out --wandb online.",
            ) from error
        if is_first_process():
            sys.stderr.write("Weights & Biases is not installed: logging to CSV files only.\n")
        return "off"
    return mode


def _loggers(folder: Path, wandb_mode: str) -> list[Logger]:
    loggers: list[Logger] = [WholeLogs(folder, name=LOGS)]
    if wandb_mode != "off":
        loggers.append(WandbLog(folder, mode="online" if wandb_mode == "online" else "offline"))
    return loggers


def _finish_wandb(mode: str) -> None:
    """Close the W&B run, as the process may train another model, which is another run."""
    if mode != "off":
        import wandb

        wandb.finish()


def _remove_without_checkpoint(folder: Path, wandb_mode: str) -> None:
    """Remove the files of a training that could not start because of a mistake."""
    if not any(folder.glob(f"{CHECKPOINTS}/*.ckpt")):
        _finish_wandb(wandb_mode)  # W&B would keep writing there
        shutil.rmtree(folder, ignore_errors=True)


def _finish(
    parsed: Parsed,
    folder: Path,
    evaluation: Evaluation,
    clock: TrainingClock,
    until: UntilF1 | None,
    trainer: pl.Trainer,
    *,
    left_out: int,
) -> None:
    """Write and print the results of a training, and how many questions W&B's table leaves out."""
    result = _result(parsed, folder, evaluation, clock, until, trainer.strategy.root_device)
    write_scored(folder, result, evaluation.predictions)
    write_curves(folder)
    model, data = parsed.module.model, parsed.data
    assert model is not None
    predictions, by_v2 = evaluation.predictions, bool(evaluation.v2)
    scores = card_scores(data.datasets["test"].data, predictions, by_v2=by_v2)
    write_card(folder, model_card(card_model(folder.name, model, data.inputs), result, scores))
    if parsed.config.results:
        write_result(parsed.config.results, result)
    _finish_wandb(parsed.config.wandb)
    if left_out:
        sys.stderr.write(
            f"The table of predictions at Weights & Biases has {MOST_ROWS:,} questions, chosen "
            f"evenly: {left_out:,} are left out.\n"
        )
    wandb_runs = sorted((folder / WANDB).glob("offline-run-*"))
    trust = trust_options(folder)
    block = end_block(folder, evaluation, clock, trust=trust, until=until, wandb_runs=wandb_runs)
    print(block, flush=True)


def _result(
    parsed: Parsed,
    folder: Path,
    evaluation: Evaluation,
    clock: TrainingClock,
    until: UntilF1 | None,
    device: torch.device,
) -> Result:
    config, module, data = parsed.config, parsed.module, parsed.data
    origin = read_origin(folder)
    assert module.model is not None
    begun = f"Warm start from {config.warm_start}." if config.warm_start else ""
    taught = f"Taught by {config.teacher}." if config.teacher else ""
    return measured(
        folder.name,
        configs=origin.configs,
        overrides=origin.overrides,
        command=origin.command,
        data=_named(data),
        total=len(data.datasets["test"]),
        seed=seed_of(parsed),
        commit=origin.commit,
        hardware=origin.hardware,
        device=str(device),
        vectors=" + ".join(data.inputs.vectors),
        budget_minutes=config.budget_minutes,
        minutes=clock.seconds / 60,
        epochs=clock.questions / data.counts()["train"],
        examples_per_second=clock.questions_per_second,
        parameters=module.model.num_parameters,
        exact_match=evaluation.scores["exact_match"],
        f1=evaluation.scores["f1"],
        notes=" ".join(filter(None, [config.notes, begun, taught, RULE_V2 * bool(evaluation.v2)])),
        v2=evaluation.v2,
        until_f1=config.until_f1,
        seconds_to_f1=until.reached_after if until else None,
    )


def _named(data: SquadDataModule) -> str:
    """Return the name of a training's data; one name if both parts have the same."""
    return ", ".join(dict.fromkeys([str(data.sources["train"]), str(data.sources["test"])]))
