"""The file of a model folder: what it keeps, and that whatever is wrong in it is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from squadqa.errors import CheckpointError, ConfigError
from squadqa.evaluation.calibration import Calibration
from squadqa.inference.checkpoint import Checkpoint
from squadqa.inference.model_file import model_bytes, read_model_file
from squadqa.inference.run_folder import open_run


def same(one: Any, other: Any) -> bool:
    """Whether two states are equal, tensors in them too."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(type(one) is type(other) and one == other)


@pytest.mark.parametrize("kind", ["reader", "scorer"])
def test_it_keeps_all_that_opening_needs(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    checkpoint = open_run(request.getfixturevalue(f"{kind}_run")).checkpoint
    checkpoint = replace(checkpoint, calibration=Calibration(1.25, 0.5))
    path = tmp_path / "model.safetensors"
    path.write_bytes(model_bytes(checkpoint))
    found = read_model_file(path)
    assert same(found.weights, checkpoint.weights)
    assert same(found.inputs_state, checkpoint.inputs_state)
    assert replace(found, path=checkpoint.path, weights={}, inputs_state={}) == replace(
        checkpoint, weights={}, inputs_state={}
    )
    assert model_bytes(checkpoint) == path.read_bytes(), "equal models give equal files"


def small(**weights: torch.Tensor) -> Checkpoint:
    return Checkpoint(
        path=Path("best.ckpt"), epoch=1, step=2, model_name="X", weights=weights,
        inputs_state={"sizes": {}},
    )  # fmt: skip


def test_half_the_size_and_computed_in_float32(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    value = torch.tensor([0.1, -2.5, 6e4])
    large, whole = torch.tensor([7e4, 1.0]), torch.arange(3)
    path.write_bytes(model_bytes(small(value=value, large=large, whole=whole), half=True))
    with safe_open(path, framework="pt") as file:
        assert file.get_tensor("model.value").dtype == torch.float16
    weights = read_model_file(path).weights
    assert same(weights["value"], value.half().float())
    assert same(weights["large"], large), "beyond the range of float16"
    assert same(weights["whole"], whole)


def test_tied_and_transposed_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    table = torch.arange(6.0).reshape(2, 3)
    path.write_bytes(model_bytes(small(one=table, tied=table, across=table.T)))
    weights = read_model_file(path).weights
    assert all(
        torch.equal(weights[name], value)
        for name, value in (("one", table), ("tied", table), ("across", table.T))
    )


@pytest.mark.parametrize(
    "learned",
    [{"counts": {1: 2}}, {"share": float("nan")}, {"a.b": torch.zeros(1)}, {"names": {"x"}}],
)
def test_what_json_cannot_hold_is_not_exported(learned: dict[str, Any]) -> None:
    checkpoint = replace(small(), inputs_state={"sizes": {}, **learned})
    with pytest.raises(ConfigError, match="cannot be exported"):
        model_bytes(checkpoint)


FACTS = {
    "format": 1,
    "model": "DrQAReader",
    "epoch": 0,
    "step": 2,
    "calibration": {"temperature": 1.0, "threshold": None},
    "inputs": {"sizes": {}, "words": {}},
}


def written(facts: Any = None, **tensors: torch.Tensor) -> bytes:
    facts = {**FACTS, **(facts or {})}
    facts = {name: value for name, value in facts.items() if value is not ...}
    return save(tensors, metadata={"squadqa": json.dumps(facts)})


def with_header(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Change the header of a file, and its length with it."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    change(header)
    made = json.dumps(header).encode()
    return len(made).to_bytes(8, "little") + made + content[8 + length :]


def set_shape(shape: list[int]) -> Callable[[dict[str, Any]], None]:
    return lambda header: header["model.a"].update(shape=shape)


WHOLE = written(**{"model.a": torch.ones(2, 3)})
WRONG = {
    "empty": (b"", "is damaged or cut short"),
    "cut": (WHOLE[:-1], "is damaged or cut short"),
    "longer": (WHOLE + b"\0", "is damaged or cut short"),
    "pickle": (b"\x80\x02}q\x00.", "has a header of|is damaged"),
    "huge header": (
        (1 << 40).to_bytes(8, "little") + WHOLE[8:],
        "has a header of 1,099,511,627,776",
    ),
    "header beyond the file": ((1 << 20).to_bytes(8, "little") + WHOLE[8:], "is damaged"),
    "shape": (with_header(WHOLE, set_shape([3, 3])), "is damaged"),
    "huge shape": (with_header(WHOLE, set_shape([1 << 62, 1 << 62])), "is damaged"),
    "no metadata": (save({"model.a": torch.ones(1)}), "it lacks 'squadqa'"),
    "no JSON": (save({}, metadata={"squadqa": "{"}), "is not a model of squadqa"),
    "deep JSON": (save({}, metadata={"squadqa": "[" * 10**5}), "is not a model of squadqa"),
    "a list": (save({}, metadata={"squadqa": "[]"}), "its metadata are"),
    "no sizes": (written({"inputs": {}}), "it lacks 'sizes'"),
    "no model": (written({"model": ...}), "it lacks 'model'"),
    "model": (written({"model": 3}), '"model" is 3'),
    "step": (written({"step": -1}), '"step" is -1'),
    "true epoch": (written({"epoch": True}), '"epoch" is True'),
    "format": (written({"format": 2}), "has the format 2, and this version reads 1"),
    "NaN": (written({"inputs": {"sizes": {"vector_size": float("nan")}}}), "NaN is not a number"),
    "temperature": (written({"calibration": {"temperature": 0.0}}), "a temperature from 0.5 to 4"),
    "calibration": (written({"calibration": {"x": 1}}), "unexpected keyword argument"),
    "name": (written(weight=torch.ones(1)), 'a tensor is called "weight"'),
    "no place": (written(**{"inputs.x.y": torch.ones(1)}), "no place for the tensor"),
    "taken": (written(**{"inputs.words": torch.ones(1)}), "no place for the tensor"),
    "type": (written(**{"model.a": torch.ones(1).bfloat16()}), "is of torch.bfloat16"),
}


@pytest.mark.parametrize(("content", "told"), WRONG.values(), ids=WRONG)
def test_what_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=told) as caught:
        read_model_file(path)
    assert str(path) in caught.value.what
    assert "squadqa export --model" in caught.value.next_step


def test_the_whole_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(written(**{"model.a": torch.ones(2), "inputs.words.x": torch.ones(1)}))
    assert torch.equal(read_model_file(path).inputs_state["words"]["x"], torch.ones(1))
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_model_file(tmp_path / "missing")
