"""Word dropout: in training, some word forms of a batch lose their vectors.

A form that is dropped looks like one that no source of vectors knows: its vector is zero, wherever
it stands in the batch, and its characters have to tell what it is. Nothing is scaled up, for
nothing is missing when all vectors are there.
"""

from dataclasses import replace
from typing import Any

import torch

from squadqa.batch import FormBatch, SpanBatch


def drop_words(batch: Any, *, share: float) -> Any:
    """Give a batch in which some forms have no vectors.

    Args:
        batch: A `SpanBatch`, or a `CandidateBatch` with words.
        share: Probability of dropping a form, 0 to 1.
    """
    if isinstance(batch, SpanBatch):
        return replace(batch, forms=_without_vectors(batch.forms, share))
    forms = _without_vectors(batch.words.forms, share)
    return replace(batch, words=replace(batch.words, forms=forms))


def _without_vectors(forms: FormBatch, share: float) -> FormBatch:
    dropped = torch.rand(len(forms.vectors), device=forms.vectors.device) < share  # (U,)
    return replace(
        forms,
        vectors=forms.vectors.masked_fill(dropped[:, None], 0.0),
        frequent=forms.frequent.masked_fill(dropped, 0),  # nor what training added to them
    )
