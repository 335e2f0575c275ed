"""R-Net's matching: each step of a text sees another text, or its own, through a gate.

Reference: Wang, Yang, Wei, Chang and Zhou, 2017, R-Net: Machine Reading Comprehension with
Self-Matching Networks (Microsoft Research Asia), sections 3.2 and 3.3.

What a step attends to does not depend on the state of the RNN that reads it, as in the report's
self-matching, so that all steps attend at once. In its attention over the question it does:
`squadqa.nn.gated_attention_rnn`.

Letters: B batch, L steps of the sequence, M steps of the memory, D width of the sequence, E width
of the memory, H hidden width. A sequence and its memory may be the same.
"""

import torch
from torch import Tensor, nn

from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.kernels.products import linear
from squadqa.nn.masking import masked_softmax
from squadqa.nn.pairs import in_parts
from squadqa.nn.rnn import Cell, StackedBiRNN
from squadqa.nn.similarity import AdditiveSimilarity, DotSimilarity, Similarity


class GatedAttention(nn.Module):
    """Each step joined with what it attends to in a memory, y = [x; c], gated: sigmoid(W y) * y.

    Args:
        size: D.
        memory_size: E.
        hidden_size: H, the width in which steps are compared.
        similarity: How they are.
        dropout: Share of features dropped in training of what is compared and of what the gates
            read. It is the same at every step, so the gate's product with the memory can be
            computed before attending, for M steps instead of L.
    """

    def __init__(
        self,
        size: int,
        memory_size: int,
        *,
        hidden_size: int,
        similarity: Similarity = "dot",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        kind = {"dot": DotSimilarity, "additive": AdditiveSimilarity}[similarity]
        self.similarity = kind(size, memory_size, hidden_size)
        self.dropout = SequenceDropout(dropout, variational=True)
        self.output_size = size + memory_size
        self.gate = nn.Linear(self.output_size, self.output_size, bias=False)

    def forward(self, sequence: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """Attend to the memory.

        Args:
            sequence: (B, L, D).
            memory: (B, M, E).
            memory_mask: (B, M) bool, True on a step.

        Returns:
            (B, L, D + E).
        """
        dropped, dropped_memory = self.dropout(sequence), self.dropout(memory)
        of_sequence, of_memory = self.gate.weight.split([sequence.shape[2], memory.shape[2]], dim=1)
        memory_gates = linear(dropped_memory, of_memory)  # (B, M, D + E)
        gated = []
        for part, dropped_part in in_parts(memory_mask, sequence, dropped):
            similarity = self.similarity(dropped_part, dropped_memory)  # (B, rows, M)
            attention = masked_softmax(similarity, memory_mask[:, None, :])
            joined = torch.cat([part, attention @ memory], dim=2)  # (B, rows, D + E)
            gates = torch.baddbmm(linear(dropped_part, of_sequence), attention, memory_gates)
            gated.append(joined * gates.sigmoid())
        return gated[0] if len(gated) == 1 else torch.cat(gated, dim=1)

    def attention_weights(self, sequence: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """Return the (B, L, M) weights by which each step sees the memory."""
        similarity = self.similarity(self.dropout(sequence), self.dropout(memory))  # (B, L, M)
        return masked_softmax(similarity, memory_mask[:, None, :])


class GatedMatch(nn.Module):
    """Gated attention, read by a bidirectional RNN.

    Args:
        size: D.
        memory_size: E.
        hidden_size: H, of the attention and of a direction.
        similarity: How steps are compared.
        cell: Cell of the RNN.
        dropout: Share of the attention's and of the RNN's input dropped in training.
    """

    def __init__(
        self,
        size: int,
        memory_size: int,
        *,
        hidden_size: int,
        similarity: Similarity = "dot",
        cell: Cell = "gru",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention = GatedAttention(
            size, memory_size, hidden_size=hidden_size, similarity=similarity, dropout=dropout
        )
        self.rnn = StackedBiRNN(
            self.attention.output_size,
            hidden_size,
            num_layers=1,
            cell=cell,
            dropout=dropout,
            variational=True,
        )
        self.output_size = self.rnn.output_size

    def forward(
        self, sequence: Tensor, mask: Tensor, memory: Tensor, memory_mask: Tensor
    ) -> Tensor:
        """Match with the memory.

        Args:
            sequence: (B, L, D).
            mask: (B, L) bool, True on a step.
            memory: (B, M, E).
            memory_mask: (B, M) bool, True on a step.

        Returns:
            (B, L, 2H); what stands on padding means nothing.
        """
        matched: Tensor = self.rnn(self.attention(sequence, memory, memory_mask), mask)
        return matched
