"""The configuration of a run that a training resumes, checked before anything in it is made.

To resume a training, its whole config.yaml is read by jsonargparse, which imports and calls what is
named there. So every name, at every depth, must be one that squadqa itself writes there, or one
that the user trusts; and the training must write where the user expects it.

One file, as it is one walk through one file.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from squadqa.errors import CheckpointError, SquadQAError, UntrustedError, shown
from squadqa.inference.classes import PACKAGE, class_kinds, class_of, hints_of, maker_of
from squadqa.inference.run_folder import FAMILIES, read_config
from squadqa.inference.trusted import (
    is_trusted,
    own_cache,
    require_inputs,
    require_source,
    untrusted,
)
from squadqa.run_files import CHECKPOINTS, CONFIG, LOGS, WANDB

MODULES = (
    "squadqa.training.span_module.SpanModule",
    "squadqa.training.candidate_module.CandidateModule",
)
"""Classes that train a model."""

OPTIMIZERS = frozenset(
    ["squadqa.training.span_module.adamax", "squadqa.training.candidate_module.adagrad"]
    + [
        f"torch.optim.{name}"
        for name in (
            "ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam",
            "RAdam", "RMSprop", "Rprop", "SGD",
        )
    ]
)  # fmt: skip
"""Optimisers that a run may name: their arguments are numbers."""

OBJECTS = ("accelerator", "callbacks", "logger", "plugins", "profiler", "strategy")
"""Options of the trainer that take objects. squadqa leaves them out, or writes a short name."""

SEVERAL = ("devices", "max_time", "val_check_interval")
"""Options of the trainer that may be several numbers."""

PLAIN_NAME = re.compile(r"[a-z0-9_]+")
"""Lightning's own short names, such as "auto" or "ddp"."""

DOTTED_NAME = re.compile(r"\w+(\.\w+)+")
"""What jsonargparse may take for something to import."""

SPEC = {"class_path", "init_args"}
"""Keys of an object in a configuration."""

FOLDERS = (CHECKPOINTS, LOGS, WANDB)
"""Folders that a training writes in its run."""


def require_resumable(
    folder: Path,
    *,
    config: Path | None = None,
    trust: Sequence[str] = (),
    given: Collection[str] = (),
) -> None:
    """Check the configuration of a run before its training is resumed.

    Args:
        folder: The run folder.
        config: The configuration, if it is another file than the run's own.
        trust: Packages, classes, functions, pipelines and folders that the user trusts.
        given: Dotted names of the values that the user gives on the command line instead.

    Raises:
        UntrustedError: It names something that needs the user's word.
        CheckpointError: It cannot be read, or is not as training wrote it.
    """
    from squadqa.data.inputs import Inputs

    path = config or folder / CONFIG
    values = read_config(path)
    check = _Check(path, trust)
    check.keys(values, "")
    for key, value in values.items():
        if key not in ("model", "data", "trainer", "early_stopping", "char_cnn"):
            check.scalar(value, str(key))
    check.model(values["model"])
    check.section(values["data"], "data", objects=("inputs",))
    check.spec(values["data"].get("inputs"), Inputs, "data.inputs")
    check.section(values.get("early_stopping") or {}, "early_stopping")
    check.section(values.get("trainer") or {}, "trainer", objects=(*OBJECTS, *SEVERAL))
    check.trainer(values.get("trainer") or {})
    if values.get("char_cnn") not in (None, "own"):
        from squadqa.nn.char_cnn import CharCNN

        check.spec(values["char_cnn"], CharCNN, "char_cnn")
    check.inputs(values["data"]["inputs"])
    require_inside(folder)
    _require_places(path, values, trust, given)


def require_inside(folder: Path) -> None:
    """Check that what a training writes in a run folder stays there.

    Args:
        folder: The run folder.

    Raises:
        CheckpointError: A folder in it is a link that leads out.
    """
    for name in FOLDERS:
        inside = folder / name
        if not inside.resolve().is_relative_to(folder.resolve()):
            raise CheckpointError(
                f'"{inside}" is a link that leads out of the run, to "{inside.resolve()}"',
                hint="The training would write there.",
                next_step="Put the folder itself in its place.",
            )


def names_to_trust(folder: Path) -> list[str]:
    """List what resuming a run needs the user's word for.

    Args:
        folder: The folder of a run that this process has trained: the classes that its
            configuration names are imported.
    """
    names: list[str] = []
    while True:
        try:
            require_resumable(folder, trust=names, given=["wandb"])
        except UntrustedError as error:
            assert error.name not in names
            names.append(error.name)
        except CheckpointError:  # no name would help
            return names
        else:
            return names


class _Check:
    """Checks of the names in a configuration; each raises a `CheckpointError`.

    Args:
        path: The configuration.
        trust: What the user trusts.
    """

    def __init__(self, path: Path, trust: Sequence[str]) -> None:
        self.path = path
        self.trust = trust

    def keys(self, value: Any, where: str) -> None:
        """Refuse keys and texts in which jsonargparse would find further configuration."""
        if isinstance(value, list):
            for one in value:
                self.keys(one, where)
        elif isinstance(value, dict):
            for key, one in value.items():
                inner = f"{where}.{key}".lstrip(".")
                if inner == "config" or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_]*", str(key)):
                    raise self.wrong(f"the key {shown(key)}", where or "its top")
                self.keys(one, inner)
        elif isinstance(value, str) and "class_path" in value:
            raise self.wrong(f"the text {shown(value)}", where)

    def model(self, spec: dict[str, Any]) -> None:
        """Check the module, its model and its optimiser."""
        from squadqa.models.base import QAModel

        module = spec.get("class_path")
        if set(spec) != SPEC or not isinstance(module, str):
            raise self.wrong("something else than a class and its arguments", "model")
        if module not in MODULES:
            self.trusted(module, "model")
        for key, value in spec["init_args"].items():
            where = f"model.init_args.{key}"
            if key in FAMILIES:
                self.spec(value, QAModel, where)
            elif key == "optimizer":
                self.optimizer(value, where)
            elif module in MODULES:
                self.scalar(value, where)
            else:
                self.objects(value, where)

    def optimizer(self, value: Any, where: str) -> None:
        """Check the optimiser: one of the list, made from numbers."""
        spec = {"class_path": value} if isinstance(value, str) else value
        name = spec.get("class_path") if isinstance(spec, dict) else None
        if not isinstance(name, str) or not set(spec) <= SPEC:
            raise self.wrong("something else than an optimiser and its arguments", where)
        if name not in OPTIMIZERS:
            self.trusted(name, where)
        self.objects(spec.get("init_args") or {}, f"{where}.init_args")

    def spec(self, value: Any, base: type, where: str) -> None:
        """Check an object against the class that its argument expects, and so its arguments."""
        spec = {"class_path": value} if isinstance(value, str) else value
        name = spec.get("class_path") if isinstance(spec, dict) else None
        arguments = (spec.get("init_args") or {}) if isinstance(spec, dict) else None
        if not isinstance(name, str) or not set(spec) <= SPEC or not isinstance(arguments, dict):
            raise self.wrong("something else than a class and its arguments", where)
        if not is_trusted(name, (PACKAGE,)):
            self.trusted(name, where)
        try:
            made = class_of(name, base, trust=self.trust)
            hints = hints_of(made)
        except (AttributeError, ImportError, NameError, TypeError, ValueError) as error:
            raise self.wrong(f'"{name}" ({error})', where) from error
        for key, one in arguments.items():
            self.argument(one, hints.get(str(key)), f"{where}.init_args.{key}")

    def argument(self, value: Any, hint: Any, where: str) -> None:
        """Check the value of an argument: an object where it takes one, else plain values."""
        kinds = [kind for kind in class_kinds(hint) if kind.__module__ != "builtins"]
        is_object = isinstance(value, dict) and "class_path" in value
        if is_object or (isinstance(value, str) and hint is not None and not _takes_text(hint)):
            if not kinds:
                raise self.wrong(f"{shown(value)}, which is no value of this argument", where)
            self.spec(value, kinds[0], where)
        elif kinds and isinstance(value, dict | list):
            raise self.wrong("something else than a class and its arguments", where)
        elif not _takes_text(hint) or kinds:
            self.objects(value, where)
        else:
            self.plain(value, where)

    def section(self, values: Any, where: str, *, objects: Collection[str] = ()) -> None:
        """Check a section of options: single values, but for some."""
        if not isinstance(values, dict) or SPEC & set(values):
            raise self.wrong("something else than options", where)
        for key, value in values.items():
            if key not in objects:
                self.scalar(value, f"{where}.{key}")

    def trainer(self, values: dict[str, Any]) -> None:
        """Check the trainer's objects, of which squadqa writes none."""
        for key in OBJECTS:
            value, where = values.get(key), f"trainer.{key}"
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str):
                    is_plain = PLAIN_NAME.fullmatch(one) and key not in ("callbacks", "plugins")
                    if not is_plain:
                        self.trusted(one, where)
                else:
                    self.objects(one, where)
        for key in SEVERAL:
            self.objects(values.get(key), f"trainer.{key}")

    def objects(self, value: Any, where: str) -> None:
        """Check that all classes and dotted names in a value are trusted."""
        if isinstance(value, list):
            for one in value:
                self.objects(one, where)
        elif isinstance(value, dict):
            if "class_path" in value:
                name = value["class_path"]
                if not isinstance(name, str) or not set(value) <= SPEC:
                    raise self.wrong("something else than a class and its arguments", where)
                self.trusted(name, where)
                where, value = f"{where}.init_args", value.get("init_args") or {}
            for key, one in value.items() if isinstance(value, dict) else [("", value)]:
                self.objects(one, f"{where}.{key}")
        elif isinstance(value, str) and DOTTED_NAME.fullmatch(value):
            self.trusted(value, where)

    def plain(self, value: Any, where: str) -> None:
        """Check that a value holds no object."""
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                self.objects(one, where)

    def scalar(self, value: Any, where: str) -> None:
        """Check that a value is a single one."""
        if isinstance(value, dict | list):
            raise self.wrong("something else than a single value", where)

    def inputs(self, spec: dict[str, Any]) -> None:
        """Check the pipeline and the word vectors, as for opening the run."""
        from squadqa.data.inputs import Inputs

        try:
            made = maker_of(spec, Inputs, trust=self.trust)()
        except SquadQAError:
            raise
        except (AttributeError, ImportError, KeyError, TypeError, ValueError) as error:
            raise self.wrong(f'"{spec["class_path"]}" ({error})', "data.inputs") from error
        require_inputs(made, self.path, trust=self.trust)

    def trusted(self, name: str, where: str) -> None:
        """Check that the user trusts a name that is not one of squadqa's own."""
        if not is_trusted(name, self.trust):
            hint = "squadqa does not write this name there by itself, and resuming would call it."
            raise untrusted(self.path, where, name, hint=hint)

    def wrong(self, what: str, where: str) -> CheckpointError:
        """Make the error for something that no training wrote."""
        return CheckpointError(
            f'"{self.path}" has {what} at {where}: nothing of it was opened or run',
            next_step="Put back the config.yaml that training wrote, or train again.",
        )


def _takes_text(hint: Any) -> bool:
    """Return whether an argument may be a text, or hold texts."""
    if hint is str or get_origin(hint) is Literal:
        return True
    return any(map(_takes_text, get_args(hint)))


def _require_places(
    path: Path, config: dict[str, Any], trust: Sequence[str], given: Collection[str]
) -> None:
    """Check where the training would write, and what it would fetch or send.

    Raises:
        CheckpointError: The user did not say so.
    """
    from squadqa.data.squad import find_source

    data = config["data"]
    cache = data.get("cache_dir")
    is_asked = cache and "data.cache_dir" not in given and not _is_here(str(cache), trust)
    if is_asked and own_cache(Path(str(cache)), path.parent, trust=trust) is None:
        raise _elsewhere(path, "data.cache_dir", str(cache), "--data.cache_dir FOLDER")
    results = config.get("results")
    if results and "results" not in given and not _is_here(str(results), trust):
        raise _elsewhere(path, "results", str(results), "--results FOLDER")
    teacher = config.get("teacher")
    if teacher and "teacher" not in given and not _is_here(str(teacher), trust):
        raise UntrustedError(
            f'"{path}" names the teacher "{teacher}", which is not in the working folder',
            name=str(teacher),
            hint="The training would open it.",
        )
    if config.get("wandb") == "online" and "wandb" not in given:
        raise CheckpointError(
            f'"{path}" logs to Weights & Biases online',
            hint="What goes over the network is for you to say, each time.",
            next_step="Add --wandb online, or --wandb offline.",
        )
    for key, part in (("train", "train"), ("val", "dev"), ("test", "dev")):
        if data.get(key) and f"data.{key}" not in given:
            try:
                source = find_source(str(data[key]), part=part)  # type: ignore[arg-type]
            except SquadQAError:
                continue  # the training says what is missing
            require_source(source, f"data.{key}", path, trust=trust)


def _is_here(place: str, trust: Sequence[str]) -> bool:
    """Return whether a place is in the working folder, by a relative path, or is trusted."""
    here = Path.cwd().resolve()
    is_inside = not Path(place).is_absolute() and Path(place).resolve().is_relative_to(here)
    return is_inside or is_trusted(place, trust)


def _elsewhere(path: Path, key: str, place: str, option: str) -> UntrustedError:
    return UntrustedError(
        f'"{path}" names the folder "{place}" at {key}, which is not in the working folder',
        name=place,
        hint=f"The training would write there; {option} names another folder.",
    )
