"""Words that both texts hold, told to a reader that would have to find out.

Without being told, a reader answers by the kind of word alone until its attention has found that
equal words are equal: on SQuAD that takes the readers of this package most of a pass. The papers of
all but DrQA leave it to them.

Letters: B batch, C context tokens, Q question tokens, D width.
"""

import torch
from torch import Tensor, nn

from squadqa.batch import SpanBatch

NUM_FORMS = 2
"""The first of a batch's matches: of a word as it stands, and in lower case."""


class WordInQuestion(nn.Module):
    """Whether the question holds a context token, beside its embedding; every question token is 1.

    Reference: Weissenborn, Wiese and Seiffe, 2017, Making Neural QA as Simple as Possible but not
    Simpler (arXiv 1703.04816), the binary word-in-question feature. There it compares lemmas.

    Args:
        enabled: Whether anything is told; off, embeddings stay as they are.
    """

    def __init__(self, enabled: bool) -> None:
        super().__init__()
        self.enabled = enabled
        self.size = NUM_FORMS * enabled

    def forward(self, batch: SpanBatch, context: Tensor, question: Tensor) -> tuple[Tensor, Tensor]:
        """Join (B, C, D) and (B, Q, D) with the features: (B, C, D + size), (B, Q, D + size)."""
        if not self.enabled:
            return context, question
        matches = batch.context_matches[:, :, :NUM_FORMS]  # (B, C, 2)
        own = batch.question_mask[:, :, None].expand(-1, -1, NUM_FORMS)  # (B, Q, 2)
        return torch.cat([context, matches], dim=2), torch.cat([question, own.float()], dim=2)
