"""Train, validate, test and predict through LightningCLI, with a folder for each run."""

from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
from jsonargparse import Namespace
from pytorch_lightning.callbacks import EarlyStopping, LearningRateMonitor, ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from pytorch_lightning.loggers import CSVLogger, Logger

from squadqa.errors import CheckpointError, OutputError
from squadqa.files import write_atomic
from squadqa.training.callbacks import BEST, LAST, LastCheckpoint, RandomStates, TrainingClock
from squadqa.training.datamodule import SquadDataModule
from squadqa.training.module import QAModule

CONFIG = "config.yaml"
CHECKPOINTS = "checkpoints"

WandbMode = Literal["offline", "online", "off"]


class SaveRunConfig(SaveConfigCallback):
    """Writes the whole configuration into the run folder and to the loggers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, save_to_log_dir=False)

    def save_config(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str
    ) -> None:
        """Write `config.yaml` when a training starts (called by Lightning in one process)."""
        if stage != "fit":
            return
        text = self.parser.dump(self.config, skip_none=False)
        with write_atomic(Path(trainer.default_root_dir) / CONFIG) as file:
            file.write(text)
        values = self.config.as_dict()
        for logger in trainer.loggers:
            logger.log_hyperparams(values)


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
        parser.add_lightning_class_args(EarlyStopping, "early_stopping")
        parser.set_defaults(
            {
                "early_stopping.monitor": "val/f1",
                "early_stopping.mode": "max",
                "early_stopping.patience": 3,
            }
        )

    def before_instantiate_classes(self) -> None:
        """Choose the run folder (called by LightningCLI)."""
        config = self._config
        config.weights_only = True  # no code may run from a checkpoint
        self.run_folder = self._choose_run_folder(config)
        last = self.run_folder / CHECKPOINTS / LAST
        if self.subcommand == "fit" and config.resume:
            if not last.is_file():
                raise CheckpointError(
                    f'nothing to resume: there is no "{last}"',
                    next_step="Start the run without --resume, or name its folder with --run.",
                )
            config.ckpt_path = str(last)
        elif self.subcommand in ("validate", "test", "predict") and not config.ckpt_path:
            best = self.run_folder / CHECKPOINTS / BEST
            config.ckpt_path = str(best if best.is_file() else last)

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Make the trainer with the run's loggers and callbacks (called by LightningCLI)."""
        config = self._config
        folder = self.run_folder / CHECKPOINTS
        own: list[pl.Callback] = []
        if self.subcommand == "fit":
            own = [
                RandomStates(),
                TrainingClock(),
                ModelCheckpoint(
                    folder,
                    filename=Path(BEST).stem,
                    monitor="val/f1",
                    mode="max",
                    enable_version_counter=False,
                ),
                LastCheckpoint(folder, every_n_steps=config.save_every),
                LearningRateMonitor("step"),
            ]
        return super().instantiate_trainer(
            default_root_dir=str(self.run_folder),
            logger=self._loggers(config) if self.subcommand == "fit" else False,
            callbacks=[*(self._get(self.config_init, "trainer.callbacks") or []), *own],
            **kwargs,
        )

    def after_fit(self) -> None:
        """Score the best checkpoint on the test part (called by LightningCLI)."""

    @property
    def _config(self) -> Namespace:
        config: Namespace = self.config[self.subcommand]
        return config

    def _choose_run_folder(self, config: Namespace) -> Path:
        if config.run:
            folder = Path(config.run)
            if self.subcommand == "fit" and not config.resume and folder.exists():
                raise OutputError(
                    f'the run folder "{folder}" exists',
                    next_step="Go on with it (--resume), or name another with --run.",
                )
            return folder
        name = Path(str(config.config[0])).stem if config.config else "run"
        folder, number = Path("runs") / name, 1
        if config.resume or self.subcommand != "fit":
            return folder
        while folder.exists():
            number += 1
            folder = Path("runs") / f"{name}-{number}"
        return folder

    def _loggers(self, config: Namespace) -> list[Logger]:
        loggers: list[Logger] = [CSVLogger(self.run_folder, name="", version="")]
        if config.wandb != "off":
            from pytorch_lightning.loggers import WandbLogger

            loggers.append(
                WandbLogger(
                    project="squadqa",
                    name=self.run_folder.name,
                    save_dir=self.run_folder,
                    offline=config.wandb == "offline",
                )
            )
        return loggers


def run(arguments: list[str]) -> None:
    """Run LightningCLI: fit, validate, test or predict.

    Args:
        arguments: The command line behind the program's name.
    """
    TrainCLI(
        QAModule,
        SquadDataModule,
        subclass_mode_model=True,
        save_config_callback=SaveRunConfig,
        seed_everything_default=1,
        trainer_defaults={"use_distributed_sampler": False, "num_sanity_val_steps": 0},
        args=arguments,
        parser_kwargs={"parser_mode": "yaml"},
    )
