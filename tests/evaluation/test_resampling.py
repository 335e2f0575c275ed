"""Intervals and tests of paired scores, against plain loops and known cases."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.evaluation.resampling import (
    group_estimates,
    mcnemar,
    mean_estimates,
    resampled_sums,
    sign_test,
)

RANDOM = np.random.default_rng(1)


def test_columns_are_summed_over_the_same_questions() -> None:
    values = RANDOM.random((30, 2))
    columns = np.stack([values[:, 0], values[:, 1], values[:, 0] - values[:, 1], np.ones(30)], 1)
    sums = resampled_sums(columns, samples=50)
    np.testing.assert_allclose(sums[:, 0] - sums[:, 1], sums[:, 2])
    np.testing.assert_allclose(sums[:, 3], 30)  # each draw has as many questions
    assert len(np.unique(sums[:, 0])) == 50


def test_draws_are_the_same_for_a_seed_however_they_are_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = RANDOM.random((7, 1))
    whole = resampled_sums(columns, samples=20, seed=3)
    assert (resampled_sums(columns, samples=20, seed=3) == whole).all()
    assert (resampled_sums(columns, samples=20, seed=4) != whole).any()
    monkeypatch.setattr("squadqa.evaluation.resampling.AT_ONCE", 21)
    np.testing.assert_allclose(resampled_sums(columns, samples=20, seed=3), whole)


def test_the_interval_is_that_of_the_normal_distribution_for_many_questions() -> None:
    values = RANDOM.normal(10.0, 4.0, (4000, 1))
    (found,) = mean_estimates(values)
    error = 4.0 / 4000**0.5
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


def test_a_constant_has_no_width() -> None:
    (found,) = mean_estimates(np.full((9, 1), 2.5))
    assert (found.value, found.low, found.high) == (2.5, 2.5, 2.5)


def test_groups_have_their_own_means() -> None:
    values = np.array([[1.0], [3.0], [100.0]])
    members = np.array([[1, 0], [1, 0], [0, 1]], bool)
    ((first,), (second,)) = group_estimates(values, members, samples=300)
    assert (first.value, second.value) == (2, 100)
    assert (first.low, first.high) == (1, 3)
    assert (second.low, second.high) == (100, 100)  # draws without the question do not count


def test_mcnemar_counts_only_what_one_of_them_has_right() -> None:
    both, neither = np.ones(40, bool), np.zeros(40, bool)
    first = np.concatenate([both, neither, np.ones(5, bool), np.zeros(1, bool)])
    second = np.concatenate([both, neither, np.zeros(5, bool), np.ones(1, bool)])
    # 6 questions, split 5 to 1: 2 * (1 + 6) / 2 ** 6
    assert mcnemar(first, second) == mcnemar(second, first) == pytest.approx(14 / 64)
    assert mcnemar(first, first) == 1


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=9))
def test_random_signs_give_the_exact_p_value(differences: list[float]) -> None:
    found = abs(sum(differences))
    signs = itertools.product([-1, 1], repeat=len(differences))
    sums = [abs(sum(a * b for a, b in zip(some, differences, strict=True))) for some in signs]
    exact = sum(one >= found - 1e-12 for one in sums) / len(sums)
    assert sign_test(np.array(differences)) == pytest.approx(exact, abs=0.03)


def test_equal_systems_do_not_differ() -> None:
    assert sign_test(np.zeros(5)) == 1
