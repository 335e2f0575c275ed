import pytest
import torch
from torch import Tensor

from squadqa.nn.rnn import StackedBiRNN
from squadqa.nn.sru import SCALE, SRU, read_both_directions
from tests.support import equations
from tests.support.kernels import ragged


@pytest.mark.parametrize("input_size", [6, 5])
def test_equals_the_equations(input_size: int) -> None:
    torch.manual_seed(0)
    rnn = StackedBiRNN(input_size, 3, num_layers=2, cell="sru")
    for parameter in rnn.parameters():
        torch.nn.init.normal_(parameter)
    lengths = [4, 6, 1]
    mask, sequence = ragged(lengths), torch.randn(3, 6, input_size)
    encoded = rnn(sequence, mask)
    for row, length in enumerate(lengths):
        expected = torch.stack(equations.bisru(rnn, list(sequence[row, :length])))
        torch.testing.assert_close(encoded[row, :length], expected)


@pytest.mark.parametrize("batch", [1, 16])
def test_both_ways_to_multiply_give_the_same(batch: int) -> None:
    torch.manual_seed(0)
    rnn = StackedBiRNN(6, 3, num_layers=1, cell="sru")
    sequence, mask = torch.randn(1, 4, 6), ragged([3])
    alone = rnn(sequence, mask[:, :3].new_ones(1, 4))
    together = rnn(sequence.expand(batch, 4, 6), torch.ones(batch, 4, dtype=torch.bool))
    torch.testing.assert_close(together, alone.expand_as(together))


@pytest.mark.parametrize(("input_size", "products"), [(8, 3), (7, 4)])
def test_an_input_of_another_width_than_the_output_has_a_matrix_of_its_own(
    input_size: int, products: int
) -> None:
    assert SRU(input_size, 4).weight.shape == (products * 4, input_size)


def test_first_weights_have_the_papers_variances() -> None:
    torch.manual_seed(0)
    cell = SRU(300, 200)
    *products, highway = cell.weight.chunk(4)
    for weight, variance in zip([*products, highway], [1, 0.5, 0.5, SCALE**2], strict=True):
        assert weight.var().item() == pytest.approx(variance / 300, rel=0.05)
        assert weight.mean().item() == pytest.approx(0, abs=0.001)
    assert cell.state_weight.var().item() == pytest.approx(0.5, rel=0.2)
    assert not cell.bias.any()


def variances(input_size: int, *, enlarged: float = 1.0) -> Tensor:
    """The outputs' variances in each of five layers, of inputs of variance 1."""
    torch.manual_seed(0)
    rnn = StackedBiRNN(input_size, 64, num_layers=5, cell="sru", concat_layers=True)
    with torch.no_grad():
        for parameter in rnn.parameters():
            parameter.mul_(enlarged)
        encoded = rnn(torch.randn(8, 40, input_size), torch.ones(8, 40, dtype=torch.bool))
    return torch.stack([layer.var() for layer in encoded.chunk(5, dim=2)])


@pytest.mark.parametrize("input_size", [128, 50])
def test_variance_stays_over_five_layers(input_size: int) -> None:
    layers = variances(input_size)
    assert (layers > 0.5).all() and (layers < 1.6).all(), layers
    assert variances(input_size, enlarged=3.0)[-1] > 3  # that is not so for any weights


def test_gradients_reach_the_first_layer_undiminished() -> None:
    torch.manual_seed(0)
    rnn = StackedBiRNN(128, 64, num_layers=5, cell="sru")
    sequence = torch.randn(8, 40, 128, requires_grad=True)
    encoded = rnn(sequence, torch.ones(8, 40, dtype=torch.bool))
    (gradient,) = torch.autograd.grad((encoded * torch.randn_like(encoded)).sum(), sequence)
    assert 0.5 < gradient.var().item() < 3


def test_reads_a_sequence_that_lies_otherwise_in_memory() -> None:
    torch.manual_seed(0)
    cells = SRU(6, 3), SRU(6, 3)
    sequence, mask = torch.randn(2, 4, 6), ragged([4, 2])
    encoded = read_both_directions(*cells, sequence, mask)
    turned = sequence.transpose(0, 1).contiguous().transpose(0, 1)
    assert encoded.equal(read_both_directions(*cells, turned, mask))
