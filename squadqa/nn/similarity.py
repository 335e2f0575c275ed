"""How alike the steps of two texts are, for every pair of steps.

Reference: Vaswani et al., 2017, Attention Is All You Need (arXiv 1706.03762), section 3.2.1, for
scaled dot products; Bahdanau, Cho and Bengio, 2015, Neural Machine Translation by Jointly Learning
to Align and Translate (arXiv 1409.0473), appendix A.1.2, for the additive form.

Letters: B batch, L steps of the sequence, M steps of the memory, D width of the sequence, E width
of the memory, H hidden width. A sequence and its memory may be the same.
"""

from typing import Literal

from torch import Tensor, nn

from squadqa.nn.kernels.additive_scores import additive_scores
from squadqa.nn.kernels.products import linear

Similarity = Literal["dot", "additive"]


class DotSimilarity(nn.Module):
    """How alike two steps are: relu(W x) . relu(W' y) / sqrt(H).

    Args:
        size: D.
        memory_size: E.
        hidden_size: H.
    """

    def __init__(self, size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        self.queries = nn.Linear(size, hidden_size, bias=False)
        self.keys = nn.Linear(memory_size, hidden_size, bias=False)
        self.scale = hidden_size**-0.5

    def forward(self, sequence: Tensor, memory: Tensor) -> Tensor:
        """Compare (B, L, D) with (B, M, E), giving (B, L, M); padding is compared too, mask it."""
        queries = linear(sequence, self.queries.weight).relu() * self.scale  # (B, L, H)
        return queries @ linear(memory, self.keys.weight).relu().transpose(1, 2)


class AdditiveSimilarity(nn.Module):
    """How alike two steps are: v . tanh(W x + W' y) - sum(v); softmax cancels the constant.

    Args:
        size: D.
        memory_size: E.
        hidden_size: H.
    """

    def __init__(self, size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        self.queries = nn.Linear(size, hidden_size, bias=False)
        self.keys = nn.Linear(memory_size, hidden_size, bias=False)
        self.score = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, sequence: Tensor, memory: Tensor) -> Tensor:
        """Compare (B, L, D) with (B, M, E), giving (B, L, M); padding is compared too, mask it."""
        queries = linear(sequence, self.queries.weight)  # (B, L, H)
        keys = linear(memory, self.keys.weight)  # (B, M, H)
        return additive_scores(queries, keys, self.score.weight[0])
