"""Word dropout: in training, the vectors of some word forms in a batch are zeroed.

A dropped form looks like one that no source of vectors has: its vector is zero at all its places in
the batch, and only its characters remain. Other vectors are not scaled up, since in evaluation no
vectors are missing.
"""

from dataclasses import replace
from typing import Any

import torch

from squadqa.batch import FormBatch, SpanBatch


def drop_words(batch: Any, *, share: float) -> Any:
    """Return the batch with the vectors of some forms zeroed.

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
