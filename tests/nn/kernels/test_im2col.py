from typing import Any

import pytest
import torch
from torch import Tensor

from squadqa.nn.char_cnn.words import Words
from squadqa.nn.kernels.im2col import Im2Col, convolve_windows, convolve_windows_plain
from squadqa.nn.kernels.products import PRODUCT
from tests.support.kernels import Remove, assert_same, draw

WINDOWS = {width: Words(torch.tensor([3, 0, 1, 5])).windows(width) for width in (1, 3, 5, 7)}
every_width = pytest.mark.parametrize("width", WINDOWS)
with_or_without_bias = pytest.mark.parametrize("has_bias", [True, False])


def drawn(width: int, *, has_bias: bool) -> list[Tensor]:
    """Rows, weight and perhaps bias."""
    torch.manual_seed(0)
    return [draw(9, 3), draw(4, 3, width)] + [draw(4)] * has_bias


@every_width
@with_or_without_bias
def test_fast_equals_plain(width: int, has_bias: bool) -> None:
    def convolved(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return convolve_windows(rows, weight, bias, WINDOWS[width])

    def expected(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return convolve_windows_plain(rows, weight, bias, WINDOWS[width])

    inputs = drawn(width, has_bias=has_bias)
    assert_same(convolved, expected, inputs)
    assert torch.autograd.gradcheck(convolved, inputs)


def test_plain_form_multiplies_each_window() -> None:
    rows, weight, bias = drawn(3, has_bias=True)
    convolved = convolve_windows_plain(rows, weight, bias, WINDOWS[3])
    middle = weight[:, :, 0] @ rows[0] + weight[:, :, 1] @ rows[1] + weight[:, :, 2] @ rows[2]
    assert convolved[1].allclose(middle + bias)
    assert convolved[3].allclose(weight[:, :, 1] @ rows[3] + bias)  # a word of one character


@pytest.mark.parametrize("missing", [PRODUCT, Im2Col])
def test_without_an_operator_or_the_fast_form(missing: Any, remove: Remove) -> None:
    remove(missing)
    inputs = [each.detach().float().requires_grad_() for each in drawn(5, has_bias=True)]
    assert_same(
        lambda *each: convolve_windows(*each, WINDOWS[5]),
        lambda *each: convolve_windows_plain(*each, WINDOWS[5]),
        inputs,
        tolerance=1e-5,
    )


def test_computes_only_the_gradients_that_are_asked_for() -> None:
    rows, weight, bias = (each.detach() for each in drawn(3, has_bias=True))
    convolve_windows(rows, weight.requires_grad_(), bias, WINDOWS[3]).sum().backward()
    assert weight.grad is not None and weight.grad.any()
    assert rows.grad is None and bias.grad is None
    convolve_windows(rows.requires_grad_(), weight.detach(), bias, WINDOWS[3]).sum().backward()
    assert rows.grad is not None and rows.grad.any()
