import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.training.schedule import FLOOR, Decay, learning_rate_factor


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
