"""Stacked bidirectional RNNs that padding does not change. Letters: B batch, L length, D width."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from squadqa.errors import ConfigError, did_you_mean
from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.kernels.available import is_exporting
from squadqa.nn.kernels.directions import Directions, reversal, reverse
from squadqa.nn.kernels.gru import gru_states
from squadqa.nn.kernels.products import linear
from squadqa.nn.sru import SRU, read_both_directions

Cell = Literal["lstm", "gru", "sru"]
"""Names of recurrent cells."""

CELLS: dict[str, type[nn.Module]] = {"lstm": nn.LSTM, "gru": nn.GRU, "sru": SRU}


def both_directions(forwards: nn.Module, backwards: nn.Module, name: str) -> Tensor:
    """Stack the parameters of one name of two directions, (2, ...)."""
    return torch.stack([forwards.get_parameter(name), backwards.get_parameter(name)])


def _read_together(
    forwards: nn.Module, backwards: nn.Module, sequence: Tensor, directions: Directions
) -> Tensor:
    """Step through (B, L, D) by two GRUs at once, giving (B, L, 2H): faster on a CPU."""
    both = partial(both_directions, forwards, backwards)
    weight, bias = both("weight_ih_l0").flatten(0, 1), both("bias_ih_l0").flatten()  # (6H, D)
    inputs = directions.to_steps(linear(sequence, weight, bias))  # (2, L, B, 3H)
    state_weight = both("weight_hh_l0").transpose(1, 2)  # (2, H, 3H)
    return directions.to_sequence(gru_states(inputs, state_weight, both("bias_hh_l0")[:, None]))


def _read_in_turn(
    forwards: nn.Module, backwards: nn.Module, sequence: Tensor, permutation: Tensor
) -> Tensor:
    """Read (B, L, D) by a whole-sequence call of each direction, giving (B, L, 2H)."""
    forward_states, _ = forwards(sequence)  # (B, L, H)
    backward_states, _ = backwards(reverse(sequence, permutation))  # (B, L, H)
    return torch.cat([forward_states, reverse(backward_states, permutation)], dim=2)


class StackedBiRNN(nn.Module):
    """Layers of bidirectional RNNs, each read by the next; whole-sequence calls, no packing.

    The backward direction reads each sequence reversed in its own length. So padding always comes
    after the tokens and never reaches them, as with packing, whatever the order of lengths.

    Args:
        input_size: D of the input.
        hidden_size: Width of a direction.
        num_layers: Layers.
        cell: "lstm", "gru" or "sru".
        dropout: Share of each layer's input that is dropped in training.
        variational: Drop the same features at every step of a sequence.
        concat_layers: Return all layers' outputs joined, not the last one's alone.
        layer_dropout: Share of sequences that pass by a layer in training, if it keeps their width;
            in evaluation such a layer's outputs have this share of its inputs (Huang et al., 2016,
            Deep Networks with Stochastic Depth, arXiv 1603.09382).

    Raises:
        ConfigError: There is no such cell, or a share is out of its range.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int,
        cell: Cell = "lstm",
        dropout: float = 0.0,
        variational: bool = False,
        concat_layers: bool = False,
        layer_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= layer_dropout < 1:
            raise ConfigError(
                f"layer_dropout cannot be {layer_dropout}", hint="It is 0 or more, under 1."
            )
        if cell not in CELLS:
            raise ConfigError(f'cell cannot be "{cell}"', hint=did_you_mean(cell, CELLS))
        make = SRU if cell == "sru" else partial(CELLS[cell], batch_first=True)
        self.forwards, self.backwards = (
            nn.ModuleList(
                make(2 * hidden_size if layer else input_size, hidden_size)
                for layer in range(num_layers)
            )
            for _ in range(2)
        )
        self.cell = cell
        self.dropout = SequenceDropout(dropout, variational=variational)
        self.concat_layers = concat_layers
        self.layer_dropout = layer_dropout
        self.output_size = 2 * hidden_size * (num_layers if concat_layers else 1)

    @property
    def keeps_variance(self) -> bool:
        """Whether the first outputs vary as the input does: other cells' are much smaller."""
        return self.cell == "sru"

    @property
    def mixes_on_cpu(self) -> bool:
        """Whether every CPU can train it in mixed precision: not as torch's LSTM."""
        return self.cell != "lstm"

    def forward(self, sequence: Tensor, mask: Tensor) -> Tensor:
        """Encode padded sequences.

        Args:
            sequence: (B, L, D).
            mask: (B, L) bool, True on a token.

        Returns:
            (B, L, output_size); what stands on padding means nothing.
        """
        read: Callable[..., Tensor]
        if self.cell == "sru":
            read = partial(read_both_directions, mask=mask)
        elif self.cell == "gru" and sequence.device.type == "cpu" and not is_exporting():
            read = partial(_read_together, directions=Directions(mask))
        else:
            read = partial(_read_in_turn, permutation=reversal(mask))
        outputs = []
        for forwards, backwards in zip(self.forwards, self.backwards, strict=True):
            encoded = read(forwards, backwards, self.dropout(sequence))  # (B, L, 2 * hidden)
            sequence = self._pass_by(sequence, encoded) if self.layer_dropout else encoded
            outputs.append(sequence)
        return torch.cat(outputs, dim=2) if self.concat_layers else sequence

    def _pass_by(self, sequence: Tensor, encoded: Tensor) -> Tensor:
        """Give some sequences a layer's input in place of its output, both (B, L, D)."""
        if sequence.shape != encoded.shape:
            return encoded
        kept = 1 - self.layer_dropout
        if not self.training:
            return sequence.lerp(encoded.to(sequence), kept)
        return encoded.where(torch.rand(len(encoded), 1, 1, device=encoded.device) < kept, sequence)
