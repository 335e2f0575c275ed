"""Heads that point at the start and the end of an answer.

Letters: B batch, C context tokens, D width.
"""

from torch import Tensor, nn


class BilinearPointer(nn.Module):
    """A score of every context token against one question vector: x^T W q.

    Args:
        context_size: D of the context encodings.
        question_size: D of the question vector.
    """

    def __init__(self, context_size: int, question_size: int) -> None:
        super().__init__()
        self.projection = nn.Linear(question_size, context_size)

    def forward(self, context: Tensor, question: Tensor) -> Tensor:
        """Score (B, C, D) against (B, D'), giving (B, C); padding is scored too, mask it."""
        return (context @ self.projection(question)[:, :, None]).squeeze(2)
