from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from squadqa.nn.kernels import maxout as kernel
from squadqa.nn.kernels.maxout import LargestPieces, maxout, maxout_plain, maxout_product
from squadqa.nn.kernels.products import PRODUCT
from tests.support.kernels import Remove, assert_same, draw

UNITS, PIECES = 4, 3
Form = Callable[[Tensor, Tensor, Tensor], Tensor]


def drawn(*, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """A sequence, a weight and shifts."""
    torch.manual_seed(0)
    count = UNITS * PIECES
    return [draw(3, 2, 5, dtype=dtype), draw(count, 5, dtype=dtype), draw(3, count, dtype=dtype)]


def plain(sequence: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
    return maxout_plain(sequence, weight, shift, units=UNITS, precision=weight.dtype)


def fast(sequence: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
    return maxout(sequence, weight, shift, units=UNITS, precision=weight.dtype)


def fast_from_product(sequence: Tensor, weight: Tensor, shift: Tensor) -> Tensor:
    product = maxout_product(sequence, weight, precision=weight.dtype)
    assert not product.requires_grad
    return maxout(sequence, weight, shift, units=UNITS, precision=weight.dtype, product=product)


every_way = pytest.mark.parametrize("way", [fast, fast_from_product])


@every_way
@pytest.mark.parametrize("steps", [1, 2, 4, 100])
def test_fast_equals_plain_in_parts_of_any_size(
    way: Form, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "CACHED", steps * UNITS * PIECES)
    monkeypatch.setattr(kernel, "SORTED", steps)
    assert_same(way, plain, drawn())


@every_way
def test_fast_form_has_its_own_gradient(way: Form) -> None:
    assert torch.autograd.gradcheck(way, drawn())


@every_way
def test_without_the_fast_form(way: Form, remove: Remove) -> None:
    remove(LargestPieces)
    assert_same(way, plain, drawn(), tolerance=0)


@every_way
def test_without_a_fast_product(way: Form, remove: Remove) -> None:
    remove(PRODUCT)
    assert_same(way, plain, drawn(dtype=torch.float32), tolerance=1e-5)


def test_plain_form_in_bfloat16_returns_the_precision_of_the_shift() -> None:
    inputs = drawn(dtype=torch.float32)
    rounded = maxout_plain(*inputs, units=UNITS, precision=torch.bfloat16)
    assert rounded.dtype == torch.float32
    assert not rounded.equal(plain(*inputs))
    assert rounded.allclose(plain(*inputs), rtol=2**-6, atol=0.05)
    rounded.sum().backward()
    for each in inputs:
        assert each.grad is not None and each.grad.dtype == torch.float32 and each.grad.any()


@settings(max_examples=25)
@given(st.integers(0, 5), st.integers(0, 9), st.integers(1, 20))
def test_parts_hold_every_step_once(batch: int, length: int, most: int) -> None:
    seen = torch.zeros(batch, length)
    for part in kernel._parts(batch, length, most):
        seen[part] += 1
        assert seen[part].numel() <= most
    assert seen.eq(1).all()
