"""The kernels in Triton's interpreter, on a CPU; they have not been tried on a GPU here."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from squadqa.nn import kernels
from squadqa.nn.kernels import available
from squadqa.nn.kernels.sru import sru, sru_plain
from tests.support.kernels import assert_same, draw_sru

pytest.importorskip("triton", reason="Triton is not installed; torch's builds for CUDA have it")


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The kernels' module, imported to be interpreted; later imports get another one."""
    name = "squadqa.nn.kernels.sru_triton"
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.delitem(sys.modules, name, raising=False)
    from squadqa.nn.kernels import sru_triton

    yield sru_triton
    del sys.modules[name], kernels.sru_triton


def triton_form(interpreted: Any) -> Callable[..., Tensor]:
    """The kernels, called as the other forms are."""

    def form(*arguments: Any, scale: float) -> Tensor:
        outputs: Tensor = interpreted.TritonOutputs.apply(*arguments, scale)
        return outputs

    return form


@pytest.mark.parametrize("has_highway", [True, False])
@pytest.mark.parametrize("lengths", [[3, 1, 0], [1]], ids=str)
def test_equals_the_plain_form(interpreted: Any, has_highway: bool, lengths: list[int]) -> None:
    inputs = draw_sru(lengths, has_highway=has_highway)
    form, plain = inputs.applied(triton_form(interpreted)), inputs.applied(sru_plain)
    assert_same(form, plain, inputs.tensors, where=inputs.where)


def test_more_units_than_a_program_has(interpreted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreted, "UNITS", 2)
    inputs = draw_sru([2], has_highway=True)
    with torch.no_grad():
        outputs = inputs.applied(triton_form(interpreted))(*inputs.tensors)
        torch.testing.assert_close(outputs, inputs.applied(sru_plain)(*inputs.tensors))


def test_a_gpu_takes_them(interpreted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = draw_sru([2, 1], has_highway=True)
    monkeypatch.setattr(Tensor, "is_cuda", True)
    monkeypatch.setattr(interpreted, "TritonOutputs", Called)
    with pytest.raises(CalledError):
        inputs.applied(sru)(*inputs.tensors)
    monkeypatch.setattr(available, "has_triton", lambda: False)
    inputs.applied(sru)(*inputs.tensors)


class CalledError(Exception):
    pass


class Called:
    @staticmethod
    def apply(*_: Any) -> None:
        raise CalledError
