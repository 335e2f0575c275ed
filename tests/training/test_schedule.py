import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from squadqa.errors import ConfigError
from squadqa.training.schedule import FLOOR, Decay, Plateau, learning_rate_factor


def factors(decay: Decay, *, total: int, warmup: int) -> list[float]:
    return [
        learning_rate_factor(step, total_steps=total, warmup_steps=warmup, decay=decay)
        for step in range(total + 2)
    ]


def test_without_warmup_and_decay_it_is_constant() -> None:
    assert factors("none", total=5, warmup=0) == [1.0] * 7


def test_linear() -> None:
    rates = factors("linear", total=10, warmup=0)
    assert rates[:11] == pytest.approx([FLOOR + (1 - FLOOR) * (1 - i / 10) for i in range(11)])


def test_cosine_is_halfway_in_the_middle() -> None:
    rates = factors("cosine", total=10, warmup=0)
    assert rates[5] == pytest.approx((1 + FLOOR) / 2)
    assert rates[1] > factors("linear", total=10, warmup=0)[1]


@pytest.mark.parametrize("decay", ["linear", "cosine"])
def test_falls_with_time_if_that_ends_first(decay: Decay) -> None:
    def at(step: int, *, spent: float, total: float = 10) -> float:
        return learning_rate_factor(
            step, total_steps=total, warmup_steps=0, decay=decay, budget_spent=spent
        )

    assert at(2, spent=0.5) == at(5, spent=0) == at(5, spent=0.2)
    assert at(2, spent=0.5, total=math.inf) == at(5, spent=0)
    assert at(2, spent=1) == pytest.approx(FLOOR)


def test_time_changes_no_constant_rate_and_no_warmup() -> None:
    def at(decay: Decay) -> float:
        return learning_rate_factor(
            1, total_steps=10, warmup_steps=4, decay=decay, budget_spent=0.9
        )

    assert at("none") == at("linear") == at("cosine") == 0.5


def test_warmup_rises_from_above_zero_to_the_whole_rate() -> None:
    assert factors("none", total=6, warmup=4) == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]


@given(st.sampled_from(["none", "linear", "cosine"]), st.integers(0, 30), st.integers(0, 40))
def test_never_zero_never_more_than_one(decay: Decay, total: int, warmup: int) -> None:
    rates = factors(decay, total=total, warmup=warmup)
    assert all(0 < rate <= 1 for rate in rates)
    falling = rates[warmup:]
    assert falling == sorted(falling, reverse=True)
    if decay != "none" and warmup < total:
        assert falling[0] == 1
        assert rates[total:] == pytest.approx([FLOOR, FLOOR])


# On a plateau


def shares(scores: list[float], *, factor: float = 0.1, patience: int = 1) -> list[float]:
    """The share of the learning rate after each evaluation."""
    plateau = Plateau(factor=factor, patience=patience)
    left = []
    for value in scores:
        plateau.update(value)
        left.append(plateau.share)
    return left


def test_over_steps_a_plateau_leaves_the_rate_alone() -> None:
    assert factors("plateau", total=6, warmup=4) == factors("none", total=6, warmup=4)


@pytest.mark.parametrize(
    ("scores", "patience", "expected"),
    [
        ([1, 2, 3], 1, [1, 1, 1]),
        ([3, 3, 4, 2, 1], 1, [1, 0.5, 0.5, 0.25, 0.125]),
        ([3, 2, 1, 2, 1], 2, [1, 1, 0.5, 0.5, 0.25]),
        ([3, 2, 4, 3, 3], 2, [1, 1, 1, 1, 0.5]),
        ([-5.0, -6.0, -4.5], 1, [1, 0.5, 0.5]),
    ],
)
def test_each_stall_cuts_the_rate(
    scores: list[float], patience: int, expected: list[float]
) -> None:
    assert shares(scores, factor=0.5, patience=patience) == expected


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 4))
def test_it_cuts_as_pytorch_does(scores: list[int], patience: int) -> None:
    """PyTorch's patience is one less: it counts the evaluations before the one that cuts."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="max", factor=0.5, patience=patience - 1, threshold=0, eps=0
    )
    expected = []
    for value in scores:
        theirs.step(value)
        expected.append(optimizer.param_groups[0]["lr"])
    assert shares([*scores], factor=0.5, patience=patience) == expected


def test_a_plateau_resumes_where_it_was() -> None:
    first, second = Plateau(factor=0.5, patience=2), Plateau(factor=0.5, patience=2)
    for value in (3, 3, 3, 2):
        first.update(value)
    second.load_state_dict(first.state_dict())
    for plateau in (first, second):
        plateau.update(2)
    assert second.share == first.share == 0.25
    assert second.state_dict() == first.state_dict()


@pytest.mark.parametrize(
    ("factor", "patience", "what"),
    [(0, 1, "plateau_factor cannot be 0"), (1, 1, "factor"), (0.1, 0, "plateau_patience cannot")],
)
def test_invalid_plateaus(factor: float, patience: int, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        Plateau(factor=factor, patience=patience)
