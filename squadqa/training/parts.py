"""A batch in parts, where one long text would have all others padded to its length.

Batches are of like length, but for what is far longer than all else in a training: of 32 questions,
one with a context of 5,000 tokens would have a reader hold 5,000 tokens of every one.

Letters: B batch, C context tokens, Q question tokens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from squadqa.batch import SpanBatch
from squadqa.data.sampler import bounded_batches

MOST_PAIRS = 2**26
"""Pairs of tokens of the longer text that a part holds, padding included: 64 questions of 1,024
tokens. Self-attention compares every pair; what it keeps of each is a few numbers."""


def parts(batch: Any, *, most_pairs: int = MOST_PAIRS) -> list[tuple[Tensor, Any]]:
    """Part a batch so that long texts are among their like.

    Args:
        batch: A `SpanBatch`; any other is left whole.
        most_pairs: Pairs of tokens that a part holds; one question may have more.

    Returns:
        Rows of the batch and what stands in them, padded to its own longest texts; the batch itself
        where it is no larger. Word forms are the batch's in every part.
    """
    if not isinstance(batch, SpanBatch):
        return [(torch.arange(len(batch), device=batch.index.device), batch)]
    padded = max(batch.context_ids.shape[1], batch.question_ids.shape[1])
    if len(batch) * padded**2 <= most_pairs:
        return [(torch.arange(len(batch), device=batch.index.device), batch)]
    return list(_parts(batch, most_pairs))


def _parts(batch: SpanBatch, most_pairs: int) -> Iterator[tuple[Tensor, SpanBatch]]:
    contexts, questions = batch.context_mask.sum(dim=1), batch.question_mask.sum(dim=1)  # (B,)
    lengths = contexts.maximum(questions).cpu().numpy()
    for items in bounded_batches(np.square(lengths), limit=most_pairs):
        rows = batch.index.new_tensor(items)
        context, question = int(contexts[rows].max()), int(questions[rows].max())
        yield (
            rows,
            replace(
                batch,
                index=batch.index[rows],
                context_ids=batch.context_ids[rows, :context],
                question_ids=batch.question_ids[rows, :question],
                context_mask=batch.context_mask[rows, :context],
                question_mask=batch.question_mask[rows, :question],
                context_matches=batch.context_matches[rows, :context],
                context_term_frequency=batch.context_term_frequency[rows, :context],
                context_tags=batch.context_tags[rows, :context],
                context_entities=batch.context_entities[rows, :context],
                start_positions=batch.start_positions[rows],
                end_positions=batch.end_positions[rows],
            ),
        )


def in_order(rows: Sequence[Tensor], values: Sequence[Tensor]) -> Tensor:
    """Put what belongs to some rows of a batch, each once, where it belongs.

    Args:
        rows: Rows of the batch, of each part.
        values: What belongs to them.

    Returns:
        (B, ...) values in the batch's order.
    """
    joined = torch.cat(list(values))
    return torch.empty_like(joined).index_copy(0, torch.cat(list(rows)), joined)
