"""The file of a model folder: weights and all that opening needs, as safetensors.

A safetensors file is a JSON header, which says where each tensor lies, and the tensors' bytes:
nothing in it can run code. Weights are called `model.NAME`. What the inputs learned from train is
JSON in the header's metadata; a tensor among it is a tensor of the file, `inputs.` and its keys.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from squadqa.data.optional import imported
from squadqa.errors import CheckpointError, ConfigError, shown
from squadqa.evaluation.calibration import Calibration
from squadqa.inference.checkpoint import MODEL_PREFIX, Checkpoint

if TYPE_CHECKING:
    from torch import Tensor

PURPOSE = "a model folder"

FORMAT = 1
"""Version of the metadata."""

KEY = "squadqa"
"""The key of the metadata; there is no other, so that equal models give equal files."""

INPUTS = "inputs."
"""Prefix of the names of tensors that the inputs learned."""

MOST_HEADER = 16 << 20
"""Bytes of the largest header that is read: a million frequent words take about as much."""

MOST_STEPS = 1 << 63
"""No training has as many."""

LENGTH = 8
"""Bytes at the file's begin that say how long the header is."""

FACTS = {
    "format": int,
    "model": str,
    "epoch": int,
    "step": int,
    "calibration": dict,
    "inputs": dict,
}
"""The metadata: the model's class, where in the training its weights are from, and the rest."""


def model_bytes(checkpoint: Checkpoint, *, half: bool = False) -> bytes:
    """Return a checkpoint's weights, and what else opening needs, as a safetensors file.

    Args:
        checkpoint: The weights.
        half: Whether weights of float32 are stored as float16. A tensor with a weight beyond the
            range of float16 stays as it is.

    Raises:
        ConfigError: The inputs, of a class of the user's own, learned what JSON cannot hold.
    """
    import torch

    safetensors = imported("safetensors.torch", PURPOSE)
    tensors = {
        f"{MODEL_PREFIX}{name}": _halved(value) if half and value.dtype == torch.float32 else value
        for name, value in checkpoint.weights.items()
    }
    facts = {
        "format": FORMAT,
        "model": checkpoint.model_name,
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "calibration": asdict(checkpoint.calibration),
        "inputs": _without_tensors(checkpoint.inputs_state),
    }
    try:
        tensors |= _tensors_of(checkpoint.inputs_state, INPUTS)
        text = json.dumps(facts, allow_nan=False)
        if json.loads(text) != facts:
            raise ValueError("JSON changes it")
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f'what the inputs of "{checkpoint.path}" learned from train cannot be exported: '
            f"{error}",
            hint="It has to be values as JSON has them, and tensors under keys without a dot.",
            next_step="Change what `learned` of your inputs returns, and train again.",
        ) from error
    whole = {name: value.detach().contiguous().clone() for name, value in tensors.items()}
    made: bytes = safetensors.save(whole, metadata={KEY: text})
    return made


def read_model_file(path: Path) -> Checkpoint:
    """Read the file of a model folder; nothing in it is run.

    Args:
        path: A file that `model_bytes` made.

    Returns:
        The weights, those of float16 as float32, in which they are computed.

    Raises:
        CheckpointError: It cannot be read, is damaged or cut short, or is not a squadqa model.
    """
    _require_bounded_header(path)
    safetensors = imported("safetensors", PURPOSE)
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            names = file.keys()  # of the file, which is no mapping
            tensors = {name: file.get_tensor(name).clone() for name in names}
    except Exception as error:  # safetensors raises several kinds of errors
        _refuse(path, "is damaged or cut short", error)
    try:
        facts = json.loads(metadata[KEY], parse_constant=_no_number)
        _require_facts(facts)
        inputs_state = facts["inputs"]
        for name, value in tensors.items():
            if name.startswith(INPUTS):
                _put(inputs_state, name.removeprefix(INPUTS), value)
            elif not name.startswith(MODEL_PREFIX):
                raise ValueError(f'a tensor is called "{name:.100}"')
        return Checkpoint(
            path=path,
            epoch=facts["epoch"],
            step=facts["step"],
            model_name=facts["model"],
            weights={
                name.removeprefix(MODEL_PREFIX): _computed(name, value)
                for name, value in tensors.items()
                if name.startswith(MODEL_PREFIX)
            },
            inputs_state=inputs_state,
            calibration=Calibration(**facts["calibration"]),
        )
    except KeyError as error:
        _refuse(path, f"is not a model of squadqa: it lacks {error}", error)
    except (ArithmeticError, TypeError, ValueError, RecursionError) as error:
        _refuse(path, f"is not a model of squadqa: {error}", error)


def _require_bounded_header(path: Path) -> None:
    """Refuse a header that would take much memory, before anything parses it."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(LENGTH), "little")
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror or error}", error)
    if length > MOST_HEADER:
        _refuse(path, f"has a header of {length:,} bytes, and {MOST_HEADER:,} are the most")


def _require_facts(facts: Any) -> None:
    """Check the metadata's keys and the types of their values."""
    if not isinstance(facts, dict):
        raise TypeError(f"its metadata are {shown(facts)}")
    for name, kind in FACTS.items():
        if type(facts[name]) is not kind:
            raise TypeError(f'"{name}" is {shown(facts[name])}')
    if facts["format"] != FORMAT:
        raise ValueError(
            f"it has the format {shown(facts['format'])}, and this version reads {FORMAT}"
        )
    for name in ("epoch", "step"):
        if not 0 <= facts[name] < MOST_STEPS:
            raise ValueError(f'"{name}" is {shown(facts[name])}')
    if "sizes" not in facts["inputs"]:
        raise KeyError("sizes")


def _halved(value: "Tensor") -> "Tensor":
    half = value.half()
    return half if half.isfinite().all() or not value.isfinite().all() else value


def _computed(name: str, value: "Tensor") -> "Tensor":
    """Return a stored weight in the type that models compute in."""
    import torch

    if value.dtype == torch.float16:
        return value.float()
    if value.dtype not in (torch.float32, torch.float64, torch.int64, torch.int32, torch.bool):
        raise TypeError(f'the weight "{name:.100}" is of {value.dtype}')
    return value


def _tensors_of(state: Mapping[str, Any], prefix: str) -> dict[str, "Tensor"]:
    """Name each tensor of nested mappings by its keys."""
    import torch

    found: dict[str, Tensor] = {}
    for key, value in state.items():
        inner = {}
        if isinstance(value, torch.Tensor):
            inner = {f"{prefix}{key}": value}
        elif isinstance(value, Mapping):
            inner = _tensors_of(value, f"{prefix}{key}.")
        if inner and (not isinstance(key, str) or "." in key):
            raise ValueError(f"there is a tensor under {shown(key)}")
        found |= inner
    return found


def _without_tensors(state: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    return {
        key: _without_tensors(value) if isinstance(value, Mapping) else value
        for key, value in state.items()
        if not isinstance(value, torch.Tensor)
    }


def _put(state: dict[str, Any], name: str, value: "Tensor") -> None:
    """Put a tensor where its name says; the mappings that hold it are there already."""
    *holders, last = name.split(".")
    place: Any = state
    for key in holders:
        place = place.get(key) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last in place:
        raise ValueError(f'there is no place for the tensor "{INPUTS}{name:.100}"')
    place[last] = value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _refuse(path: Path, what: str, error: Exception | None = None) -> NoReturn:
    raise CheckpointError(
        f'"{path}" {what}', next_step="Put back the file that `squadqa export --model` wrote."
    ) from error
