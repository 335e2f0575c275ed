from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from squadqa.nn import maxout
from squadqa.nn.maxout import Maxout


def make(pool_size: int = 3) -> Maxout:
    torch.manual_seed(0)
    return Maxout(5, 4, pool_size=pool_size).double()


def inputs(batch: int = 3, length: int = 2, *, pool_size: int = 3) -> tuple[Tensor, Tensor]:
    """A sequence and shifts, of which everything has a gradient."""
    shape, shifts = (batch, length, 5), (batch, pool_size * 4)
    return (
        torch.randn(shape, dtype=torch.float64, requires_grad=True),
        torch.randn(shifts, dtype=torch.float64, requires_grad=True),
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_equals_the_definition(batch: int, length: int, pool_size: int) -> None:
    layer = make(pool_size)
    sequence, shift = inputs(batch, length, pool_size=pool_size)
    result = layer(sequence, shift=shift)
    assert result.shape == (batch, length, 4)
    weight, bias = layer.pieces.weight.tolist(), layer.pieces.bias.tolist()
    for row, step in torch.cartesian_prod(torch.arange(batch), torch.arange(length)).tolist():
        x = sequence[row, step].tolist()
        for unit in range(4):
            pieces = []
            for place in range(unit, pool_size * 4, 4):
                product = sum(w * value for w, value in zip(weight[place], x, strict=True))
                pieces.append(product + bias[place] + shift[row, place].item())
            assert abs(result[row, step, unit].item() - max(pieces)) < 1e-9


def test_gradients() -> None:
    layer = make()
    sequence, shift = inputs()

    def changed(sequence: Tensor, shift: Tensor, *parameters: Tensor) -> Tensor:
        values = dict(zip(("pieces.weight", "pieces.bias"), parameters, strict=True))
        result: Tensor = torch.func.functional_call(layer, values, (sequence,), {"shift": shift})
        return result

    assert torch.autograd.gradcheck(changed, (sequence, shift, *layer.parameters()))


def test_rows_choose_of_a_product() -> None:
    layer = make()
    sequence, shift = inputs()
    rows = torch.tensor([2, 0])
    chosen, shift = sequence[rows], shift[rows]
    result = layer(chosen, shift=shift, product=layer.product(sequence), rows=rows)
    assert result.allclose(layer(chosen, shift=shift))


def paper_sized(*, bfloat16: bool) -> Maxout:
    """A layer of more pieces than a byte counts."""
    torch.manual_seed(0)
    return Maxout(5, 100, pool_size=16, bfloat16=bfloat16)


def gradients_of(layer: Maxout, largest: Tensor, sources: list[Tensor]) -> list[Tensor]:
    weights = torch.linspace(-1, 1, largest.numel()).view_as(largest)
    return list(torch.autograd.grad((largest * weights).sum(), [*sources, *layer.parameters()]))


def test_gradients_of_many_units() -> None:
    layer = paper_sized(bfloat16=False)
    sequence, shift = torch.randn(2, 3, 5).requires_grad_(), torch.randn(2, 1600).requires_grad_()
    pieces = layer.pieces(sequence) + shift[:, None]
    expected = pieces.unflatten(2, (16, 100)).amax(dim=2)
    result = layer(sequence, shift=shift)
    assert result.allclose(expected, atol=1e-5)
    for one, other in zip(
        gradients_of(layer, result, [sequence, shift]),
        gradients_of(layer, expected, [sequence, shift]),
        strict=True,
    ):
        assert one.allclose(other, atol=1e-5)


@pytest.mark.parametrize("has_product", [False, True])
def test_bfloat16_is_near(has_product: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maxout, "has_fast_bfloat16", lambda device: True)
    layer, exact = paper_sized(bfloat16=True), paper_sized(bfloat16=False)
    sequence, shift = torch.randn(8, 20, 5).requires_grad_(), torch.randn(8, 1600).requires_grad_()
    product = layer.product(sequence) if has_product else None
    result, expected = layer(sequence, shift=shift, product=product), exact(sequence, shift=shift)
    assert result.dtype == torch.float32
    assert not result.equal(expected)
    assert result.allclose(expected, rtol=2**-7, atol=0.02)
    for one, other in zip(
        gradients_of(layer, result, [sequence, shift]),
        gradients_of(exact, expected, [sequence, shift]),
        strict=True,
    ):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 0.1 * other.norm()  # another piece may have won


def test_bfloat16_is_for_training_on_fast_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, sequence = paper_sized(bfloat16=True), torch.randn(2, 3, 5)
    exact = paper_sized(bfloat16=False)(sequence)
    monkeypatch.setattr(maxout, "has_fast_bfloat16", lambda device: True)
    assert not layer(sequence).equal(exact)
    assert layer.eval()(sequence).equal(exact)
    monkeypatch.setattr(maxout, "has_fast_bfloat16", lambda device: False)
    assert layer.train()(sequence).equal(exact)


def test_of_equal_pieces_one_has_the_gradient() -> None:
    layer = make()
    torch.nn.init.zeros_(layer.pieces.weight)
    torch.nn.init.zeros_(layer.pieces.bias)
    sequence, _ = inputs()
    layer(sequence).sum().backward()
    assert layer.pieces.bias.grad is not None
    assert sorted(layer.pieces.bias.grad.tolist()) == [0.0] * 8 + [6.0] * 4


def test_keeps_no_pieces_for_the_gradient() -> None:
    layer = make(pool_size=16)
    sequence, _ = inputs(pool_size=16)
    kept: list[int] = []

    def pack(tensor: Tensor) -> Any:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        layer(sequence, product=layer.product(sequence))
    assert max(kept) == layer.pieces.weight.numel() < 3 * 2 * 16 * 4


def test_mixed_precision() -> None:
    layer = make().float()
    sequence = torch.randn(3, 2, 5, requires_grad=True)
    exact = layer(sequence)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = layer(sequence)
    assert rounded.allclose(exact, atol=0.05)
    rounded.sum().backward()
    assert sequence.grad is not None
    assert sequence.grad.isfinite().all()
    assert layer.pieces.weight.grad is not None
    assert layer.pieces.weight.grad.any()
