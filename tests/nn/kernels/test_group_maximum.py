from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from squadqa.nn.kernels.group_maximum import GroupMaximum, group_maximum, group_maximum_plain
from tests.support.kernels import Remove, assert_same, draw


@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.integers(0, 2**32))
def test_fast_equals_plain(groups: list[int], seed: int) -> None:
    index = torch.tensor(groups)
    random = torch.Generator().manual_seed(seed)
    # Few distinct numbers: rows share their group's maximum, and its gradient.
    rows = torch.randint(-2, 3, (len(groups), 3), generator=random).double().requires_grad_()
    assert_same(
        lambda each: group_maximum(each, index, 5),
        lambda each: group_maximum_plain(each, index, 5),
        [rows],
    )


def test_fast_form_has_its_own_gradient() -> None:
    groups = torch.tensor([0, 3, 0, 1, 3])
    assert torch.autograd.gradcheck(lambda rows: GroupMaximum.apply(rows, groups, 5), draw(5, 2))


@pytest.mark.parametrize("maximum", [group_maximum, group_maximum_plain])
def test_an_empty_group_has_zeros(maximum: Callable[[Tensor, Tensor, int], Tensor]) -> None:
    rows = torch.tensor([[-1.0], [-2.0]])
    assert maximum(rows, torch.tensor([2, 2]), 3).tolist() == [[0.0], [0.0], [-1.0]]


def test_without_the_fast_form(remove: Remove) -> None:
    remove(GroupMaximum)
    rows = torch.tensor([[1.0], [3.0], [2.0]])
    assert group_maximum(rows, torch.tensor([1, 1, 0]), 2).tolist() == [[2.0], [3.0]]
