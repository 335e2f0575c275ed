"""A search for the best values of a configuration: its ranges, its trials, and what mattered.

The ranges have the form of a W&B sweep file, so that one file serves both. Trials are kept in a
JSON file; a search that goes on tells them to the sampler again. The sampler is Optuna's (Akiba et
al., 2019): a tree-structured Parzen estimator.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from squadqa.errors import ConfigError, DataError, shown
from squadqa.files import write_atomic
from squadqa.training.run_lock import LOCK

FILE = "sweep.json"
"""The file of a sweep's folder that holds its ranges and trials."""

KINDS = (
    *("uniform", "log_uniform_values", "q_uniform", "q_log_uniform_values"),
    *("int_uniform", "categorical", "constant"),
)
"""The distributions of W&B that can be searched."""

Plain = str | int | float | bool | None
"""A value of an option."""


@dataclass(frozen=True)
class Range:
    """The values of one option to choose from.

    Args:
        kind: One of `KINDS`.
        values: The values of "categorical", the one of "constant", else the smallest and largest.
        step: The distance of neighbouring values of the `q_` kinds; None for others.
    """

    kind: str
    values: tuple[Plain, ...]
    step: float | None = None


@dataclass(frozen=True)
class Trial:
    """One training of a sweep.

    Args:
        number: Its number, from 0.
        values: The value of each option.
        score: The best F1 on held-out questions, in percent; None if it was not finished.
        minutes: What it took.
        run: Its run folder's name.
    """

    number: int
    values: Mapping[str, Plain]
    score: float | None
    minutes: float
    run: str


def read_ranges(path: Path) -> tuple[dict[str, Range], list[str]]:
    """Read the ranges of a W&B sweep file, and the command line that they are for.

    Args:
        path: The file.

    Returns:
        The ranges by option, and the words of its command that are options.

    Raises:
        ConfigError: It is no sweep, or has a distribution that cannot be searched.
    """
    import yaml

    try:
        sweep = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f'cannot read the sweep "{path}": {reason}', next_step="Name a YAML file."
        ) from error
    parameters = sweep.get("parameters") if isinstance(sweep, dict) else None
    if not isinstance(parameters, dict) or not parameters:
        raise ConfigError(
            f'"{path}" has no "parameters" to choose values for',
            next_step="Write it like configs/sweep.yaml.",
        )
    command = sweep.get("command") or []
    words = [str(word) for word in command if str(word).startswith("--")]
    ranges = {str(name): _range(str(name), given, path) for name, given in parameters.items()}
    return ranges, words


def _range(name: str, given: Any, path: Path) -> Range:
    """Read the range of one option."""
    if not isinstance(given, dict):
        raise _no_range(name, given, path)
    kind = given.get("distribution")
    if kind is None:  # as W&B infers it
        if "value" in given:
            kind = "constant"
        elif "values" in given:
            kind = "categorical"
        else:
            whole = all(isinstance(given.get(end), int) for end in ("min", "max"))
            kind = "int_uniform" if whole else "uniform"
    if kind not in KINDS:
        raise ConfigError(
            f'"{path}": "{name}" has the distribution {shown(kind)}',
            hint=f"Known: {', '.join(KINDS)}.",
        )
    if kind == "constant":
        values: Any = [given.get("value")]
    elif kind == "categorical":
        values = given.get("values")
    else:
        values = [given.get("min"), given.get("max")]
        step = given.get("q", 1) if kind.startswith("q_") else None
        ends = [one for one in (*values, *([] if step is None else [step])) if _is_number(one)]
        is_whole = len(ends) == 2 + (step is not None) and ends[0] < ends[1]
        if not is_whole or (step is not None and step <= 0) or ("log" in kind and ends[0] <= 0):
            raise _no_range(name, given, path)
        return Range(kind, tuple(values), step)
    if not isinstance(values, list) or not values:
        raise _no_range(name, given, path)
    if not all(isinstance(one, str | int | float | bool | None) for one in values):
        raise _no_range(name, given, path)
    return Range(kind, tuple(values))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _no_range(name: str, given: Any, path: Path) -> ConfigError:
    return ConfigError(
        f'"{path}": "{name}" has no values to choose from: {shown(given)}',
        next_step="Give `values`, or a `min` below a `max` (above 0 for a logarithm).",
    )


def require_optuna() -> Any:
    """Import Optuna.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(
            'a sweep needs the package "optuna", which is not installed',
            next_step='Install it: pip install "squadqa[sweeps]", or pip install optuna.',
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def next_values(
    ranges: Mapping[str, Range], trials: Sequence[Trial], *, seed: int
) -> dict[str, Plain]:
    """Choose the values of the next trial.

    Args:
        ranges: The ranges.
        trials: The trials so far, of which those with a score count.
        seed: Seed of the choice; the same trials and seed give the same values.

    Raises:
        ConfigError: Optuna is not installed.
    """
    optuna = require_optuna()
    study = _study(optuna, ranges, trials, seed=seed)
    trial = study.ask(_distributions(optuna, ranges))
    return {
        name: one.values[0] if one.kind == "constant" else _rounded(trial.params[name], one)
        for name, one in ranges.items()
    }


def importances(ranges: Mapping[str, Range], trials: Sequence[Trial]) -> dict[str, float]:
    """Tell how much each option mattered for the score, by PED-ANOVA (Watanabe et al., 2023).

    Args:
        ranges: The ranges.
        trials: The trials.

    Returns:
        Shares that sum to 1, the largest first; none if there are fewer than `4` scores, or if all
        scores are the same.
    """
    scored = [trial for trial in trials if trial.score is not None]
    if len(scored) < 4 or len({trial.score for trial in scored}) == 1:
        return {}
    optuna = require_optuna()
    study = _study(optuna, ranges, scored, seed=0)
    found = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
    )
    return {name: float(share) for name, share in found.items()}


def _study(optuna: Any, ranges: Mapping[str, Range], trials: Sequence[Trial], *, seed: int) -> Any:
    """Make a study in memory that knows the trials."""
    sampler = optuna.samplers.TPESampler(seed=seed + len(trials))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    distributions = _distributions(optuna, ranges)
    for trial in trials:
        if trial.score is not None:
            study.add_trial(
                optuna.trial.create_trial(
                    params={name: trial.values[name] for name in distributions},
                    distributions=distributions,
                    value=trial.score,
                )
            )
    return study


def _distributions(optuna: Any, ranges: Mapping[str, Range]) -> dict[str, Any]:
    """Return the ranges as Optuna has them; one value leaves nothing to choose."""
    made: dict[str, Any] = {}
    for name, one in ranges.items():
        if one.kind == "constant":
            continue
        if one.kind == "categorical":
            made[name] = optuna.distributions.CategoricalDistribution(one.values)
            continue
        low, high = one.values
        if one.kind == "int_uniform":
            made[name] = optuna.distributions.IntDistribution(low, high)
        elif one.kind in ("q_uniform", "uniform"):
            made[name] = optuna.distributions.FloatDistribution(low, high, step=one.step)
        else:  # Optuna has no steps of a logarithm: they are rounded to afterwards
            made[name] = optuna.distributions.FloatDistribution(low, high, log=True)
    return made


def _rounded(value: Any, one: Range) -> Plain:
    """Round a value to its range's step, and to digits that can be read."""
    if not isinstance(value, float):
        return value
    low, high = (float(end) for end in one.values if isinstance(end, int | float))
    if one.step is not None:
        value = round(value / one.step) * one.step
    return min(max(float(f"{value:.4g}"), low), high)


@dataclass(frozen=True)
class Sweep:
    """A sweep so far.

    Args:
        config: The configuration files and options that every trial shares.
        ranges: The ranges.
        seed: Seed of the choices.
        trials: The trials that ended.
    """

    config: tuple[str, ...]
    ranges: dict[str, Range]
    seed: int
    trials: tuple[Trial, ...] = ()

    @property
    def best(self) -> Trial | None:
        """The trial with the highest score; None before there is one."""
        scored = [trial for trial in self.trials if trial.score is not None]
        return max(scored, key=lambda trial: trial.score or 0.0, default=None)


def write_sweep(folder: Path, sweep: Sweep) -> None:
    """Write a sweep's file.

    Args:
        folder: The sweep's folder; made if missing.
        sweep: The sweep.

    Raises:
        OutputError: It cannot be written.
    """
    with write_atomic(folder / FILE) as file:
        json.dump(asdict(sweep), file, indent=1, allow_nan=False)
        file.write("\n")


def open_sweep(folder: Path, new: Sweep) -> Sweep:
    """Read the trials of a sweep's folder, if they belong to the same sweep.

    Args:
        folder: The folder, which need not exist.
        new: The sweep, without trials.

    Raises:
        DataError: The file is no sweep's, or the folder holds something else.
        ConfigError: The folder holds another sweep.
    """
    path = folder / FILE
    if not path.exists():
        if folder.is_dir() and any(path.name != LOCK for path in folder.iterdir()):
            raise ConfigError(
                f'"{folder}" is not the folder of a sweep: it has no {FILE}',
                next_step="Name another folder with --output.",
            )
        return new
    try:
        values = json.loads(path.read_text("utf-8"))
        ranges = {
            name: Range(one["kind"], tuple(one["values"]), one["step"])
            for name, one in values["ranges"].items()
        }
        trials = tuple(_trial(one, ranges) for one in values["trials"])
        sweep = Sweep(tuple(values["config"]), ranges, int(values["seed"]), trials)
    except OSError as error:
        raise DataError(f'cannot read "{path}": {error.strerror}') from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f'"{path}" is not the file of a sweep: {error}',
            next_step="Name another folder with --output.",
        ) from error
    if (sweep.config, sweep.ranges, sweep.seed) != (new.config, new.ranges, new.seed):
        raise ConfigError(
            f'"{folder}" holds another sweep: its ranges, configuration or seed differ',
            next_step="Name another folder with --output, or the same options as before.",
        )
    return sweep


def _trial(values: Mapping[str, Any], ranges: Mapping[str, Range]) -> Trial:
    chosen = {name: values["values"][name] for name in ranges}
    score, run = values["score"], str(values["run"])
    if not (score is None or (_is_number(score) and 0 <= score <= 100)) or Path(run).name != run:
        raise ValueError(f"trial {shown(values['number'])} has a score or a run of another kind")
    return Trial(int(values["number"]), chosen, score, float(values["minutes"]), run)
