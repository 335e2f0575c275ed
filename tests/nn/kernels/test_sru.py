from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.nn.kernels.sru import OPERATORS, SRUOutputs, sru, sru_plain
from tests.support.kernels import Remove, SRUInputs, assert_same, draw_sru, ragged

LENGTHS = [5, 1, 4]


def both_forms(inputs: SRUInputs, *, tolerance: float = 1e-9) -> None:
    """Compare the values and gradients of the fast form with those of the plain one."""
    assert_same(
        inputs.applied(sru),
        inputs.applied(sru_plain),
        inputs.tensors,
        where=inputs.where,
        tolerance=tolerance,
    )


@pytest.mark.parametrize("has_highway", [True, False])
@pytest.mark.parametrize("lengths", [LENGTHS, [1], [3, 0]], ids=str)
def test_fast_equals_plain(has_highway: bool, lengths: list[int]) -> None:
    both_forms(draw_sru(lengths, has_highway=has_highway))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=4))
@settings(max_examples=20)
def test_any_lengths(lengths: list[int]) -> None:
    both_forms(draw_sru(lengths, has_highway=True))


@pytest.mark.parametrize("has_highway", [True, False])
def test_fast_form_has_its_own_gradient(has_highway: bool) -> None:
    inputs = draw_sru([3, 1], has_highway=has_highway)
    outputs = inputs.applied(sru)(*inputs.tensors)
    assert type(outputs.grad_fn).__name__ == "SRUOutputsBackward"
    assert torch.autograd.gradcheck(inputs.applied(sru), inputs.tensors)


@pytest.mark.parametrize("missing", [*OPERATORS, SRUOutputs])
def test_without_an_operator_or_the_fast_form(missing: Any, remove: Remove) -> None:
    inputs = draw_sru(LENGTHS, has_highway=True)
    remove(missing)
    both_forms(inputs, tolerance=0)


@pytest.mark.parametrize("form", [sru, sru_plain])
def test_what_stands_on_padding_changes_nothing(form: Any) -> None:
    inputs = draw_sru(LENGTHS, has_highway=True)
    products, *others = (each.detach() for each in inputs.tensors)
    padding = ~inputs.mask.t()[:, :, None, None, None]
    before = inputs.applied(form)(products, *others)
    after = inputs.applied(form)(products.masked_fill(padding, 100.0), *others)
    where = inputs.where.expand_as(before)
    assert before[where].equal(after[where])
    assert after.isfinite().all()


def test_a_direction_reads_what_stands_before_a_token_or_after_it() -> None:
    inputs = draw_sru([4], has_highway=False)
    products, weight, bias = (each.detach() for each in inputs.tensors)
    other = products.clone()
    other[2] += 1.0
    one, two = (sru(each, None, ragged([4]), weight, bias, scale=1.0) for each in (products, other))
    changed = (one != two).any(dim=(1, 3))  # (L, 2)
    assert changed.tolist() == [[False, True], [False, True], [True, True], [True, False]]


def test_mixed_precision_computes_in_float32() -> None:
    inputs = draw_sru(LENGTHS, has_highway=True, dtype=torch.float32)
    halved = [each.detach().bfloat16().requires_grad_() for each in inputs.tensors]
    expected = inputs.applied(sru)(*(each.float() for each in halved))
    with torch.autocast("cpu", torch.bfloat16):
        outputs = inputs.applied(sru)(*halved)
    assert outputs.dtype == torch.float32
    assert outputs.equal(expected)
    (gradient,) = torch.autograd.grad(outputs.sum(), halved[:1])
    assert gradient.dtype == torch.bfloat16
