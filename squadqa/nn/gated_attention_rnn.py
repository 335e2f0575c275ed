"""R-Net's gated attention as the report has it: the RNN attends by the state it is in.

Reference: Wang, Yang, Wei, Chang and Zhou, 2017, R-Net: Machine Reading Comprehension with
Self-Matching Networks (Microsoft Research Asia), section 3.2; the equations stand in
`squadqa.nn.kernels.gated_attention`.

Letters: B batch, L steps of the sequence, M steps of the memory, D width of the sequence, E width
of the memory, H hidden width.
"""

from torch import Tensor, nn

from squadqa.nn.dropout import SequenceDropout
from squadqa.nn.kernels.gated_attention import GatedAttentionWeights, gated_attention_rnn
from squadqa.nn.rnn import both_directions


class GatedAttentionCell(nn.Module):
    """The weights of one direction of `GatedAttentionRNN`, under the report's letters.

    Args:
        size: D.
        memory_size: E.
        hidden_size: H.
    """

    def __init__(self, size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        joined = size + memory_size
        self.keys = nn.Linear(memory_size, hidden_size, bias=False)  # W_u^Q
        self.queries = nn.Linear(size, hidden_size, bias=False)  # W_u^P
        self.state_queries = nn.Linear(hidden_size, hidden_size, bias=False)  # W_v^P
        self.score = nn.Linear(hidden_size, 1, bias=False)  # v
        self.gate = nn.Linear(joined, joined, bias=False)  # W_g
        self.rnn = nn.GRU(joined, hidden_size)


class GatedAttentionRNN(nn.Module):
    """A bidirectional GRU that attends to a memory at each step, by the state it is in.

    Args:
        size: D.
        memory_size: E.
        hidden_size: H, of the attention and of a direction.
        dropout: Share of the sequence's and the memory's features dropped in training.
    """

    def __init__(
        self, size: int, memory_size: int, *, hidden_size: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.forwards = GatedAttentionCell(size, memory_size, hidden_size)
        self.backwards = GatedAttentionCell(size, memory_size, hidden_size)
        self.dropout = SequenceDropout(dropout, variational=True)
        self.output_size = 2 * hidden_size

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
        weights = GatedAttentionWeights(
            keys=self._both("keys.weight"),
            queries=self._both("queries.weight"),
            state_queries=self._both("state_queries.weight"),
            score=self._both("score.weight"),
            gate=self._both("gate.weight"),
            inputs=self._both("rnn.weight_ih_l0"),
            inputs_bias=self._both("rnn.bias_ih_l0"),
            state=self._both("rnn.weight_hh_l0"),
            state_bias=self._both("rnn.bias_hh_l0"),
        )
        sequence, memory = self.dropout(sequence), self.dropout(memory)
        return gated_attention_rnn(sequence, mask, memory, memory_mask, weights)

    def _both(self, name: str) -> Tensor:
        return both_directions(self.forwards, self.backwards, name)
