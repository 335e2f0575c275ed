"""Features of context tokens besides their words. Letters: B batch, C context tokens, F features.

Reference: Chen et al., 2017 (DrQA, arXiv 1704.00051), section 3.2; with embeddings of tags and
entities in place of one feature for each, as in Huang et al., 2018 (FusionNet, arXiv 1711.07341).
"""

import torch
from torch import Tensor, nn

from squadqa.batch import NUM_ENTITIES, NUM_TAGS, SpanBatch
from squadqa.models.embedder import NUM_FORM_MATCHES

NUM_MATCHES = 3
"""Exact, lower-case and lemma match with the question."""

TAG_SIZE = 12
"""Width of a part of speech's embedding, as in FusionNet."""

ENTITY_SIZE = 8
"""Width of an entity type's embedding, as in FusionNet."""


class TokenFeatures(nn.Module):
    """Matches with the question, share of the context, part of speech and entity type.

    Args:
        use_annotation: Read part of speech, entity type and lemma match too.
    """

    def __init__(self, *, use_annotation: bool = True) -> None:
        super().__init__()
        self.use_annotation = use_annotation
        if use_annotation:
            self.tags = nn.Embedding(NUM_TAGS, TAG_SIZE)
            self.entities = nn.Embedding(NUM_ENTITIES, ENTITY_SIZE)
            self.output_size = NUM_MATCHES + 1 + TAG_SIZE + ENTITY_SIZE
        else:
            self.output_size = NUM_FORM_MATCHES + 1

    def forward(self, batch: SpanBatch) -> Tensor:
        """Return the features of the context's tokens, (B, C, F)."""
        frequency = batch.context_term_frequency[:, :, None]  # (B, C, 1)
        if not self.use_annotation:
            return torch.cat([batch.context_matches[:, :, :NUM_FORM_MATCHES], frequency], dim=2)
        tags, entities = self.tags(batch.context_tags), self.entities(batch.context_entities)
        return torch.cat([batch.context_matches, frequency, tags, entities], dim=2)
