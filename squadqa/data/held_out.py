"""Validation questions: articles of the training data that training does not learn from."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from squadqa.data.prepare import PreparedData
from squadqa.errors import DataError


def held_out(data: PreparedData, *, share: float) -> NDArray[np.bool_]:
    """Choose whole articles by their titles only: the same ones every time, in whatever order.

    Args:
        data: A prepared source.
        share: Smallest share of the questions to hold out, between 0 and 1.

    Returns:
        (N,) True on the questions of these articles.

    Raises:
        DataError: There is only one article.
    """
    titles = np.array(data.titles.to_pylist())[data.paragraphs]
    names, article, counts = np.unique(titles, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise DataError(
            f'"{data.source}" has only one article: none can be held out for validation',
            next_step="Name validation data with --data.val, or add questions about another text.",
        )
    keys = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names.tolist()]
    order = sorted(range(len(names)), key=keys.__getitem__)
    taken = np.cumsum(counts[order])
    number = int(np.searchsorted(taken, share * len(titles))) + 1
    chosen = np.zeros(len(names), bool)
    chosen[order[: min(number, len(names) - 1)]] = True
    return chosen[article.reshape(-1)]
