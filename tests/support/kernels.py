"""A kernel's fast form compared with its plain one, and a torch that lacks operators."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from squadqa.nn.kernels import available

Remove = Callable[[str | type[torch.autograd.Function]], None]
"""Takes an operator away, by its dotted name, or a fast form, by its function."""


def draw(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Random numbers that have a gradient."""
    return torch.randn(shape, dtype=dtype, requires_grad=True)


def ragged(lengths: Sequence[int]) -> Tensor:
    """The mask (B, L) of sequences of these lengths; 0 is a row of only padding."""
    return torch.arange(max(1, *lengths)) < torch.tensor(lengths)[:, None]


def assert_same(
    one: Callable[..., Tensor],
    other: Callable[..., Tensor],
    inputs: Sequence[Tensor],
    *,
    where: Tensor | None = None,
    tolerance: float = 1e-9,
) -> None:
    """Check that two functions of the same tensors have equal values and gradients.

    Args:
        one: Its values must differ from each other.
        other: The reference.
        inputs: Tensors with gradients.
        where: Which values are meaningful; None takes all of them.
        tolerance: Largest difference, absolute and relative.
    """
    values, expected = one(*inputs), other(*inputs)
    assert values.shape == expected.shape and values.dtype == expected.dtype
    meant = torch.ones_like(expected, dtype=torch.bool) if where is None else where
    meant = meant.expand_as(expected)
    torch.testing.assert_close(values[meant], expected[meant], atol=tolerance, rtol=tolerance)
    slopes = torch.linspace(-1, 1, expected.numel(), dtype=expected.dtype).view_as(expected)
    gradients = [
        torch.autograd.grad((each * slopes * meant).sum(), inputs) for each in (values, expected)
    ]
    for number, (left, right) in enumerate(zip(*gradients, strict=True)):
        torch.testing.assert_close(
            left,
            right,
            atol=tolerance,
            rtol=tolerance,
            msg=lambda text, number=number: f"gradient of input {number}: {text}",
        )


def _failing(name: str) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise AssertionError(f'"{name}" was called, though it is not supported')

    return fail


def take_operator_away(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch lack an operator: checks do not find it, and calls fail."""
    known = available.has
    monkeypatch.setattr(available, "has", lambda asked: asked != name and known(asked))
    monkeypatch.setattr(name, _failing(name))


def take_fast_form_away(
    function: type[torch.autograd.Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let no device have fast forms; calls of this one fail."""
    monkeypatch.setattr(available, "FAST_DEVICES", ())
    monkeypatch.setattr(function, "apply", _failing(function.__name__))


@dataclass(frozen=True)
class SRUInputs:
    """Arguments of a form of the SRU.

    Args:
        mask: (B, L).
        tensors: Products, weights of the state, biases, and what the highway carries, if anything.
        scale: Of the highway.
    """

    mask: Tensor
    tensors: list[Tensor]
    scale: float = 1.5

    @property
    def where(self) -> Tensor:
        """Which outputs are meaningful, (L, B, 1, 1)."""
        return self.mask.t()[:, :, None, None]

    def applied(self, form: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """Make a form a function of the tensors alone."""

        def of_tensors(
            products: Tensor, weight: Tensor, bias: Tensor, highway: Tensor | None = None
        ) -> Tensor:
            return form(products, highway, self.mask, weight, bias, scale=self.scale)

        return of_tensors


def draw_sru(
    lengths: Sequence[int], *, has_highway: bool, dtype: torch.dtype = torch.float64
) -> SRUInputs:
    """Draw what SRUs of 3 units read of sequences of these lengths."""
    torch.manual_seed(0)
    mask, size = ragged(lengths), 3
    batch, length = mask.shape
    shapes = [(length, batch, 2, 3 if has_highway else 4, size), (2, 2, size), (2, 2, size)]
    if has_highway:
        shapes.append((length, batch, 2, size))
    return SRUInputs(mask, [draw(*shape, dtype=dtype) for shape in shapes])
