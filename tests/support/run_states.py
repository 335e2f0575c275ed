"""What two trainings that should be the same are compared by."""

import json
from pathlib import Path
from typing import Any

import torch

STATES = ("epoch", "state_dict", "optimizer_states", "lr_schedulers", "squadqa")
"""Parts of a checkpoint that do not depend on time."""


def checkpoint(run: Path, name: str = "last") -> dict[str, Any]:
    """A checkpoint's content."""
    content: dict[str, Any] = torch.load(run / f"checkpoints/{name}.ckpt", weights_only=True)
    return content


def callback(content: dict[str, Any], name: str) -> dict[str, Any]:
    """The state of a callback in a checkpoint."""
    (state,) = (state for key, state in content["callbacks"].items() if key.startswith(name))
    return dict(state)


def measured(path: Path) -> dict[str, Any]:
    """A JSON file without what depends on time and place."""
    values = json.loads(path.read_text())
    return {
        key: value
        for key, value in values.items()
        if key not in ("name", "command", "minutes", "examples_per_second")
    }


def assert_same(left: Any, right: Any) -> None:
    """Check that two values are equal, bit for bit, at every depth."""
    assert type(left) is type(right)
    if isinstance(left, torch.Tensor):
        assert left.equal(right)
    elif isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_same(left[key], right[key])
    elif isinstance(left, list | tuple):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    else:
        assert left == right
