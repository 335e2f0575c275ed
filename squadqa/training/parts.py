"""Splitting of batches, so that one long text does not pad all others to its length.

Batches have similar lengths, except for texts that are far longer than all others of a training:
one context of 5,000 tokens among 32 questions would make a reader keep 5,000 tokens of each.

Letters: B batch, C context tokens, Q question tokens.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from squadqa.batch import SpanBatch
from squadqa.data.sampler import bounded_batches

MOST_PAIRS = 2**26
"""Most pairs of tokens of the longer text in a part, including padding: 64 questions of 1,024
tokens. Self-attention compares every pair, and keeps a few numbers for each."""


def parts(batch: Any, *, most_pairs: int = MOST_PAIRS) -> list[tuple[Tensor, Any]]:
    """Split a batch so that each part has texts of similar length.

    Args:
        batch: A `SpanBatch`; any other batch is not split.
        most_pairs: Most pairs of tokens in a part; a single question may have more.

    Returns:
        For each part, its rows of the batch, and a batch of these rows, padded to its own longest
        texts. A batch that is small enough is returned as one part. All parts share the batch's
        word forms.
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
        paragraphs, paragraph_rows = _shared_contexts(batch, rows)
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
                paragraphs=paragraphs,
                paragraph_rows=paragraph_rows,
                unanswerable=None if batch.unanswerable is None else batch.unanswerable[rows],
                taught_starts=_cut(batch.taught_starts, rows, context),
                taught_ends=_cut(batch.taught_ends, rows, context),
            ),
        )


def _cut(taught: Tensor | None, rows: Tensor, context: int) -> Tensor | None:
    """Return some rows of what a teacher said, if there is one."""
    return None if taught is None else taught[rows, :context]


def _shared_contexts(batch: SpanBatch, rows: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """Return `paragraphs` and `paragraph_rows` of some rows, if the batch has them."""
    if batch.paragraphs is None:
        return None, None
    distinct, paragraphs = batch.paragraphs[rows].unique(return_inverse=True)
    places = torch.arange(len(rows), device=rows.device)
    first = places.new_full((len(distinct),), len(rows))
    first = first.scatter_reduce(0, paragraphs, places, "amin")
    return paragraphs, first


def recomputed(function: Callable[[Any], Tensor], part: Any) -> Tensor:
    """Call a function of a part, and call it again for its gradient, with the same random numbers.

    Until then nothing of the part's computation is kept.

    Args:
        function: Computes values of a part.
        part: The part.

    Returns:
        What the function returned.
    """
    made: Tensor = checkpoint(function, part, use_reentrant=False)
    return made


def in_order(rows: Sequence[Tensor], values: Sequence[Tensor]) -> Tensor:
    """Put the values of parts back into the batch's order.

    Args:
        rows: The rows of the batch in each part.
        values: The values of these rows, for each part.

    Returns:
        (B, ...) values in the batch's order.
    """
    joined = torch.cat(list(values))
    return torch.empty_like(joined).index_copy(0, torch.cat(list(rows)), joined)
