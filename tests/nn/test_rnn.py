from typing import Literal, get_args

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from squadqa.errors import ConfigError
from squadqa.nn.rnn import CELLS, Cell, StackedBiRNN
from tests.support.kernels import ragged


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("num_layers", [1, 3])
def test_equals_torch_with_packing(cell: Literal["lstm", "gru"], num_layers: int) -> None:
    torch.manual_seed(0)
    ours = StackedBiRNN(5, 4, num_layers=num_layers, cell=cell)
    kind = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
    theirs = kind(5, 4, num_layers=num_layers, bidirectional=True, batch_first=True)
    pairs = []
    for layer in range(num_layers):
        for rnn, ending in ((ours.forwards[layer], ""), (ours.backwards[layer], "_reverse")):
            for name, weight in rnn.named_parameters():
                pairs.append(
                    (weight, theirs.get_parameter(name.replace("l0", f"l{layer}") + ending))
                )
    for weight, same in pairs:
        same.data = weight.data
    lengths = [4, 7, 1]
    mask = ragged(lengths)
    one = torch.randn(3, 7, 5, requires_grad=True)
    other = one.detach().clone().requires_grad_()
    encoded = ours(one, mask) * mask[:, :, None]
    packed = pack_padded_sequence(other, torch.tensor(lengths), True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True)
    assert encoded.allclose(expected, atol=1e-6)
    weights = torch.randn_like(expected)
    (encoded * weights).sum().backward()
    (expected * weights).sum().backward()
    for left, right in [(one, other), *pairs]:
        assert left.grad is not None
        assert right.grad is not None
        assert left.grad.allclose(right.grad, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_what_stands_on_padding_changes_nothing(cell: Cell) -> None:
    torch.manual_seed(0)
    rnn = StackedBiRNN(3, 2, num_layers=2, cell=cell, concat_layers=True)
    mask = ragged([2, 5])
    sequence = torch.randn(2, 5, 3)
    other = torch.where(mask[:, :, None], sequence, 100.0)
    encoded = rnn(sequence, mask)
    assert encoded[mask].equal(rnn(other, mask)[mask])
    alone = rnn(sequence[:1, :2], mask[:1, :2])
    assert alone.allclose(encoded[:1, :2], atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_layers_side_by_side(cell: Cell) -> None:
    torch.manual_seed(0)
    joined = StackedBiRNN(3, 4, num_layers=3, cell=cell, concat_layers=True)
    last = StackedBiRNN(3, 4, num_layers=3, cell=cell)
    last.load_state_dict(joined.state_dict())
    sequence, mask = torch.randn(2, 5, 3), ragged([5, 3])
    assert (joined.output_size, last.output_size) == (24, 8)
    assert joined(sequence, mask).shape == (2, 5, 24)
    assert joined(sequence, mask)[:, :, 16:].equal(last(sequence, mask))


@pytest.mark.parametrize("cell", CELLS)
def test_drops_in_training_only(cell: Cell) -> None:
    torch.manual_seed(0)
    rnn = StackedBiRNN(3, 4, num_layers=2, cell=cell, dropout=0.5, variational=True)
    sequence, mask = torch.ones(2, 5, 3), ragged([5, 3])
    assert not rnn(sequence, mask).equal(rnn(sequence, mask))
    rnn.eval()
    assert rnn(sequence, mask).equal(rnn(sequence, mask))


@pytest.mark.parametrize("cell", CELLS)
def test_padded_row_is_finite(cell: Cell) -> None:
    encoded = StackedBiRNN(3, 4, num_layers=2, cell=cell)(torch.randn(2, 5, 3), ragged([5, 0]))
    assert encoded.isfinite().all()


def test_the_same_features_are_dropped_at_every_step_of_an_sru() -> None:
    torch.manual_seed(0)
    rnn = StackedBiRNN(6, 3, num_layers=2, cell="sru", dropout=0.5, variational=True)
    read = []
    rnn.dropout.register_forward_hook(lambda module, inputs, output: read.append((inputs, output)))
    rnn(torch.ones(2, 5, 6), ragged([5, 3]))
    for (whole,), dropped in read:
        kept = dropped != 0
        assert kept.equal(kept[:, :1].expand_as(kept) & (whole != 0))
        assert not kept.all()


def test_an_unknown_cell_is_refused() -> None:
    with pytest.raises(ConfigError, match='cell cannot be "sro"\nDid you mean "sru"'):
        StackedBiRNN(3, 4, num_layers=1, cell="sro")  # type: ignore[arg-type]


def test_what_is_known_of_each_cell() -> None:
    cells: dict[Cell, StackedBiRNN] = {
        cell: StackedBiRNN(3, 4, num_layers=1, cell=cell) for cell in get_args(Cell)
    }
    assert list(cells) == list(CELLS)
    assert [cell for cell, rnn in cells.items() if rnn.mixes_on_cpu] == ["gru", "sru"]
    assert [cell for cell, rnn in cells.items() if rnn.keeps_variance] == ["sru"]


def stack(layer_dropout: float) -> StackedBiRNN:
    torch.manual_seed(0)
    return StackedBiRNN(
        3, 4, num_layers=2, cell="sru", concat_layers=True, layer_dropout=layer_dropout
    )


def test_some_sequences_pass_by_a_layer_that_keeps_their_width() -> None:
    sequence, mask = torch.randn(60, 5, 3), torch.ones(60, 5, dtype=torch.bool)
    usual, dropping = stack(0.0), stack(0.5)
    first, second = usual(sequence, mask).chunk(2, dim=2)
    other_first, other_second = dropping(sequence, mask).chunk(2, dim=2)
    assert other_first.equal(first)  # its input is narrower
    passed = other_second.eq(first).all(dim=2).all(dim=1)
    assert 15 < passed.sum() < 45
    assert other_second[~passed].allclose(second[~passed], atol=1e-6)


def test_in_evaluation_no_sequence_passes_by_but_layers_count_for_less() -> None:
    sequence, mask = torch.randn(2, 5, 3), ragged([5, 3])
    first, second = stack(0.0).eval()(sequence, mask).chunk(2, dim=2)
    _, weaker = stack(0.25).eval()(sequence, mask).chunk(2, dim=2)
    assert weaker.allclose(0.25 * first + 0.75 * second, atol=1e-6)


@pytest.mark.parametrize("share", [-0.1, 1])
def test_not_every_layer_can_be_dropped(share: float) -> None:
    with pytest.raises(ConfigError, match=f"layer_dropout cannot be {share}"):
        stack(share)
