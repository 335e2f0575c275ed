"""What papers' equations take as given, token by token, to check fast layers against."""

import torch
from torch import Tensor, nn

from squadqa.nn.rnn import StackedBiRNN


def lstm(cell: nn.LSTM, inputs: list[Tensor]) -> list[Tensor]:
    """The states h_t that an LSTM goes through: one layer, one direction."""
    state = memory = torch.zeros(cell.hidden_size)
    states = []
    for x in inputs:
        read = cell.weight_ih_l0 @ x + cell.bias_ih_l0
        read = read + cell.weight_hh_l0 @ state + cell.bias_hh_l0
        let_in, keep, new, let_out = read.chunk(4)
        memory = keep.sigmoid() * memory + let_in.sigmoid() * new.tanh()
        state = let_out.sigmoid() * memory.tanh()
        states.append(state)
    return states


def bilstm(rnn: StackedBiRNN, inputs: list[Tensor]) -> list[Tensor]:
    """The outputs of the last of a stack's layers, both directions of a step side by side."""
    for ahead, back in zip(rnn.forwards, rnn.backwards, strict=True):
        assert isinstance(ahead, nn.LSTM)
        assert isinstance(back, nn.LSTM)
        behind = lstm(back, inputs[::-1])[::-1]
        inputs = [torch.cat(pair) for pair in zip(lstm(ahead, inputs), behind, strict=True)]
    return inputs
