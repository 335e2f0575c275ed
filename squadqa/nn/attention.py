"""Attention between context and question.

Letters: B batch, C context tokens, Q question tokens, L length, D width.
"""

from torch import Tensor, nn

from squadqa.nn.masking import masked_softmax


class AlignedQuestion(nn.Module):
    """For each context token, the question tokens most like it, averaged.

    Reference: Chen et al., 2017 (DrQA), section 3.2, the feature f_align; after Lee et al., 2016.

    Args:
        size: D of the embeddings.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.projection = nn.Linear(size, size)

    def forward(
        self,
        context: Tensor,
        question: Tensor,
        question_mask: Tensor,
        *,
        values: Tensor | None = None,
    ) -> Tensor:
        """Attend to the question.

        Args:
            context: (B, C, D) word embeddings.
            question: (B, Q, D) word embeddings.
            question_mask: (B, Q) bool, True on a token.
            values: (B, Q, D') what to average of the question; None takes its embeddings.

        Returns:
            (B, C, D) or (B, C, D').
        """
        keys = self.projection(question).relu()  # (B, Q, D)
        similarity = self.projection(context).relu() @ keys.transpose(1, 2)  # (B, C, Q)
        attention = masked_softmax(similarity, question_mask[:, None, :])  # (B, C, Q)
        return attention @ (question if values is None else values)


class AttentionPooling(nn.Module):
    """A sequence as one vector: its steps weighted by a learned query.

    Args:
        size: D of the sequence.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(size, 1)

    def forward(self, sequence: Tensor, mask: Tensor) -> Tensor:
        """Pool (B, L, D) over the steps where `mask` (B, L) is True, to (B, D)."""
        weights = masked_softmax(self.query(sequence).squeeze(2), mask)  # (B, L)
        return (weights[:, None, :] @ sequence).squeeze(1)
