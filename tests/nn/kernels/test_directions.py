import torch
from hypothesis import given
from hypothesis import strategies as st

from squadqa.nn.kernels.directions import (
    Directions,
    permute_rows,
    permute_rows_plain,
    reversal,
    reverse,
)
from tests.support.kernels import assert_same, draw, ragged

LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=4)


@given(st.permutations(range(5)))
def test_permuting_equals_the_plain_form(order: list[int]) -> None:
    permutation = torch.tensor(order)
    inverse = permutation.argsort()
    assert_same(
        lambda rows: permute_rows(rows, permutation, inverse),
        lambda rows: permute_rows_plain(rows, permutation),
        [draw(5, 2)],
        tolerance=0,
    )


@given(LENGTHS)
def test_reverses_each_sequence_in_its_own_length(lengths: list[int]) -> None:
    mask = ragged(lengths)
    sequence = torch.arange(mask.numel() * 2.0).view(*mask.shape, 2)
    permutation = reversal(mask)
    turned = reverse(sequence, permutation)
    for row, length in enumerate(lengths):
        assert turned[row, :length].equal(sequence[row, :length].flip(0))
        assert turned[row, length:].equal(sequence[row, length:])
    assert reverse(turned, permutation).equal(sequence)


def test_gradient_of_the_reversal() -> None:
    permutation = reversal(ragged([3, 1, 0, 4]))
    assert torch.autograd.gradcheck(lambda s: reverse(s, permutation), (draw(4, 4, 2),))


@given(LENGTHS)
def test_steps_of_both_directions(lengths: list[int]) -> None:
    mask = ragged(lengths)
    width = mask.shape[1]
    directions = Directions(mask)
    sequence = torch.arange(mask.numel() * 4.0).view(*mask.shape, 4)
    steps = directions.to_steps(sequence)
    assert steps.shape == (2, width, len(lengths), 2)
    for row, length in enumerate(lengths):
        assert steps[0, :, row].equal(sequence[row, :, :2])
        assert steps[1, :length, row].equal(sequence[row, :length, 2:].flip(0))
        assert steps[1, length:, row].equal(sequence[row, length:, 2:])
    assert directions.to_sequence(steps).equal(sequence)


def test_gradient_of_the_steps_order() -> None:
    directions = Directions(ragged([3, 1]))
    assert torch.autograd.gradcheck(directions.to_steps, (draw(2, 3, 4),))
    assert torch.autograd.gradcheck(directions.to_sequence, (draw(2, 3, 2, 2),))
