"""Stacked bidirectional RNNs that padding does not change. Letters: B batch, L length, D width."""

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.gru import Directions, TakeRows, bidirectional_gru


def reversal(mask: Tensor) -> Tensor:
    """Give the permutation that reverses each sequence and leaves its padding at the end.

    Args:
        mask: (B, L) bool, True on a token.

    Returns:
        (B * L,) row numbers of the flattened batch; applied twice it changes nothing.
    """
    steps = torch.arange(mask.shape[1], device=mask.device)  # (L,)
    reversed_steps = mask.sum(dim=1, keepdim=True) - 1 - steps  # (B, L)
    steps = torch.where(mask, reversed_steps, steps)
    rows = torch.arange(mask.shape[0], device=mask.device)[:, None] * mask.shape[1]
    return (rows + steps).flatten()


def reverse(sequence: Tensor, permutation: Tensor) -> Tensor:
    """Reverse each sequence of a batch in its own length.

    Args:
        sequence: (B, L, D).
        permutation: (B * L,) from `reversal`.
    """
    reversed_: Tensor = TakeRows.apply(sequence.flatten(0, 1), permutation, permutation)
    return reversed_.view_as(sequence)


def _read_whole(
    forwards: nn.Module, backwards: nn.Module, sequence: Tensor, permutation: Tensor
) -> Tensor:
    """Read (B, L, D) in both directions by a whole-sequence call of each, giving (B, L, 2H)."""
    ahead, _ = forwards(sequence)  # (B, L, H)
    behind, _ = backwards(reverse(sequence, permutation))  # (B, L, H)
    return torch.cat([ahead, reverse(behind, permutation)], dim=2)


class StackedBiRNN(nn.Module):
    """Layers of bidirectional RNNs, each read by the next; whole-sequence calls, no packing.

    The backward direction reads each sequence reversed in its own length, so padding is always
    behind the tokens and never reaches them, as with packing, whatever the order of lengths.

    Args:
        input_size: D of the input.
        hidden_size: Width of a direction.
        num_layers: Layers.
        cell: "lstm" or "gru".
        dropout: Share of each layer's input that is dropped in training.
        variational: Drop the same features at every step of a sequence.
        concat_layers: Give all layers' outputs joined, not the last one's alone.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int,
        cell: Literal["lstm", "gru"] = "lstm",
        dropout: float = 0.0,
        variational: bool = False,
        concat_layers: bool = False,
    ) -> None:
        super().__init__()
        rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        sizes = [input_size] + [2 * hidden_size] * (num_layers - 1)
        self.forwards = nn.ModuleList(rnn(size, hidden_size, batch_first=True) for size in sizes)
        self.backwards = nn.ModuleList(rnn(size, hidden_size, batch_first=True) for size in sizes)
        self.cell = cell
        self.dropout = SequenceDropout(dropout, variational=variational)
        self.concat_layers = concat_layers
        self.output_size = 2 * hidden_size * (num_layers if concat_layers else 1)

    def forward(self, sequence: Tensor, mask: Tensor) -> Tensor:
        """Encode padded sequences.

        Args:
            sequence: (B, L, D).
            mask: (B, L) bool, True on a token.

        Returns:
            (B, L, output_size); what stands on padding means nothing.
        """
        if self.cell == "gru" and not sequence.is_cuda:
            read = partial(bidirectional_gru, directions=Directions(mask))
        else:
            read = partial(_read_whole, permutation=reversal(mask))
        outputs = []
        for forwards, backwards in zip(self.forwards, self.backwards, strict=True):
            sequence = read(forwards, backwards, self.dropout(sequence))  # (B, L, 2 * hidden)
            outputs.append(sequence)
        return torch.cat(outputs, dim=2) if self.concat_layers else sequence
