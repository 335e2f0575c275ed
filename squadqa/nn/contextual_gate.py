"""The TR gate: embeddings that an RNN revises by their neighbours.

Reference: Salant and Berant, 2018, Contextualized Word Representations for Reading Comprehension
(arXiv 1712.03609), section 3.

Letters: B batch, L length, D width of the embeddings, H width of a direction.
"""

import torch
from torch import Tensor, nn

from squadqa.nn.kernels.products import linear
from squadqa.nn.rnn import Cell, StackedBiRNN


class ContextualGate(nn.Module):
    """Each embedding x, as far as a gate lets it be, replaced by what its neighbours make of it.

        x' = g * x + (1 - g) * t,    g = sigmoid(W [x; h] + b),    t = tanh(W' [x; h] + b')

    with h the outputs of a bidirectional RNN over the text.

    Args:
        size: D.
        hidden_size: H.
        num_layers: Layers of the RNN.
        cell: Cell of the RNN.
        dropout: Share of each layer's input dropped in training.
        variational: Drop the same features at every step of a sequence.
    """

    def __init__(
        self,
        size: int,
        hidden_size: int,
        *,
        num_layers: int = 2,
        cell: Cell = "lstm",
        dropout: float = 0.0,
        variational: bool = False,
    ) -> None:
        super().__init__()
        self.rnn = StackedBiRNN(
            size,
            hidden_size,
            num_layers=num_layers,
            cell=cell,
            dropout=dropout,
            variational=variational,
        )
        self.both = nn.Linear(size + self.rnn.output_size, 2 * size)  # W and W'

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Revise embeddings.

        Args:
            embedded: (B, L, D).
            mask: (B, L) bool, True on a token.

        Returns:
            (B, L, D); what stands on padding means nothing.
        """
        read = self.rnn(embedded, mask)  # (B, L, 2H)
        products = linear(torch.cat([embedded, read], dim=2), self.both.weight, self.both.bias)
        gate, revised = products.chunk(2, dim=2)  # (B, L, D) each
        return revised.tanh().to(embedded).lerp(embedded, gate.sigmoid().to(embedded))
