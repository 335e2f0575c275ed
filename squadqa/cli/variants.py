"""Training of a configuration's variants with fewer feature groups, one after another."""

import gc
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from squadqa.cli.console import ProgressLines, bold, facts, table
from squadqa.cli.lightning_parser import parse, seed_of
from squadqa.cli.quiet import quiet_lightning
from squadqa.cli.reporting import StepLine
from squadqa.cli.run_folders import require_writable
from squadqa.errors import ConfigError
from squadqa.evaluation.ablation import (
    FILE,
    Ablation,
    Variant,
    open_ablation,
    variant_name,
    write_ablation,
)
from squadqa.evaluation.ablation_report import PLOT, TABLE, rows, write_plot, write_table
from squadqa.evaluation.predictions import write_predictions
from squadqa.files import write_atomic
from squadqa.provenance import commit, hardware
from squadqa.run_files import PREDICTIONS
from squadqa.training.ablation import plan
from squadqa.training.checkpoints import BestWeights
from squadqa.training.clock import TrainingClock
from squadqa.training.evaluation import Evaluation
from squadqa.training.fit import fit, make_trainer
from squadqa.training.held_memory import HeldMemory
from squadqa.training.run_lock import hold_folder
from squadqa.training.threads import SharedCores

SECTIONS = ("seed_everything", "model", "data", "trainer", "early_stopping")
"""Sections of the configuration that a training's scores depend on."""

WITHOUT_EFFECT = ("cache_dir", "workers", "predict")
"""Options of the data that do not change any score."""


class Variants:
    """A scorer's configuration, to be trained without some of its feature groups.

    All variants share one data module. There is no run folder, nothing is logged, and the best
    weights are kept in memory.

    Args:
        arguments: The command line of `fit`.
        also_known: Options of the command, to suggest for a wrong one.

    Raises:
        SquadQAError: It has no scorer with feature groups, or another mistake of the user.
    """

    def __init__(self, arguments: Sequence[str], *, also_known: Sequence[str] = ()) -> None:
        whole = parse(arguments, also_known=also_known)
        self.config_files = " ".join(whole.configs)
        scorer = whole.config.model.get("init_args.scorer.init_args")
        if scorer is None or "groups" not in scorer:
            raise ConfigError(
                f'"{self.config_files}" has no feature groups to leave out',
                hint="Only a scorer whose configuration has `groups` can be ablated.",
                next_step="Name a scorer's configuration, such as configs/logistic.yaml.",
            )
        self.groups: tuple[str, ...] = tuple(scorer.groups)
        self.arguments = list(arguments)
        if whole.config.trainer.devices == "auto":
            self.arguments += ["--trainer.devices", "1"]
        self.data = whole.data
        self.data.progress = ProgressLines()
        values = yaml.safe_load(whole.text)
        self.content = {name: values[name] for name in SECTIONS}
        self.content["data"] = {k: v for k, v in values["data"].items() if k not in WITHOUT_EFFECT}

    def train_without(self, without: Sequence[str]) -> tuple[dict[str, Any], Evaluation]:
        """Train the configuration without some groups, and score it on the test questions.

        Args:
            without: The groups to leave out.

        Returns:
            The fields for `Variant`, and the scores and answers.
        """
        began = time.perf_counter()
        gc.collect()  # a model's tables are large, and reference cycles keep the last model
        groups = [name for name in self.groups if name not in without]
        option = f"--model.init_args.scorer.init_args.groups={json.dumps(groups)}"
        parsed = parse([*self.arguments, option])
        module, best = parsed.module, BestWeights()
        clock = TrainingClock(budget_minutes=parsed.config.budget_minutes)
        memory = HeldMemory(most_gib=parsed.config.held_memory)
        cores = SharedCores(threads=parsed.config.threads)
        trainer = make_trainer(
            parsed.trainer,
            callbacks=[clock, memory, cores, best, StepLine(clock), parsed.early_stopping],
            enable_checkpointing=False,
        )
        if trainer.world_size > 1:
            raise ConfigError(
                f"an ablation trains in one process, not in {trainer.world_size}",
                next_step="Set --trainer.devices 1 --trainer.num_nodes 1.",
            )
        evaluation = fit(module, self.data, trainer, seed=seed_of(parsed), clock=clock, keeper=best)
        assert module.model is not None
        measured = {
            "without": tuple(without),
            "exact_match": evaluation.scores["exact_match"],
            "f1": evaluation.scores["f1"],
            "val_f1": best.val_f1,
            "total": len(self.data.datasets["test"]),
            "parameters": module.model.num_parameters,
            "training_minutes": clock.seconds / 60,
            "minutes": (time.perf_counter() - began) / 60,
            "device": str(trainer.strategy.root_device),
        }
        return measured, evaluation


def ablate(
    arguments: list[str],
    *,
    output: Path,
    without: Sequence[str] | None,
    results: Path | None,
    also_known: Sequence[str],
) -> bool:
    """Train the missing variants of an ablation, and write and print it.

    Args:
        arguments: The command line of `fit`.
        output: The ablation's folder.
        without: The groups to leave out (see `squadqa.training.ablation.plan`).
        results: Folder for copies of the figures.
        also_known: Options of the command, to suggest for a wrong one.

    Returns:
        False if a signal stopped it.

    Raises:
        SquadQAError: A mistake of the user.
    """
    next_step = "Wait until it ends, stop it, or name another folder with --output."
    with quiet_lightning():
        trained = Variants(arguments, also_known=also_known)
        variants = plan(trained.groups, without)
        nothing = _nothing_yet(trained)
        open_ablation(output, nothing)  # a folder of other files gets no lock
        if results is not None:
            require_writable(results)
        with hold_folder(output, next_step=next_step):
            ablation = open_ablation(output, nothing)
            try:
                ablation = _train_missing(trained, variants, ablation, output)
            except (KeyboardInterrupt, SystemExit):  # Lightning raises the latter after a signal
                _print("\nStopped; the same command continues after the finished variants.")
                return False
            _write(ablation, output, results)
    head, *body = table(rows(ablation)).splitlines()
    print("\n".join([bold(head), *body, ""]))
    written = [("table", TABLE), ("figures", FILE), ("plot", PLOT)]
    print(facts([(what, str(output / name)) for what, name in written]), flush=True)
    return True


def _nothing_yet(trained: Variants) -> Ablation:
    sources = trained.data.sources
    return Ablation(
        config_files=trained.config_files,
        config=trained.content,
        data=", ".join(dict.fromkeys([str(sources["train"]), str(sources["test"])])),
        seed=int(trained.content["seed_everything"]),
    )


def _train_missing(
    trained: Variants, variants: Sequence[tuple[str, ...]], ablation: Ablation, output: Path
) -> Ablation:
    began = time.monotonic()
    origin: dict[str, Any] = {"commit": commit(), "hardware": hardware()}
    for number, without in enumerate(variants, start=1):
        what = f"without {variant_name(without)}" if without else "the whole model"
        label = f"{number} of {len(variants)}: {what}"
        if frozenset(without) in ablation.done:
            _print(f"{label} (finished before)")
            continue
        _print(bold(label + _times(variants, ablation, began), stream=sys.stderr))
        measured, evaluation = trained.train_without(without)
        variant = Variant(**measured, **origin)
        if not ablation.variants:  # a folder is an ablation before it holds anything else
            write_ablation(output, ablation)
        folder = f"without-{'+'.join(without)}" if without else "whole"
        write_predictions(output / folder / PREDICTIONS, evaluation.predictions)
        ablation = ablation.with_variant(variant)
        write_ablation(output, ablation)
        write_table(output, ablation)
        scores = f"EM {variant.exact_match:.2f}  F1 {variant.f1:.2f}"
        _print(f"  {scores}  {variant.minutes:.1f} minutes")
    return ablation


def _print(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _times(variants: Sequence[tuple[str, ...]], ablation: Ablation, began: float) -> str:
    """Report the time so far and the time to go; nothing before the first variant is finished."""
    if not ablation.variants:
        return ""
    usual = median(variant.minutes for variant in ablation.variants)  # the first one reads the data
    missing = sum(frozenset(without) not in ablation.done for without in variants)
    so_far = (time.monotonic() - began) / 60
    return f" ({so_far:.1f} minutes so far, about {usual * missing:.1f} to go)"


def _write(ablation: Ablation, output: Path, results: Path | None) -> None:
    """Write the table and the plot again, and copies of all three files to the results."""
    write_ablation(output, ablation)
    write_table(output, ablation)
    write_plot(output, ablation)
    if results is not None:
        for name in (FILE, TABLE, PLOT):
            copy = results / f"{output.resolve().name}{Path(name).suffix}"
            with write_atomic(copy, mode="wb") as file:
                file.write((output / name).read_bytes())
