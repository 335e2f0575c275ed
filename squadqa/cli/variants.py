"""Training a configuration's variants, the same but for the feature groups, one after another."""

import gc
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytorch_lightning as pl
from jsonargparse import Namespace
from pytorch_lightning.loggers import Logger

from squadqa.cli.console import bold, facts, table
from squadqa.cli.reporting import StepLine
from squadqa.cli.run_folders import PREDICTIONS, require_writable
from squadqa.cli.train import TrainCLI, make_cli, quiet_lightning
from squadqa.errors import ConfigError
from squadqa.evaluation.ablation import (
    FILE,
    PLOT,
    TABLE,
    Ablation,
    Variant,
    open_ablation,
    plot,
    rows,
    variant_name,
    write_ablation,
)
from squadqa.evaluation.predictions import write_predictions
from squadqa.evaluation.results import commit, hardware
from squadqa.files import write_atomic
from squadqa.training.ablation import BestWeights, plan, train_and_test
from squadqa.training.callbacks import HeldMemory

SECTIONS = ("seed_everything", "model", "data", "trainer", "early_stopping")
"""What a training's scores depend on."""

WHERE_ONLY = ("cache_dir", "workers", "predict")
"""Options of the data that no score depends on."""


class VariantsCLI(TrainCLI):
    """Reads a configuration of a scorer as `fit` does, and trains it with some of its groups.

    All variants share one data module. There is no run folder: nothing is logged, and the best
    weights stay in memory.
    """

    def before_instantiate_classes(self) -> None:
        """Find the feature groups (called by LightningCLI)."""
        scorer = self._scorer()
        if scorer is None:
            raise ConfigError(
                f'"{self.config_files}" has no feature groups to leave out',
                hint="Only a scorer whose configuration has `groups` can be taken apart.",
                next_step="Name a scorer's configuration, such as configs/logistic.yaml.",
            )
        self.groups: tuple[str, ...] = tuple(scorer.groups)
        self.run_folder = Path()  # where nothing is written
        if self._config.trainer.devices == "auto":
            self._config.trainer.devices = 1
        self.content = self._content()

    def train_without(self, without: Sequence[str]) -> dict[str, Any]:
        """Train the configuration without some of its groups, and score it on the test part.

        Args:
            without: The groups to leave out.

        Returns:
            What `Variant` wants to know of it; the answers are in `model.predictions`.
        """
        began = time.perf_counter()
        scorer = self._scorer()
        assert scorer is not None
        scorer.groups = [name for name in self.groups if name not in without]
        datamodule = self.datamodule
        datamodule.trainer = None  # which holds the variant before
        self._set_seed()
        self.instantiate_classes()
        gc.collect()  # a model's tables are large, and hang in cycles
        self.datamodule = datamodule
        train_and_test(self.trainer, self.model, datamodule=datamodule, best=self.best)
        return {
            "without": tuple(without),
            "exact_match": self.model.scores["test/exact_match"],
            "f1": self.model.scores["test/f1"],
            "val_f1": self.best.val_f1,
            "total": len(datamodule.datasets["test"]),
            "parameters": self.model.num_parameters,
            "training_minutes": self.clock.seconds / 60,
            "minutes": (time.perf_counter() - began) / 60,
            "device": str(self.trainer.strategy.root_device),
        }

    @property
    def config_files(self) -> str:
        """The files the configuration was read from."""
        return " ".join(str(path) for path in self._config.config or [])

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Make a trainer that writes nothing (called by LightningCLI)."""
        trainer = super().instantiate_trainer(enable_checkpointing=False, **kwargs)
        if trainer.world_size > 1:
            raise ConfigError(
                f"an ablation trains in one process, not in {trainer.world_size}",
                next_step="Give --trainer.devices 1 --trainer.num_nodes 1.",
            )
        return trainer

    def _run_subcommand(self, subcommand: str) -> None:
        """Train nothing yet."""

    def _scorer(self) -> Namespace | None:
        """The scorer's arguments, if it has groups."""
        found = self._config.model.get("init_args.scorer.init_args")
        return found if isinstance(found, Namespace) and "groups" in found else None

    def _content(self) -> dict[str, Any]:
        """What the scores depend on, as plain values by section."""
        parser = self._parser(self.subcommand)
        values = json.loads(parser.dump(self._config, format="json"))
        content = {name: values[name] for name in SECTIONS}
        content["data"] = {k: v for k, v in content["data"].items() if k not in WHERE_ONLY}
        return content

    def _training_callbacks(self, config: Namespace) -> list[pl.Callback]:
        self.best = BestWeights()
        return [self.clock, HeldMemory(), self.best, StepLine(self.clock)]

    def _loggers(self, config: Namespace) -> list[Logger]:
        return []


def ablate(
    arguments: list[str], *, output: Path, without: Sequence[str] | None, results: Path | None
) -> bool:
    """Train what is missing of an ablation, and write and print it.

    Args:
        arguments: The command line of LightningCLI.
        output: The ablation's folder.
        without: What to leave out (see `squadqa.training.ablation.plan`).
        results: Folder that gets the figures as well.

    Returns:
        False where a signal stopped it.

    Raises:
        SquadQAError: What the user can mend.
    """
    with quiet_lightning():
        cli = make_cli(VariantsCLI, arguments, save_config_callback=None)
        variants = plan(cli.groups, without)
        ablation = open_ablation(output, _nothing_yet(cli))
        for folder in (output, results):
            if folder is not None and not folder.is_dir():
                require_writable(folder)
        try:
            ablation = _train_missing(cli, variants, ablation, output)
        except (KeyboardInterrupt, SystemExit):  # Lightning makes the latter of a signal
            _tell("\nStopped; the same command goes on behind the variants that are finished.")
            return False
    _write(ablation, output, results)
    head, *body = table(rows(ablation)).splitlines()
    print("\n".join([bold(head), *body, ""]))
    written = [("table", TABLE), ("figures", FILE), ("plot", PLOT)]
    print(facts([(what, str(output / name)) for what, name in written]), flush=True)
    return True


def _nothing_yet(cli: VariantsCLI) -> Ablation:
    sources = cli.datamodule.sources
    return Ablation(
        config_files=cli.config_files,
        config=cli.content,
        data=", ".join(dict.fromkeys([str(sources["train"]), str(sources["test"])])),
        seed=int(cli.content["seed_everything"]),
    )


def _train_missing(
    cli: VariantsCLI, variants: Sequence[tuple[str, ...]], ablation: Ablation, output: Path
) -> Ablation:
    began = time.monotonic()
    origin: dict[str, Any] = {"commit": commit(Path(__file__).parent), "hardware": hardware()}
    for number, without in enumerate(variants, start=1):
        what = f"without {variant_name(without)}" if without else "the whole model"
        label = f"{number} of {len(variants)}: {what}"
        if frozenset(without) in ablation.done:
            _tell(f"{label} (finished before)")
            continue
        _tell(bold(label + _times(variants, ablation, began), stream=sys.stderr))
        variant = Variant(**cli.train_without(without), **origin)
        folder = f"without-{'+'.join(without)}" if without else "whole"
        write_predictions(output / folder / PREDICTIONS, cli.model.predictions)
        ablation = ablation.with_variant(variant)
        write_ablation(output, ablation)
        scores = f"EM {variant.exact_match:.2f}  F1 {variant.f1:.2f}"
        _tell(f"  {scores}  {variant.minutes:.1f} minutes")
    return ablation


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _times(variants: Sequence[tuple[str, ...]], ablation: Ablation, began: float) -> str:
    """Say how long it has taken, and may take; nothing before the first variant is finished."""
    if not ablation.variants:
        return ""
    usual = median(variant.minutes for variant in ablation.variants)  # the first one reads the data
    missing = sum(frozenset(without) not in ablation.done for without in variants)
    so_far = (time.monotonic() - began) / 60
    return f" ({so_far:.1f} minutes so far, about {usual * missing:.1f} to go)"


def _write(ablation: Ablation, output: Path, results: Path | None) -> None:
    """Write the table and the plot anew, and copies of all three files to the results."""
    write_ablation(output, ablation)
    plot(output / PLOT, ablation)
    if results is not None:
        for name in (FILE, TABLE, PLOT):
            copy = results / f"{output.resolve().name}{Path(name).suffix}"
            with write_atomic(copy, mode="wb") as file:
                file.write((output / name).read_bytes())
