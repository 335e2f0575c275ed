import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from squadqa.nn.gru import Directions, _GRUSteps, bidirectional_gru
from tests.support import slow


@given(st.lists(st.integers(0, 5), min_size=1, max_size=3))
def test_steps_of_both_directions(lengths: list[int]) -> None:
    width = max(1, *lengths)
    mask = torch.arange(width) < torch.tensor(lengths)[:, None]
    directions = Directions(mask)
    sequence = torch.arange(len(lengths) * width * 4.0).view(len(lengths), width, 4)
    steps = directions.to_steps(sequence)
    assert steps.shape == (2, width, len(lengths), 2)
    for row, length in enumerate(lengths):
        assert steps[0, :, row].equal(sequence[row, :, :2])
        assert steps[1, :length, row].equal(sequence[row, :length, 2:].flip(0))
        assert steps[1, length:, row].equal(sequence[row, length:, 2:])
    assert directions.to_sequence(steps).equal(sequence)


def test_gradient_of_the_reordering() -> None:
    directions = Directions(torch.tensor([[True, True, True], [True, False, False]]))
    sequence = torch.randn(2, 3, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(directions.to_steps, (sequence,))
    steps = torch.randn(2, 3, 2, 2, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(directions.to_sequence, (steps,))


def test_gradient_of_the_steps() -> None:
    torch.manual_seed(0)
    sizes = [(2, 4, 2, 6), (2, 2, 6), (2, 1, 6)]  # inputs, weight, bias
    tensors = [torch.randn(size, dtype=torch.double, requires_grad=True) for size in sizes]
    assert torch.autograd.gradcheck(_GRUSteps.apply, tensors)


def test_equals_the_equations() -> None:
    torch.manual_seed(0)
    ahead, back = nn.GRU(3, 4), nn.GRU(3, 4)
    lengths = [5, 2]
    mask = torch.arange(5) < torch.tensor(lengths)[:, None]
    sequence = torch.randn(2, 5, 3)
    encoded = bidirectional_gru(ahead, back, sequence, Directions(mask))
    for row, length in enumerate(lengths):
        tokens = list(sequence[row, :length])
        expected = [slow.gru(ahead, tokens), slow.gru(back, tokens[::-1])[::-1]]
        for token in range(length):
            joined = torch.cat([states[token] for states in expected])
            assert encoded[row, token].allclose(joined, atol=1e-6)
