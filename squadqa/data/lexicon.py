"""Distinct word forms: their character ids, and the most frequent ones."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from squadqa.batch import NUM_CHARACTERS

OWN_IDS = 1024
"""Code points below this have their own id: mostly Latin, Greek and Cyrillic scripts."""


def character_ids(forms: Sequence[str], *, max_characters: int) -> NDArray[np.int16]:
    """Encode word forms as ids of a fixed alphabet.

    Code points below 1,024 are their own id; the rest, and NUL, share 256 ids. The alphabet is the
    same for every data set, so a trained model can read the characters of any new text. 0 is
    padding.

    Args:
        forms: Word forms.
        max_characters: Number of characters of a form to keep. Of a longer form the first half and
            the last half of so many are kept, so that both prefix and suffix stay.

    Returns:
        (U, W) ids; W is the length of the longest kept form.
    """
    head = (max_characters + 1) // 2
    kept = [
        form
        if len(form) <= max_characters
        else form[:head] + form[len(form) - (max_characters - head) :]
        for form in forms
    ]
    width = max(1, max(map(len, kept), default=1))
    points = np.array(kept, dtype=f"<U{width}").view(np.uint32).reshape(len(kept), width)
    shared = OWN_IDS + points % (NUM_CHARACTERS - OWN_IDS)
    ids = np.where((points > 0) & (points < OWN_IDS), points, shared)
    lengths = np.array([len(form) for form in kept], np.int64)
    return np.where(np.arange(width) < lengths[:, None], ids, 0).astype(np.int16)


def most_frequent(forms: NDArray[np.int32], lexicon: Sequence[str], *, count: int) -> list[str]:
    """List the most frequent word forms, most frequent first, ties in alphabetical order.

    Args:
        forms: (T,) lexicon index of each token.
        lexicon: The distinct forms.
        count: How many to list.
    """
    counts = np.bincount(forms, minlength=len(lexicon))
    order = np.lexsort((np.arange(len(lexicon)), -counts))[:count]
    return [lexicon[index] for index in order.tolist()]
