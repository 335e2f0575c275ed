import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from squadqa.nn.kernels import available, products
from squadqa.nn.kernels.products import (
    LAYOUT,
    PRODUCT,
    SMALLEST_BATCH,
    accumulator,
    linear,
    product,
)
from tests.support.kernels import Remove, assert_same, draw

every_precision = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
with_and_without = pytest.mark.parametrize("missing", [None, PRODUCT, LAYOUT])


@every_precision
@with_and_without
def test_product_is_with_the_transpose(
    dtype: torch.dtype, missing: str | None, remove: Remove
) -> None:
    if missing:
        remove(missing)
    torch.manual_seed(0)
    left, right = torch.randn(5, 7, dtype=dtype), torch.randn(6, 7, dtype=dtype)
    expected = torch.einsum("nd,ed->ne", left, right)
    assert product(left, right).allclose(expected, atol=1e-5)
    # Matrices that lie otherwise in memory.
    assert product(left.t().contiguous().t(), right.t().contiguous().t()).allclose(
        expected, atol=1e-5
    )


@every_precision
@with_and_without
def test_accumulator_adds_in_place(dtype: torch.dtype, missing: str | None, remove: Remove) -> None:
    if missing:
        remove(missing)
    torch.manual_seed(0)
    weight, start = torch.randn(6, 7, dtype=dtype), torch.randn(5, 6, dtype=dtype)
    sums, expected = start.clone(), start
    add = accumulator(weight.t().contiguous().t(), rows=5)
    for _ in range(2):
        inputs = torch.randn(5, 7, dtype=dtype)
        assert add(sums, inputs) is sums
        expected = expected + inputs @ weight.t()
    assert sums.allclose(expected, atol=1e-5)


@pytest.mark.parametrize("is_fast", [True, False])
def test_product_in_bfloat16(is_fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_fast:
        monkeypatch.setattr(available, "has_fast_bfloat16", lambda device: False)
    torch.manual_seed(0)
    left, right = torch.randn(5, 7), torch.randn(6, 7)
    rounded = product(left.bfloat16(), right.bfloat16())
    assert rounded.dtype == torch.bfloat16
    assert rounded.float().allclose(left @ right.t(), atol=0.1)


@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("batch", [1, SMALLEST_BATCH - 1, SMALLEST_BATCH, 20])
def test_linear_is_that_of_torch(batch: int, has_bias: bool) -> None:
    torch.manual_seed(0)
    inputs = [draw(batch, 3, 5), draw(4, 5)] + [draw(4)] * has_bias
    assert_same(linear, F.linear, inputs)


def test_linear_of_a_large_batch_is_a_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    convolved: list[Tensor] = []
    conv2d = F.conv2d

    def counted(image: Tensor, weight: Tensor) -> Tensor:
        convolved.append(image)
        return conv2d(image, weight)

    monkeypatch.setattr(products.F, "conv2d", counted)
    linear(torch.randn(SMALLEST_BATCH - 1, 3, 5), torch.randn(4, 5))
    assert not convolved
    with torch.autocast("cpu", dtype=torch.bfloat16):
        linear(torch.randn(SMALLEST_BATCH, 3, 5), torch.randn(4, 5))
    assert not convolved
    linear(torch.randn(SMALLEST_BATCH, 3, 5), torch.randn(4, 5))
    assert len(convolved) == 1
