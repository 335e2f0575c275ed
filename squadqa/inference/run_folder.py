"""Opening of run folders: the configuration, the checkpoint, and the model made from both.

A run folder holds `config.yaml` and `checkpoints/{best,last}.ckpt`; a model folder, which is made
of a run to be shared, `config.yaml` and `model.safetensors`. Lightning is not needed, and opening a
folder runs no code from it: only classes of this package, or of packages that the user trusts by
name, are made, and only weights and plain values are read from the checkpoint. What else a
configuration may name is in `squadqa.inference.trusted`.

One file, as it is all that opening a folder takes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from squadqa.data.squad import Reading
from squadqa.errors import CheckpointError, UntrustedError, did_you_mean, shown
from squadqa.inference.building import MisfitError, build
from squadqa.inference.checkpoint import Checkpoint, read_checkpoint
from squadqa.inference.classes import maker_of
from squadqa.inference.model_file import read_model_file
from squadqa.inference.trusted import require_inputs
from squadqa.package_files import ready_model, ready_models
from squadqa.run_files import BEST, CHECKPOINTS, CONFIG, ENSEMBLE, LAST, MEMBERS, MODEL, RUNS_FOLDER

if TYPE_CHECKING:
    from squadqa.data.inputs import Inputs
    from squadqa.data.squad import BadAnswers, Unanswerable
    from squadqa.models.base import QAModel

Choice = Literal["best", "last"]

CHOICES: tuple[Choice, ...] = ("best", "last")
"""The checkpoints to choose from. Without a choice the first one that exists is taken."""

MOST_VALUES = 100_000
"""Most values and keys of a configuration, which has some hundred; more come by references."""

UNUSABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that no text of a configuration has."""

FAMILIES = ("reader", "scorer")
"""The keys at which a configuration names its model."""


@dataclass(frozen=True)
class HeldOut:
    """The validation questions, which a training chose its checkpoint by and did not learn from.

    Args:
        source: The source in the configuration, such as "squad".
        share: Share of its questions that were held out as whole articles; None for all questions.
        bad_answers: How the training treated questions without usable answers.
        unanswerable: How it treated questions without any answers.
        negatives: The share of the questions that others without an answer were made of.
        reading: How the training read its questions.
    """

    source: str
    share: float | None
    bad_answers: "BadAnswers"
    unanswerable: "Unanswerable" = "error"
    negatives: float = 0.0
    reading: Reading = Reading()

    @property
    def part(self) -> Literal["train", "dev"]:
        """The part of the source that holds them, where its name leaves that open."""
        return "dev" if self.share is None else "train"

    @property
    def option(self) -> str:
        """The option of the configuration that names the source."""
        return "data.val" if self.share is None else "data.train"


@dataclass(frozen=True)
class Run:
    """A trained model, as its run folder describes it.

    Args:
        folder: The run folder.
        checkpoint: Its weights.
        inputs: The model's inputs, with the state that they learned from train.
        make_model: Makes the untrained model from the sizes of its data.
        held_out: The validation questions that its checkpoint was chosen by.
        cache_dir: The folder of training's prepared data, if one was named.
        trust: Names that the user trusts (see `open_run`).
    """

    folder: Path
    checkpoint: Checkpoint
    inputs: "Inputs"
    make_model: "partial[QAModel]"
    held_out: HeldOut
    cache_dir: Path | None
    trust: tuple[str, ...] = ()

    @cached_property
    def model(self) -> "QAModel":
        """The model with its weights, ready to predict; needs no data.

        Raises:
            CheckpointError: The weights do not fit the model that the configuration describes.
        """
        from squadqa.models.base import QAModel

        config = self.folder / CONFIG
        weights = self.checkpoint.weights
        try:
            model = build(
                lambda: self.make_model(self.inputs.sizes), weights, is_own=not self.trust
            )
        except MisfitError as error:
            raise CheckpointError(
                f'"{self.checkpoint.path}" does not hold the weights of the model of "{config}": '
                f"{error}",
                hint="The configuration is not that of the training.",
                next_step="Put back the files that the run was trained with, or train it again.",
            ) from error
        except Exception as error:  # classes raise many kinds of errors for values of the file
            raise _not_of_this_version(config, error) from error
        assert isinstance(model, QAModel)
        return model.eval()


def open_run(
    folder: str | Path, *, checkpoint: Choice | None = None, trust: Sequence[str] = ()
) -> Run:
    """Open a run folder or a model folder.

    Args:
        folder: The folder, or the name of a ready model.
        checkpoint: Which checkpoint to take; None takes the best, or the last if there is no best
            one yet.
        trust: Packages, besides squadqa, whose classes the configuration may name; importing them
            runs their code. Also folders of spaCy pipelines, cache folders and data sets that it
            may name.

    Raises:
        UntrustedError: The configuration names what the user has not named.
        CheckpointError: The run or checkpoint does not exist or cannot be used.
    """
    folder = find_run(folder)
    path = find_checkpoint(folder, checkpoint)
    config = read_config(folder / CONFIG)
    loaded = read_model_file(path) if path.name == MODEL else read_checkpoint(path)

    from squadqa.data.inputs import Inputs
    from squadqa.models.base import QAModel

    module = config["model"]["init_args"]
    family = next((name for name in FAMILIES if name in module), None)
    if family is None:
        raise _no_config(folder / CONFIG, "its model has neither a reader nor a scorer")
    try:
        make_model = maker_of(module[family], QAModel, trust=trust)
        inputs = maker_of(config["data"]["inputs"], Inputs, trust=trust)()
        held_out = _held_out(config["data"])
        cache_dir = config["data"].get("cache_dir")
        cache_dir = Path(cache_dir) if cache_dir else None
    except UntrustedError as error:
        raise UntrustedError(
            f'"{folder / CONFIG}" names {error.what}: nothing of it was opened or run',
            name=error.name,
            hint=error.hint,
        ) from error
    except Exception as error:  # classes raise many kinds of errors for values of the file
        raise _not_of_this_version(folder / CONFIG, error) from error
    require_inputs(inputs, folder / CONFIG, trust=trust)
    if loaded.model_name != make_model.func.__name__:
        raise CheckpointError(
            f'"{path}" holds the weights of "{loaded.model_name}", but "{folder / CONFIG}" '
            f'describes "{make_model.func.__name__}"',
            next_step="Put a checkpoint of this run there, or name the run it belongs to.",
        )
    try:
        inputs.load_state_dict(loaded.inputs_state)
    except Exception as error:  # likewise
        raise CheckpointError(
            f'what "{path}" learned from train is not what {type(inputs).__name__} needs: {error}',
            next_step="Put back the config.yaml that the run was trained with.",
        ) from error
    return Run(
        folder=folder,
        checkpoint=loaded,
        inputs=inputs,
        make_model=make_model,
        held_out=held_out,
        cache_dir=cache_dir,
        trust=tuple(trust),
    )


def find_run(folder: str | Path) -> Path:
    """Find a run folder, a model folder, or a ready model.

    Args:
        folder: What the user named: a folder, or a model that comes with squadqa.

    Returns:
        The folder; of a ready model, that inside the package.

    Raises:
        CheckpointError: It is not a run folder; the message lists the existing runs.
    """
    folder = Path(folder)
    try:
        if (folder / CONFIG).is_file():
            return folder
    except OSError as error:  # such as a name that is too long
        raise CheckpointError(
            f'cannot read the run folder "{folder}": {error.strerror}',
            next_step="Name a run folder that you may read.",
        ) from error
    ready = ready_model(folder)
    if ready is not None and (ready / MODEL).is_file():
        return ready
    if ready is not None:
        raise CheckpointError(
            f'the ready model "{folder}" came without its "{MODEL}"',
            next_step="Install squadqa again, or name a run folder.",
        )
    if (folder / ENSEMBLE).is_file():
        raise CheckpointError(
            f'"{folder}" is an ensemble, not one run',
            next_step=f'Name one of its members: a folder in "{folder / MEMBERS}".',
        )
    what = f'there is no run folder "{folder}"'
    if folder.is_dir():
        what = f'"{folder}" is not a run folder: it has no {CONFIG}'
    elif folder.exists():
        what = f'"{folder}" is a file, not a run folder'
    known = list_runs(folder, folder.parent, Path(RUNS_FOLDER))
    hint = did_you_mean(str(folder), [*known, *ready_models()])
    if len(known) > 1 and not hint.startswith("Known"):
        hint += " Existing runs: " + ", ".join(f'"{name}"' for name in known) + "."
    next_step = "Name a run folder." if known else "Train one first: squadqa train --help"
    raise CheckpointError(what, hint=hint, next_step=next_step)


def list_runs(*folders: Path) -> list[str]:
    """List the run folders directly inside some folders.

    Args:
        folders: Where to look; folders that do not exist or cannot be read are ignored.
    """
    found = {
        str(path.parent)
        for folder in folders
        if folder.is_dir()
        for path in folder.glob(f"*/{CONFIG}")
        if (path.parent / CHECKPOINTS).is_dir() or (path.parent / MODEL).is_file()
    }
    return sorted(found)


def find_checkpoint(folder: Path, choice: Choice | None = None) -> Path:
    """Find a checkpoint of a run, or the file of a model folder.

    Args:
        folder: The run folder or model folder.
        choice: Which one; None takes the best, or the last if there is no best one yet.

    Raises:
        CheckpointError: The checkpoint does not exist.
    """
    paths = dict(zip(CHOICES, (folder / CHECKPOINTS / name for name in (BEST, LAST)), strict=True))
    there = [name for name, path in paths.items() if path.is_file()]
    model = folder / MODEL
    if not there and model.is_file():
        if choice is None:
            return model
        raise CheckpointError(
            f'"{folder}" is a model folder: it has no checkpoint "{choice}"',
            hint=f'Its weights are those of one checkpoint, in "{MODEL}".',
            next_step="Leave --checkpoint out.",
        )
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
            next_step=f"Use that one with --checkpoint {there[0]}.",
        )
    return paths[choice or there[0]]


def read_config(path: Path) -> dict[str, Any]:
    """Read a run's configuration as plain values, and check its structure.

    Args:
        path: The file.

    Raises:
        CheckpointError: It cannot be read, is no YAML of plain values, or has no model and data.
    """
    import yaml

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(
            f'cannot read "{path}": {error.strerror}', next_step="Name a run that you may read."
        ) from error
    except Exception as error:  # yaml raises many kinds of errors: for a date 2001-99-99, say
        raise _no_config(path, " ".join(str(error).split())) from error
    _require_plain(config, path)
    for keys in (("model", "init_args"), ("data",)):
        value = config
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, dict):
            raise _no_config(path, f'it lacks "{".".join(keys)}"')
    return dict(config)


def _require_plain(config: Any, path: Path) -> None:
    """Refuse too many values and keys, each counted as often as it is referred to; also odd ones.

    A text with a zero byte, or with half a surrogate pair, can be no file's name, and Python does
    not write out whole numbers of any length.
    """
    waiting, count = [config], 0
    while waiting:
        value = waiting.pop()
        count += 1
        if count > MOST_VALUES:
            raise _no_config(path, f"it has more than {MOST_VALUES:,} values")
        if isinstance(value, dict | list):
            waiting += [*value, *value.values()] if isinstance(value, dict) else value
        elif isinstance(value, str) and UNUSABLE.search(value):
            raise _no_config(path, f"it has the text {ascii(value):.60}")
        elif isinstance(value, int) and value.bit_length() > 64:
            raise _no_config(path, f"it has {shown(value)}")


def _held_out(data: dict[str, Any]) -> HeldOut:
    source: Any = data.get("val")
    share: Any = None
    bad_answers: Any = "keep"
    if not source:
        source, share, bad_answers = data["train"], data["val_share"], data["bad_answers"]
    if not isinstance(source, str):
        raise ValueError(f"its held-out questions are {shown(source)}")
    if share is not None and not (isinstance(share, float) and 0 < share < 1):
        raise ValueError(f'"val_share" is {shown(share)}')
    if bad_answers not in ("error", "skip", "keep"):
        raise ValueError(f'"bad_answers" is {shown(bad_answers)}')
    unanswerable: Any = data.get("unanswerable", "error")
    if unanswerable not in ("error", "skip", "keep"):
        raise ValueError(f'"unanswerable" is {shown(unanswerable)}')
    negatives: Any = data.get("negatives", 0.0)
    if type(negatives) not in (int, float) or not 0 <= negatives <= 1:
        raise ValueError(f'"negatives" is {shown(negatives)}')
    if unanswerable == bad_answers:
        unanswerable = "error"
    reading = Reading.of(data.get("columns"), data.get("find_answers", "error"))
    return HeldOut(source, share, bad_answers, unanswerable, float(negatives), reading)


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
