"""Attention between context and question.

Letters: B batch, C context tokens, Q question tokens, L length, D width.
"""

import torch
from torch import Tensor, nn

from squadqa.nn.masking import mask_logits, masked_softmax


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
        attention = self.attention_weights(context, question, question_mask)  # (B, C, Q)
        return attention @ (question if values is None else values)

    def attention_weights(self, context: Tensor, question: Tensor, question_mask: Tensor) -> Tensor:
        """Return the (B, C, Q) weights that the question's tokens are averaged by."""
        keys = self.projection(question).relu()  # (B, Q, D)
        similarity = self.projection(context).relu() @ keys.transpose(1, 2)  # (B, C, Q)
        return masked_softmax(similarity, question_mask[:, None, :])


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


class TrilinearSimilarity(nn.Module):
    """How alike each context token h and each question token u are: w . [h; u; h * u].

    Reference: Seo et al., 2017 (BiDAF), section 2.4. The three thirds of w are multiplied one
    by one, so that no (B, C, Q, 3D) tensor is made: h . (w_h + w_hu * u) + w_u . u.

    Args:
        size: D of both texts' encodings.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        bound = (3 * size) ** -0.5  # as of one linear layer over [h; u; h * u]
        self.weights = nn.Parameter(torch.empty(3, size).uniform_(-bound, bound))

    def forward(self, context: Tensor, question: Tensor) -> Tensor:
        """Compare (B, C, D) with (B, Q, D), giving (B, C, Q); padding is compared too, mask it."""
        of_context, of_question, of_product = self.weights
        keys = torch.addcmul(of_context, question, of_product)  # (B, Q, D)
        question_scores = question @ of_question  # (B, Q)
        return torch.baddbmm(question_scores[:, None, :], context, keys.transpose(1, 2))


class BidirectionalAttention(nn.Module):
    """What each context token finds in the question, and what the question finds in the context.

    Reference: Seo et al., 2017 (BiDAF), section 2.4.

    Args:
        size: D of both texts' encodings.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.similarity = TrilinearSimilarity(size)
        self.output_size = 4 * size

    def forward(
        self, context: Tensor, question: Tensor, context_mask: Tensor, question_mask: Tensor
    ) -> Tensor:
        """Attend in both directions.

        Args:
            context: (B, C, D) h.
            question: (B, Q, D) u.
            context_mask: (B, C) bool, True on a token.
            question_mask: (B, Q) bool, True on a token.

        Returns:
            (B, C, 4D): [h; u~; h * u~; h * h~], where u~ is the question as each context token sees
            it and h~ the context as the question sees it, the same for every context token.
        """
        similarity = self._masked_similarity(context, question, question_mask)  # (B, C, Q)
        question_seen = torch.softmax(similarity, dim=2) @ question  # (B, C, D)
        importance = masked_softmax(similarity.amax(dim=2), context_mask)  # (B, C)
        context_seen = importance[:, None, :] @ context  # (B, 1, D)
        parts = [context, question_seen, context * question_seen, context * context_seen]
        return torch.cat(parts, dim=2)  # (B, C, 4D)

    def attention_weights(
        self, context: Tensor, question: Tensor, context_mask: Tensor, question_mask: Tensor
    ) -> Tensor:
        """Return the (B, C, Q) weights by which each context token sees the question."""
        return torch.softmax(self._masked_similarity(context, question, question_mask), dim=2)

    def _masked_similarity(
        self, context: Tensor, question: Tensor, question_mask: Tensor
    ) -> Tensor:
        similarity = self.similarity(context, question)  # (B, C, Q)
        return mask_logits(similarity, question_mask[:, None, :])


class Coattention(nn.Module):
    """Attention of each context token to the question, and to the context as the question sees it.

    Reference: Xiong et al., 2017 (DCN), section 2.2. Each text has a sentinel, a learned vector
    beside its tokens that attention can fall on where it should fall on none of them. It comes
    first, so that padding stays at the end.

    Args:
        size: D of both texts' encodings.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.context_sentinel = nn.Parameter(torch.empty(size).uniform_(-0.1, 0.1))
        self.question_sentinel = nn.Parameter(torch.empty(size).uniform_(-0.1, 0.1))
        self.projection = nn.Linear(size, size)
        self.output_size = 2 * size

    def forward(
        self, context: Tensor, question: Tensor, context_mask: Tensor, question_mask: Tensor
    ) -> Tensor:
        """Attend in both directions.

        Args:
            context: (B, C, D) encodings.
            question: (B, Q, D) encodings by the same encoder.
            context_mask: (B, C) bool, True on a token.
            question_mask: (B, Q) bool, True on a token.

        Returns:
            (B, C, 2D), C^D of the paper without the sentinel's column.
        """
        context = _with_sentinel(self.context_sentinel, context)  # (B, 1 + C, D): D
        question = self._projected(question)  # (B, 1 + Q, D): Q
        context_mask = nn.functional.pad(context_mask, (1, 0), value=True)  # (B, 1 + C)
        question_mask = nn.functional.pad(question_mask, (1, 0), value=True)  # (B, 1 + Q)

        affinity = context @ question.transpose(1, 2)  # (B, 1 + C, 1 + Q): L
        over_context = masked_softmax(affinity.transpose(1, 2), context_mask[:, None, :])  # A^Q
        over_question = masked_softmax(affinity, question_mask[:, None, :])  # A^D
        context_seen = over_context @ context  # (B, 1 + Q, D): C^Q
        seen = over_question[:, 1:] @ torch.cat([question, context_seen], dim=2)
        return seen  # (B, C, 2D)

    def attention_weights(
        self, context: Tensor, question: Tensor, context_mask: Tensor, question_mask: Tensor
    ) -> Tensor:
        """Return the (B, C, Q) part of A^D: how context tokens see the question's tokens."""
        question_mask = nn.functional.pad(question_mask, (1, 0), value=True)  # (B, 1 + Q)
        affinity = context @ self._projected(question).transpose(1, 2)  # (B, C, 1 + Q)
        return masked_softmax(affinity, question_mask[:, None, :])[:, :, 1:]

    def _projected(self, question: Tensor) -> Tensor:
        """Return (B, 1 + Q, D) Q of the paper, the sentinel first."""
        return self.projection(_with_sentinel(self.question_sentinel, question)).tanh()


def _with_sentinel(sentinel: Tensor, sequence: Tensor) -> Tensor:
    """Put a vector (D,) in front of every sequence of (B, L, D), giving (B, 1 + L, D)."""
    return torch.cat([sentinel.expand(sequence.shape[0], 1, -1), sequence], dim=1)
