from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from squadqa.nn.kernels.gru import (
    STEP_OPERATORS,
    GRUStates,
    gru_states,
    gru_states_plain,
    new_state_first,
)
from tests.support.kernels import Remove, assert_same, draw


def drawn() -> list[Tensor]:
    """Inputs, weight and bias of 4 steps, 3 sequences and states 2 wide."""
    torch.manual_seed(0)
    return [draw(2, 4, 3, 6), draw(2, 2, 6), draw(2, 1, 6)]


def test_fast_equals_plain() -> None:
    assert_same(gru_states, gru_states_plain, drawn())


def test_fast_form_has_its_own_gradient() -> None:
    inputs = drawn()
    assert torch.autograd.gradcheck(GRUStates.apply, inputs)
    weight = inputs[1]
    assert new_state_first(weight).equal(torch.cat([weight[..., 4:], weight[..., :4]], dim=2))


@pytest.mark.parametrize("missing", [*STEP_OPERATORS, GRUStates])
def test_without_an_operator_or_the_fast_form(missing: Any, remove: Remove) -> None:
    remove(missing)
    assert_same(gru_states, gru_states_plain, drawn(), tolerance=0)


def test_one_step_and_one_sequence() -> None:
    inputs = [draw(2, 1, 1, 6), draw(2, 2, 6), draw(2, 1, 6)]
    assert_same(gru_states, gru_states_plain, inputs)


@pytest.mark.parametrize("states", [gru_states, gru_states_plain])
def test_equals_the_gru_of_torch(states: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    directions = [nn.GRU(5, 2).double() for _ in range(2)]
    sequence = torch.randn(2, 4, 3, 5, dtype=torch.float64)

    def both(name: str) -> Tensor:
        return torch.stack([each.get_parameter(name) for each in directions])

    inputs = sequence @ both("weight_ih_l0")[:, None].mT + both("bias_ih_l0")[:, None, None]
    states_of_both = states(inputs, both("weight_hh_l0").mT, both("bias_hh_l0")[:, None])
    for direction, steps, ours in zip(directions, sequence, states_of_both, strict=True):
        torch.testing.assert_close(ours, direction(steps)[0])
