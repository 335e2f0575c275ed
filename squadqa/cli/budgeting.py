"""A configuration for a given time: chosen from rates that are measured on this machine."""

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squadqa.cli.config_text import with_value
from squadqa.cli.trial import run_trial
from squadqa.data.squad import SquadData

ENOUGH_PASSES = 3.0
"""Passes over the questions below which a faster variant is tried: all readers still gain then."""

MOST_PASSES = 12
"""Passes after which no configuration that comes with squadqa still gains."""

WARMUP_SHARE = 0.05
"""Most share of the steps in which the learning rate rises."""

BATCHES = 50
"""Batches of questions to measure on: so many are sorted by length together in a training."""

Keys = tuple[str, ...]
"""The keys that lead to a value of a configuration."""


@dataclass(frozen=True)
class Variant:
    """A change of a configuration.

    Args:
        values: The new value at each path.
        why: What it does, for a comment.
    """

    values: tuple[tuple[Keys, Any], ...] = ()
    why: str = "as it comes with squadqa"

    @property
    def options(self) -> list[str]:
        """The change as options of a training."""
        return [word for path, value in self.values for word in (f"--{'.'.join(path)}", str(value))]


@dataclass(frozen=True)
class Plan:
    """A configuration that fits a time, and what was measured for it.

    Args:
        variant: The chosen change.
        per_second: Questions per second of training.
        parameters: The model's parameters.
        passes: Passes over the questions that fit the time.
        epochs: Passes that the training makes.
        minutes: What they take.
    """

    variant: Variant
    per_second: float
    parameters: int
    passes: float
    epochs: int
    minutes: float


def variants_of(config: dict[str, Any]) -> list[Variant]:
    """Return a configuration's variants, each faster than the last one.

    Args:
        config: The configuration.
    """
    reader = config["model"]["init_args"].get("reader")
    if reader is None:
        return [Variant()]
    from squadqa.cli.config_errors import parameters_of

    known, options = parameters_of(reader["class_path"]), reader.get("init_args", {})
    base: Keys = ("model", "init_args", "reader", "init_args")
    found, values, whys = [Variant()], list[tuple[Keys, Any]](), list[str]()
    if "cell" in known and options.get("cell") != "sru":
        values.append(((*base, "cell"), "sru"))
        whys.append("SRUs instead of LSTMs")
        found.append(Variant(tuple(values), " and ".join(whys)))
    if options.get("hidden_size", 0) >= 64:
        values.append(((*base, "hidden_size"), options["hidden_size"] // 2))
        whys.append("half the width")
        found.append(Variant(tuple(values), " and ".join(whys)))
    return found


def plan(
    line: Sequence[str],
    variants: Sequence[Variant],
    *,
    minutes: float,
    questions: int,
    train_data: SquadData,
    test_data: SquadData,
    batch_size: int,
    seconds: float,
    progress: Callable[[str], None],
) -> Plan:
    """Choose the first variant that makes enough passes in a time, else the fastest.

    Args:
        line: The command line of the training.
        variants: The variants, the fastest last.
        minutes: The time.
        questions: Training questions of a pass.
        train_data: Training questions to measure with.
        test_data: Questions to evaluate.
        batch_size: Questions in a batch.
        seconds: How long to measure each variant.
        progress: Called with what is being done.

    Raises:
        SquadQAError: The configuration cannot be trained.
    """
    plans = []
    for variant in variants:
        progress(f"measuring {variant.why}")
        with tempfile.TemporaryDirectory(prefix="squadqa-init-") as folder:
            trial = run_trial(
                [*line, *variant.options],
                Path(folder),
                train_data=train_data,
                test_data=test_data,
                seconds=seconds,
                questions=BATCHES * batch_size,
            )
        passes = 60 * minutes * trial.per_second / questions
        epochs = max(1, min(math.ceil(passes), MOST_PASSES))
        taken = min(minutes, epochs * questions / trial.per_second / 60)
        plans.append(Plan(variant, trial.per_second, trial.parameters, passes, epochs, taken))
        if passes >= ENOUGH_PASSES:
            return plans[-1]
    return max(plans, key=lambda one: one.passes)


def written(text: str, chosen: Plan, *, minutes: float, head: Sequence[str], batches: int) -> str:
    """Write the configuration of a plan.

    Args:
        text: The configuration that it began with.
        chosen: The plan.
        minutes: The time.
        head: Lines of a comment at its top.
        batches: Batches of a pass.
    """
    for path, value in chosen.variant.values:
        text = with_value(text, path, str(value), "for speed: see above")
    text = with_value(
        text, ("trainer", "max_epochs"), str(chosen.epochs), f"{chosen.passes:.1f} fit the time"
    )
    text = with_value(text, ("budget_minutes",), f"{minutes:g}", "training stops then")
    warmup = ("model", "init_args", "warmup_steps")
    steps = min(chosen.passes, chosen.epochs) * batches
    if (asked := _value(text, warmup)) and asked > WARMUP_SHARE * steps:
        fewer = max(1, round(WARMUP_SHARE * steps))
        text = with_value(text, warmup, str(fewer), f"a twentieth of the steps, not {asked}")
    return "\n".join([*(f"# {line}".rstrip() for line in head), "#", text])


def _value(text: str, path: Keys) -> Any:
    import yaml

    found = yaml.safe_load(text)
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return found
