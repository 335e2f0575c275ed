"""Open a run folder: its configuration, its checkpoint, and the model that they make.

A run folder holds `config.yaml` and `checkpoints/{best,last}.ckpt`. No Lightning is needed, and a
run folder runs no code: from the configuration only classes of this package are made, and from the
checkpoint only weights and plain values are read.
"""

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from squadqa.batch import CandidateSizes
from squadqa.errors import CheckpointError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

    from squadqa.data.inputs import Inputs
    from squadqa.data.prepare import PreparedData
    from squadqa.data.squad import BadAnswers
    from squadqa.models.base import CandidateScorer, SpanReader

Choice = Literal["best", "last"]

CONFIG = "config.yaml"
CHECKPOINTS = "checkpoints"
CHOICES: tuple[Choice, ...] = ("best", "last")
RUNS = "runs"
"""Folder in which runs are made."""

PACKAGE = "squadqa"
"""The only package whose classes a configuration may name."""

MODEL, AVERAGE = "model.", "average.model."
"""What a checkpoint puts before the names of weights, and of their average, where one was kept."""

REFUSED = re.compile(r"GLOBAL (\S+) was not an allowed")
"""What torch says of a checkpoint that asks for anything but weights and plain values."""


@dataclass(frozen=True)
class Checkpoint:
    """Weights, and what is known of them.

    Args:
        path: The file.
        epoch: The epoch it was saved in, from 0.
        step: Optimiser steps behind it.
        model_name: Class of the model that the weights belong to.
        weights: The weights by name; the average of them where training kept one.
        inputs_state: What the inputs learned from train.
    """

    path: Path
    epoch: int
    step: int
    model_name: str
    weights: dict[str, "Tensor"]
    inputs_state: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.path} (epoch {self.epoch}, step {self.step:,})"


@dataclass(frozen=True)
class HeldOut:
    """Where the questions are that a training chose its checkpoint by, and did not learn from.

    Args:
        source: What the configuration names, such as "squad".
        share: Share of its questions that were held out as whole articles; None takes all.
        bad_answers: What the training did with questions without usable answers.
    """

    source: str
    share: float | None
    bad_answers: "BadAnswers"


@dataclass(frozen=True)
class Run:
    """A trained model, as its run folder describes it.

    Args:
        folder: The run folder.
        checkpoint: Its weights.
        inputs: What the model reads of prepared data, with what was learned from train.
        make_model: Makes the model, untrained, from what it must know of its data.
        take_sizes: Picks that out of the data's sizes (see `Inputs.sizes`).
        max_span_length: Longest answer of a reader, in tokens; None for a scorer of candidates.
        held_out: Where the questions are that its checkpoint was chosen by.
        cache_dir: Where training kept its prepared data, if a folder was named.
    """

    folder: Path
    checkpoint: Checkpoint
    inputs: "Inputs"
    make_model: "Callable[[Any], SpanReader | CandidateScorer]"
    take_sizes: Callable[[dict[str, int]], Any]
    max_span_length: int | None
    held_out: HeldOut
    cache_dir: Path | None

    def model_for(self, data: "PreparedData") -> "SpanReader | CandidateScorer":
        """Make the model for prepared data, with its weights, ready to predict.

        Args:
            data: What it is to read, prepared as its inputs ask.

        Raises:
            CheckpointError: The weights do not fit the model that the configuration describes.
        """
        config = self.folder / CONFIG
        try:
            model = self.make_model(self.take_sizes(self.inputs.sizes(data)))
        except (TypeError, ValueError, RuntimeError) as error:
            raise _not_of_this_version(config, error) from error
        own, weights = model.state_dict(), self.checkpoint.weights
        wrong = [
            name
            for name in sorted(own.keys() | weights.keys())
            if name not in own or name not in weights or own[name].shape != weights[name].shape
        ]
        if wrong:
            raise CheckpointError(
                f'{len(wrong)} weights of "{self.checkpoint.path}" do not fit the model of '
                f'"{config}", such as "{wrong[0]}": {_shape(weights, wrong[0])} in the checkpoint, '
                f"{_shape(own, wrong[0])} in the model",
                hint="The configuration, or a source of word vectors, is not the one of the "
                "training.",
                next_step="Put back what the run was trained with, or train it again.",
            )
        model.load_state_dict(weights)
        return model.eval()


def open_run(folder: str | Path, *, checkpoint: Choice | None = None) -> Run:
    """Open a run folder.

    Args:
        folder: The run folder.
        checkpoint: Which checkpoint to take; None takes the best, or the last where there is no
            best yet.

    Raises:
        CheckpointError: There is no such run or checkpoint, or it cannot be used.
    """
    folder = find_run(folder)
    path = find_checkpoint(folder, checkpoint)
    config = _read_config(folder / CONFIG)
    loaded = read_checkpoint(path)

    from squadqa.data.inputs import Inputs
    from squadqa.models.base import CandidateScorer, SpanReader

    module = config["model"]["init_args"]
    families: dict[str, tuple[type, Callable[[dict[str, int]], Any]]] = {
        "reader": (SpanReader, itemgetter("vector_size")),
        "scorer": (CandidateScorer, lambda sizes: CandidateSizes(**sizes)),
    }
    name = next((name for name in families if name in module), None)
    if name is None:
        raise _no_config(folder / CONFIG, "its model has neither a reader nor a scorer")
    base, take_sizes = families[name]
    try:
        make_model = maker_of(module[name], base)
        inputs = maker_of(config["data"]["inputs"], Inputs)()
        held_out = _held_out(config["data"])
    except (AttributeError, ImportError, KeyError, TypeError, ValueError) as error:
        raise _not_of_this_version(folder / CONFIG, error) from error
    if loaded.model_name != make_model.func.__name__:
        raise CheckpointError(
            f'"{path}" holds the weights of "{loaded.model_name}", but "{folder / CONFIG}" '
            f'describes "{make_model.func.__name__}"',
            next_step="Put a checkpoint of this run there, or name the run it belongs to.",
        )
    try:
        inputs.load_state_dict(loaded.inputs_state)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f'what "{path}" learned from train is not what {type(inputs).__name__} needs: {error}',
            next_step="Put back the config.yaml that the run was trained with.",
        ) from error
    cache_dir = config["data"].get("cache_dir")
    return Run(
        folder=folder,
        checkpoint=loaded,
        inputs=inputs,
        make_model=make_model,
        take_sizes=take_sizes,
        max_span_length=module.get("max_span_length"),
        held_out=held_out,
        cache_dir=Path(cache_dir) if cache_dir else None,
    )


def find_run(folder: str | Path) -> Path:
    """Check that a folder is a run folder.

    Args:
        folder: What the user named.

    Raises:
        CheckpointError: It is none; the message lists the runs there are.
    """
    folder = Path(folder)
    if (folder / CONFIG).is_file():
        return folder
    what = f'there is no run folder "{folder}"'
    if folder.is_dir():
        what = f'"{folder}" is no run folder: it has no {CONFIG}'
    elif folder.exists():
        what = f'"{folder}" is a file, not a run folder'
    known = list_runs(folder, folder.parent, Path(RUNS))
    hint = did_you_mean(str(folder), known)
    if len(known) > 1 and not hint.startswith("Known"):
        hint += " Runs there are: " + ", ".join(f'"{name}"' for name in known) + "."
    next_step = "Name a run folder." if known else "Train one first: squadqa train --help"
    raise CheckpointError(what, hint=hint, next_step=next_step)


def list_runs(*folders: Path) -> list[str]:
    """List the run folders that stand right below folders.

    Args:
        folders: Where to look; those that do not exist or cannot be read are passed over.
    """
    found = {
        str(path.parent)
        for folder in folders
        if folder.is_dir()
        for path in folder.glob(f"*/{CONFIG}")
        if (path.parent / CHECKPOINTS).is_dir()
    }
    return sorted(found)


def find_checkpoint(folder: Path, choice: Choice | None = None) -> Path:
    """Find a checkpoint of a run.

    Args:
        folder: The run folder.
        choice: Which one; None takes the best, or the last where there is no best yet.

    Raises:
        CheckpointError: There is none.
    """
    paths = {name: folder / CHECKPOINTS / f"{name}.ckpt" for name in CHOICES}
    there = [name for name, path in paths.items() if path.is_file()]
    if not there:
        raise CheckpointError(
            f'the run "{folder}" has no checkpoint: neither '
            + " nor ".join(f'"{path}"' for path in paths.values()),
            hint="The first is saved some minutes into the training.",
            next_step="Wait for it, or name another run.",
        )
    if choice is not None and choice not in there:
        raise CheckpointError(
            f'the run "{folder}" has no "{paths[choice]}"',
            hint=f'There is "{paths[there[0]]}".',
            next_step=f"Take that one with --checkpoint {there[0]}.",
        )
    return paths[choice or there[0]]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read weights and plain values from a checkpoint; nothing in it is run.

    Args:
        path: A file that training saved.

    Raises:
        CheckpointError: It cannot be read, is none, or asks to run code.
    """
    import torch

    advice = "Name a run of `squadqa train`, or put back the file that it saved."
    try:
        with warnings.catch_warnings(action="ignore"):  # of what no checkpoint looks like
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(
            f'cannot read the checkpoint "{path}": {error.strerror or error}', next_step=advice
        ) from error
    except Exception as error:  # torch raises many kinds for what is no checkpoint
        refused = REFUSED.search(str(error))
        if refused:
            raise CheckpointError(
                f'"{path}" asks for "{refused[1]}", which is neither weights nor a plain value',
                hint="Such a file could run any code, so it was not opened; nothing of it ran.",
                next_step=advice,
            ) from error
        raise CheckpointError(
            f'"{path}" is no checkpoint', hint="It is damaged, cut short, or something else.",
            next_step=advice,
        ) from error  # fmt: skip
    try:
        saved = content["state_dict"]
        prefix = AVERAGE if any(name.startswith(AVERAGE) for name in saved) else MODEL
        weights = {
            name.removeprefix(prefix): value
            for name, value in saved.items()
            if name.startswith(prefix)
        }
        return Checkpoint(
            path=path,
            epoch=int(content["epoch"]),
            step=int(content["global_step"]),
            model_name=str(content["squadqa"]["model"]),
            weights=weights,
            inputs_state=content["SquadDataModule"]["inputs"],
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f'"{path}" is no checkpoint of squadqa: it misses {error}', next_step=advice
        ) from error


def _read_config(path: Path) -> dict[str, Any]:
    """Read the part of a configuration that is used here, and check its outline."""
    import yaml

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f'cannot read "{path}": {error.strerror}') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _no_config(path, str(error)) from error
    for keys in (("model", "init_args"), ("data",)):
        value = config
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, dict):
            raise _no_config(path, f'it misses "{".".join(keys)}"')
    return dict(config)


def _held_out(data: dict[str, Any]) -> HeldOut:
    if data.get("val"):
        return HeldOut(data["val"], None, "keep")
    return HeldOut(data["train"], data["val_share"], data["bad_answers"])


def maker_of(spec: Any, base: type) -> "partial[Any]":
    """Turn a class path and its arguments into a function that makes the object.

    Args:
        spec: `class_path` and `init_args`, nested ones included.
        base: What the class must be a kind of.

    Raises:
        AttributeError, ImportError, KeyError, TypeError: There is no such class, or no class path.
        ValueError: The class is not of this package, or of another kind.
    """
    class_path = spec["class_path"]
    module_name, _, name = str(class_path).rpartition(".")
    if module_name.partition(".")[0] != PACKAGE:
        raise ValueError(f'"{class_path}" is not below "{PACKAGE}."')
    made = getattr(import_module(module_name), name)
    if not (isinstance(made, type) and issubclass(made, base)) or not made.__module__.startswith(
        f"{PACKAGE}."
    ):
        raise ValueError(f'"{class_path}" is no {base.__name__}')
    hints = get_type_hints(made.__init__)
    arguments = {
        key: maker_of(value, object)()
        if isinstance(value, dict) and "class_path" in value
        else _with_own_keys(value, hints.get(key))
        for key, value in (spec.get("init_args") or {}).items()
    }
    return partial(made, **arguments)


def _with_own_keys(value: Any, hint: Any) -> Any:
    """Give a mapping's keys their type back: a saved configuration writes all of them as texts."""
    for kind in (hint, *get_args(hint)):
        origin = get_origin(kind)
        if isinstance(value, dict) and isinstance(origin, type) and issubclass(origin, Mapping):
            key_type = get_args(kind)[0]
            return {key_type(key): one for key, one in value.items()}
    return value


def _shape(weights: Mapping[str, "Tensor"], name: str) -> str:
    return str(tuple(weights[name].shape)) if name in weights else "missing"


def _no_config(path: Path, problem: str) -> CheckpointError:
    return CheckpointError(
        f'"{path}" is not the configuration of a run: {problem}',
        next_step="Put back the config.yaml that training wrote, or name another run.",
    )


def _not_of_this_version(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f'"{path}" does not describe a model of this version: {error}',
        hint="It was changed, or written by another version of squadqa.",
        next_step="Put back the config.yaml that training wrote, or train again.",
    )
