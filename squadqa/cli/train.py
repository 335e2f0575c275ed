"""Train, validate, test and predict through LightningCLI, with a folder for each run."""

import json
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

import pytorch_lightning as pl
from jsonargparse import Namespace
from jsonargparse.typing import PositiveFloat
from pytorch_lightning.callbacks import EarlyStopping, LearningRateMonitor, ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from pytorch_lightning.loggers import CSVLogger, Logger
from pytorch_lightning.utilities import rank_zero_only
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from squadqa.cli.config_errors import config_error
from squadqa.cli.console import ProgressLines
from squadqa.cli.reporting import Reporter, StepLine, end_block
from squadqa.cli.run_folders import (
    PREDICTIONS,
    require_name,
    require_new,
    require_writable,
    write_scored,
)
from squadqa.cli.training_options import grouped
from squadqa.errors import CheckpointError, ConfigError, SquadQAError, did_you_mean
from squadqa.evaluation.predictions import write_predictions
from squadqa.evaluation.results import Result, commit, hardware, write_result
from squadqa.files import write_atomic
from squadqa.inference.run_folder import CHECKPOINTS, CONFIG, open_run, read_checkpoint
from squadqa.nn.char_cnn import CharCNN
from squadqa.training.callbacks import (
    BEST,
    LAST,
    HeldMemory,
    LastCheckpoint,
    RandomStates,
    TrainingClock,
    TrainingStopped,
)
from squadqa.training.datamodule import SquadDataModule
from squadqa.training.module import QAModule
from squadqa.training.samples import SampleTable
from squadqa.training.warm_start import WarmStart

ORIGIN = "origin.json"

RUN_OF_RANK_0 = "SQUADQA_RUN_FOLDER"
"""Environment variable that tells the other processes of a training its run folder."""

TOLD_ELSEWHERE = ("--data.train", "--data.val", "--data.test", "--trainer.accelerator")
"""Options that a result has a field for, or that do not change it."""

OWN = "own"
"""The character encoder that a model's own configuration names."""

WandbMode = Literal["offline", "online", "off"]

CLI = TypeVar("CLI", bound="TrainCLI")


class SaveRunConfig(SaveConfigCallback):
    """Writes the whole configuration into the run folder and to the loggers.

    Args:
        *args: Of `SaveConfigCallback`.
        changes: What the command line says beside the configuration files.
        **kwargs: Of `SaveConfigCallback`.
    """

    def __init__(self, *args: Any, changes: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes = changes

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Write down what a training starts from (called by Lightning in one process)."""
        if stage != "fit":
            return
        folder = Path(trainer.default_root_dir)
        with write_atomic(folder / CONFIG) as file:
            file.write(self.parser.dump(self.config, skip_none=False))
        if not (folder / ORIGIN).is_file():
            origin = {
                "commit": commit(Path(__file__).parent),
                "hardware": hardware(),
                "config": " ".join([*map(str, self.config.config or []), *self.changes]),
            }
            with write_atomic(folder / ORIGIN) as file:
                json.dump(origin, file, indent=1)
        values = self.config.as_dict()
        for logger in trainer.loggers:
            logger.log_hyperparams(values)


class FriendlyParser(LightningArgumentParser):
    """LightningCLI's parser; a mistake, and an option that is not written out, is a `ConfigError`.

    Args:
        *args: Of `LightningArgumentParser`.
        **kwargs: Of `LightningArgumentParser`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Refuse a command line or a configuration (called by jsonargparse).

        Raises:
            ConfigError: Always.
        """
        if not self.exit_on_error:  # jsonargparse only tries something out
            super().error(message, ex)
        actions = list(self._actions)
        for action in self._actions:  # a mistake in a file is found before its subcommand is known
            if isinstance(action.choices, dict):
                actions += [own for parser in action.choices.values() for own in parser._actions]
        options = [name for action in actions for name in action.option_strings]
        raise config_error(message, options) from ex


class TrainCLI(LightningCLI):
    """LightningCLI with one folder for each run: configuration, checkpoints, logs, results."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the options of a run (called by LightningCLI)."""
        parser.add_argument(
            "--run", type=str | None, default=None, help="Run folder; default: runs/CONFIG_NAME."
        )
        parser.add_argument(
            "--resume", type=bool, default=False, help="Go on with the run in the run folder."
        )
        parser.add_argument(
            "--warm_start",
            type=str | None,
            default=None,
            help="Run folder whose weights a new run begins with: all whose name and shape fit.",
        )
        parser.add_argument(
            "--wandb",
            type=WandbMode,
            default="offline",
            help="Log to Weights & Biases: offline, online, or off.",
        )
        parser.add_argument(
            "--results",
            type=str | None,
            default=None,
            help="Folder that gets NAME.json with the run's scores as well.",
        )
        parser.add_argument("--notes", type=str, default="", help="Words to keep with the scores.")
        parser.add_argument(
            "--save_every", type=int, default=500, help="Steps between two saves of last.ckpt."
        )
        parser.add_argument(
            "--budget_minutes",
            type=PositiveFloat | None,
            default=None,
            help="Train for so long, evaluation not counted; a learning rate that falls linearly "
            "or as a cosine has then reached its end.",
        )
        parser.add_argument(
            "--char_cnn",
            type=CharCNN | Literal["own"] | None,
            default=OWN,
            help="Character encoder of the reader or scorer, in place of its own; null takes "
            "characters out.",
        )
        parser.add_lightning_class_args(EarlyStopping, "early_stopping")
        parser.set_defaults(
            {
                "early_stopping.monitor": "val/f1",
                "early_stopping.mode": "max",
                "early_stopping.patience": 3,
            }
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Read the configuration; put `char_cnn` where it belongs (called by LightningCLI).

        Raises:
            ConfigError: There is a mistake, or the model has no character encoder.
        """
        super().parse_arguments(parser, args)
        config = self.config[self.config.subcommand]
        char_cnn = config.pop("char_cnn")
        if char_cnn == OWN:
            return
        modules = config.model.init_args
        model = modules.get("reader") or modules.get("scorer")
        if "char_cnn" not in model.init_args:
            raise ConfigError(
                f'"{model.class_path}" reads no characters: it has no char_cnn to choose',
                next_step="Leave char_cnn out, or choose another model.",
            )
        model.init_args.char_cnn = char_cnn

    def before_instantiate_classes(self) -> None:
        """Choose the run folder and the checkpoint (called by LightningCLI)."""
        config = self._config
        config.weights_only = True  # no code may run from a checkpoint
        self.run_folder = self._choose_run_folder(config)
        os.environ[RUN_OF_RANK_0] = str(self.run_folder)
        self.warm_start: WarmStart | None = None
        if self.subcommand == "fit":
            require_practice(config)
            require_end(config)
            if config.resume:
                config.ckpt_path = str(self._checkpoint(LAST))
            else:
                if _is_first_process():
                    require_name(self.run_folder)
                    require_writable(self.run_folder)
                if config.warm_start:
                    self.warm_start = warm_start_from(config.warm_start)
        else:
            if self.subcommand != "predict":
                config.verbose = False  # Lightning's own table of scores
            if not config.ckpt_path:
                config.ckpt_path = str(self._checkpoint(BEST, LAST))
        if config.ckpt_path:
            read_checkpoint(Path(config.ckpt_path))  # says what is wrong with it, if anything

    def instantiate_classes(self) -> None:
        """Make model, data and trainer (called by LightningCLI).

        Raises:
            SquadQAError: What the user can mend; jsonargparse hides it in an error of its own.
        """
        try:
            super().instantiate_classes()
        except ValueError as error:
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, SquadQAError):
                cause = cause.__cause__
            if cause is None or cause is error:
                raise
            raise cause from error
        self.model.require_inputs(self.datamodule.inputs)
        self.model.require_precision(self.trainer.precision, self.trainer.strategy.root_device)

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Make the trainer with the run's loggers and callbacks (called by LightningCLI)."""
        config = self._config
        self.datamodule.progress = ProgressLines()
        self.clock = TrainingClock(budget_minutes=config.get("budget_minutes"))
        logger: list[Logger] | bool = False
        callbacks = list(self._get(self.config_init, "trainer.callbacks") or [])
        if self.subcommand == "fit":
            logger = self._loggers(config)
            callbacks += self._training_callbacks(config)
        try:
            return super().instantiate_trainer(
                default_root_dir=str(self.run_folder),
                logger=logger,
                callbacks=callbacks,
                enable_progress_bar=False,
                enable_model_summary=False,
                **kwargs,
            )
        except (MisconfigurationException, TypeError, ValueError) as error:
            raise ConfigError(
                f"the trainer cannot be made so: {error}",
                next_step="Change the section `trainer`, or the options --device and --precision.",
            ) from error

    def _parse_ckpt_path(self) -> None:
        """Read no options from a checkpoint, as LightningCLI would: a run has its config.yaml."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Run fit or another; a training that mistakes prevent leaves no folder behind."""
        try:
            super()._run_subcommand(subcommand)
        except (SquadQAError, KeyboardInterrupt, SystemExit):
            self._remove_run_without_checkpoint()
            raise

    def _remove_run_without_checkpoint(self) -> None:
        folder = self.run_folder
        is_new = self.subcommand == "fit" and not self._config.resume and _is_first_process()
        if not is_new or any(folder.glob(f"{CHECKPOINTS}/*.ckpt")):
            return
        if self._config.wandb != "off":
            import wandb

            wandb.finish()  # it would go on to write there
        shutil.rmtree(folder, ignore_errors=True)

    def after_fit(self) -> None:
        """Score the best checkpoint on the test part and write it down (called by LightningCLI)."""
        # Processes that a scheduler started may have named the folder each for itself.
        self.run_folder = self.trainer.strategy.broadcast(self.run_folder)
        best = self.run_folder / CHECKPOINTS / BEST
        clock = copy(self.clock)  # testing sets the callback to the time of the best checkpoint
        self.trainer.test(
            self.model,
            datamodule=self.datamodule,
            ckpt_path=str(best if best.is_file() else best.with_name(LAST)),
            weights_only=True,
            verbose=False,
        )
        if not self.trainer.is_global_zero:
            return
        scores = self.model.scores
        result = self._result(scores, clock)
        write_scored(self.run_folder, result, self.model.predictions)
        if self._config.results:
            write_result(self._config.results, result)
        if self._config.wandb != "off":
            import wandb

            wandb.finish()  # the process may train another model, which is another run
        wandb_run = next((self.run_folder / "wandb").glob("offline-run-*"), None)
        print(end_block(self.run_folder, scores, clock, wandb_run=wandb_run), flush=True)

    def after_validate(self) -> None:
        """Print the scores (called by LightningCLI)."""
        self._print_scores()

    def after_test(self) -> None:
        """Print the scores (called by LightningCLI)."""
        self._print_scores()

    def after_predict(self) -> None:
        """Write the predictions in the official format (called by LightningCLI)."""
        if not self.trainer.is_global_zero:
            return
        path = self.run_folder / PREDICTIONS
        write_predictions(path, self.model.predictions)
        print(f"{len(self.model.predictions):,} answers in {path}")

    @property
    def _config(self) -> Namespace:
        config: Namespace = self.config[self.subcommand]
        return config

    def _print_scores(self) -> None:
        if not self.trainer.is_global_zero:
            return
        for name, value in self.model.scores.items():
            print(f"{name}  {value:.4f}")

    def _checkpoint(self, *names: str) -> Path:
        folder = self.run_folder / CHECKPOINTS
        for name in names:
            if (folder / name).is_file():
                return folder / name
        raise CheckpointError(
            f'there is no checkpoint "{folder / names[-1]}"',
            next_step="Name the run with --run RUN_FOLDER or a file with --ckpt_path; a new run "
            "starts with fit.",
        )

    def _choose_run_folder(self, config: Namespace) -> Path:
        if "LOCAL_RANK" in os.environ and RUN_OF_RANK_0 in os.environ:
            return Path(os.environ[RUN_OF_RANK_0])
        if config.run:
            folder = Path(config.run)
            is_new = self.subcommand == "fit" and not config.resume and _is_first_process()
            if is_new:
                go_on = f"Go on with it (squadqa train --resume {folder})"
                require_new(folder, next_step=f"{go_on}, or name another.")
            return folder
        name = Path(str(config.config[0])).stem if config.config else "run"
        folder, number = Path("runs") / name, 1
        if config.resume or self.subcommand != "fit":
            return folder
        while folder.exists():
            number += 1
            folder = Path("runs") / f"{name}-{number}"
        return folder

    def _training_callbacks(self, config: Namespace) -> list[pl.Callback]:
        folder = self.run_folder / CHECKPOINTS
        best = ModelCheckpoint(
            folder,
            filename=Path(BEST).stem,
            monitor="val/f1",
            mode="max",
            enable_version_counter=False,
        )
        return [
            RandomStates(),
            self.clock,
            HeldMemory(),
            best,
            LastCheckpoint(folder, every_n_steps=config.save_every),
            LearningRateMonitor("step"),
            SampleTable(),
            StepLine(self.clock),
            *([self.warm_start] if self.warm_start else []),
            Reporter(self.clock, warm_start=self.warm_start),
        ]

    def _loggers(self, config: Namespace) -> list[Logger]:
        loggers: list[Logger] = [CSVLogger(self.run_folder, name="logs")]
        if config.wandb != "off":
            import wandb
            from pytorch_lightning.loggers import WandbLogger

            loggers.append(
                WandbLogger(
                    project="squadqa",
                    name=self.run_folder.name,
                    save_dir=self.run_folder,
                    offline=config.wandb == "offline",
                    settings=wandb.Settings(silent=True, console="off"),
                )
            )
        return loggers

    def _result(self, scores: dict[str, float], clock: TrainingClock) -> Result:
        origin = json.loads((self.run_folder / ORIGIN).read_text(encoding="utf-8"))
        sources = self.datamodule.sources
        same = sources["train"] == sources["test"]
        begun = f"Warm start from {self._config.warm_start}." if self._config.warm_start else ""
        return Result(
            name=self.run_folder.name,
            config=origin["config"],
            data=str(sources["train"] if same else f"{sources['train']}, {sources['test']}"),
            split="dev",
            total=len(self.datamodule.datasets["test"]),
            seed=int(self._config.seed_everything),
            commit=origin["commit"],
            hardware=origin["hardware"],
            device=str(self.trainer.strategy.root_device),
            vectors=" + ".join(self.datamodule.inputs.vectors),
            budget_minutes=self._config.budget_minutes,
            minutes=clock.seconds / 60,
            epochs=clock.questions / self.datamodule.counts()["train"],
            examples_per_second=clock.questions_per_second,
            parameters=self.model.num_parameters,
            exact_match=scores["test/exact_match"],
            f1=scores["test/f1"],
            notes=" ".join(filter(None, [self._config.notes, begun])),
        )


def changes(arguments: list[str]) -> list[str]:
    """Give what a command line changes of a model and its training, as a result names it.

    Args:
        arguments: The command line behind the program's name.

    Returns:
        Each option and its value; without those that a result has a field of its own for.
    """
    return [
        f"{option} {' '.join(words)[len(option) + 1 :]}"
        for option, words in grouped(arguments, also=["--char_cnn"])
        if option and option not in TOLD_ELSEWHERE
    ]


def make_cli(
    kind: type[CLI],
    arguments: list[str],
    *,
    save_config_callback: type[SaveConfigCallback] | None,
) -> CLI:
    """Make LightningCLI for our modules and data; it runs what the command line says.

    Args:
        kind: Its class.
        arguments: The command line behind the program's name.
        save_config_callback: Writes the configuration down, if anything does.

    Raises:
        SquadQAError: What the user can mend.
    """
    return kind(
        QAModule,
        SquadDataModule,
        subclass_mode_model=True,
        parser_class=FriendlyParser,
        save_config_callback=save_config_callback,
        save_config_kwargs={"save_to_log_dir": False, "changes": changes(arguments)},
        seed_everything_default=1,
        trainer_defaults={"use_distributed_sampler": False, "num_sanity_val_steps": 0},
        auto_configure_optimizers=False,
        args=arguments,
    )


def run(arguments: list[str]) -> int:
    """Run LightningCLI: fit, validate, test or predict.

    Args:
        arguments: The command line behind the program's name.

    Returns:
        The exit code: 0, or 1 where a signal stopped a training.

    Raises:
        SquadQAError: What the user can mend.
    """
    with quiet_lightning():
        try:
            make_cli(TrainCLI, arguments, save_config_callback=SaveRunConfig)
        except TrainingStopped as stopped:
            if not _is_first_process():  # that one tells it
                return 0
            folder = stopped.checkpoint.parent.parent
            sys.stderr.write(f"\nStopped; go on with: squadqa train --resume {folder}\n")
            return 1
        finally:
            os.environ.pop(RUN_OF_RANK_0, None)  # it was for this run alone
    return 0


def require_practice(config: Namespace) -> None:
    """Make sure that a training can be clipped and stopped, and its rate cut, as it is told.

    Args:
        config: The whole configuration of a training.

    Raises:
        ConfigError: It cannot.
    """
    practice, stopping = config.model.init_args, config.early_stopping
    clip = config.trainer.gradient_clip_val
    if clip is not None and clip < 0:
        raise ConfigError(
            f"trainer.gradient_clip_val cannot be {clip}",
            hint="It is the largest norm of all gradients, such as 5; 0 leaves them as they are.",
        )
    mode = BETTER.get(stopping.monitor)
    if mode is None:
        raise ConfigError(
            f'early_stopping.monitor cannot be "{stopping.monitor}"',
            hint=did_you_mean(stopping.monitor, BETTER),
        )
    if stopping.mode != mode:
        raise ConfigError(
            f'early_stopping.mode cannot be "{stopping.mode}" with "{stopping.monitor}"',
            next_step=f"Set early_stopping.mode to {mode}.",
        )
    is_futile = practice.get("decay") == "plateau" and (
        practice.plateau_patience >= stopping.patience
        and stopping.monitor == f"val/{practice.plateau_score}"
    )
    if is_futile:
        raise ConfigError(
            f"training would stop before its learning rate falls: early_stopping.patience is "
            f"{stopping.patience}, model.plateau_patience {practice.plateau_patience}",
            hint="Both count evaluations in a row without a better score.",
            next_step="Give early stopping more patience than the plateau.",
        )


def require_end(config: Namespace) -> None:
    """Make sure that a rate that falls over the whole training has an end to fall to.

    Args:
        config: The whole configuration of a training.

    Raises:
        ConfigError: The training is endless.
    """
    trainer, decay = config.trainer, config.model.init_args.get("decay")
    is_endless = trainer.max_epochs == trainer.max_steps == -1 and config.budget_minutes is None
    if decay in ("linear", "cosine") and is_endless:
        raise ConfigError(
            f'model.decay cannot be "{decay}": the training has no end',
            next_step="Give trainer.max_epochs, trainer.max_steps or budget_minutes, or choose "
            "decay: plateau or none.",
        )


def warm_start_from(folder: str) -> WarmStart:
    """Read what a warm start takes from a run: the weights of its best checkpoint, or the last.

    Args:
        folder: The run folder.

    Raises:
        CheckpointError: There is no such run, or its checkpoint cannot be used.
    """
    run = open_run(folder)
    return WarmStart(
        str(run.checkpoint),
        run.checkpoint.weights,
        frequent=run.checkpoint.inputs_state.get("frequent", ()),
        vectors=run.inputs.vectors,
    )


def _is_first_process() -> bool:
    return not getattr(rank_zero_only, "rank", 0)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Leave out Lightning's advertisements and notes that a user cannot act on, by their text."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for text in NOISE:
            warnings.filterwarnings("ignore", message=text)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


BETTER = {"val/f1": "max", "val/exact_match": "max", "val/loss": "min"}
"""Scores that early stopping can watch, and whether larger or smaller ones are better."""

NOISE = (
    r".*LightningCLI's args parameter is intended to run from within Python",
    r".*isinstance\(treespec, LeafSpec\)",
    r".*You have overridden `transfer_batch_to_device`",
    r".*predict returned None if it was on purpose",
    r".*does not have many workers which may be a bottleneck",
    r".*smaller than the logging interval",
    r".*Checkpoint directory .* exists and is not empty",
    r".*when using `ckpt_path`, callbacks used to create the checkpoint need to be provided",
    # Every process logs the scores of all.
    r".*It is recommended to use `self\.log\('(val|test)/.*sync_dist=True",
)
