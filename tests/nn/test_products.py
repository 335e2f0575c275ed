import pytest
import torch

from squadqa.nn.products import accumulator, has_fast_bfloat16, product

every_precision = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


@every_precision
def test_product_is_with_the_transpose(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    left, right = torch.randn(5, 7, dtype=dtype), torch.randn(6, 7, dtype=dtype)
    expected = torch.einsum("nd,ed->ne", left, right)
    assert product(left, right).allclose(expected, atol=1e-5)
    # Matrices that lie otherwise in memory.
    assert product(left.t().contiguous().t(), right.t().contiguous().t()).allclose(
        expected, atol=1e-5
    )


@every_precision
def test_accumulator_adds_in_place(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    weight, start = torch.randn(6, 7, dtype=dtype), torch.randn(5, 6, dtype=dtype)
    sums, expected = start.clone(), start
    add = accumulator(weight.t().contiguous().t(), rows=5)
    for _ in range(2):
        inputs = torch.randn(5, 7, dtype=dtype)
        assert add(sums, inputs) is sums
        expected = expected + inputs @ weight.t()
    assert sums.allclose(expected, atol=1e-5)


def test_product_in_bfloat16() -> None:
    torch.manual_seed(0)
    left, right = torch.randn(5, 7), torch.randn(6, 7)
    rounded = product(left.bfloat16(), right.bfloat16())
    assert rounded.dtype == torch.bfloat16
    assert rounded.float().allclose(left @ right.t(), atol=0.1)


def test_no_device_without_data_is_fast() -> None:
    assert not has_fast_bfloat16(torch.device("meta"))
