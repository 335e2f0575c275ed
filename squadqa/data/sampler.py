"""Batches of similar lengths: of a fixed size by seed and epoch, or of bounded cost."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

POOL_BATCHES = 50
"""Batches sorted by length together: enough for only 3 % padding, few enough to stay random."""


class LengthGroupedSampler(torch.utils.data.Sampler[int]):
    """Yields questions in an order in which each batch has contexts of similar length.

    Shuffled: the order depends only on the seed and the epoch. Each of several processes gets the
    same number of whole batches (the first batches are taken twice to even them out). Not shuffled
    (evaluation): longest first; in one process every question comes once, in several the first
    batches again come twice.

    With `paragraphs`, the questions of a paragraph come one after the other. As every batch has the
    same size, a paragraph may begin in one batch and end in another.

    Args:
        lengths: (N,) context tokens of each question.
        batch_size: Questions in a batch of one process.
        shuffle: Whether to shuffle: questions, or paragraphs if these are given.
        paragraphs: (N,) paragraph of each question; None does not keep their questions together.
        seed: Seed of the order.
        rank: This process's number.
        processes: How many processes share the questions.
    """

    def __init__(
        self,
        lengths: NDArray[np.int64],
        *,
        batch_size: int,
        shuffle: bool,
        paragraphs: NDArray[np.integer[Any]] | None = None,
        seed: int = 0,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.paragraphs = paragraphs
        self.seed = seed
        self.rank = rank
        self.processes = processes
        self.epoch = 0
        self.skip = 0  # items that the next iteration leaves out, to resume inside an epoch

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which the order depends on (called by Lightning)."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self._order())

    def __iter__(self) -> Iterator[int]:
        skip, self.skip = self.skip, 0
        return iter(self._order()[skip:].tolist())

    def _order(self) -> NDArray[np.int64]:
        if not self.shuffle:
            return self._share(self._cut(_longest_first(self.lengths, self.paragraphs)))
        random = np.random.default_rng((self.seed, self.epoch))
        order = self._shuffled(random)
        pool = POOL_BATCHES * self.batch_size
        pools = [order[i : i + pool] for i in range(0, len(order), pool)]
        by_length = [part[np.argsort(self.lengths[part], kind="stable")] for part in pools]
        batches = self._cut(np.concatenate(by_length)) if len(order) else []
        partial = [batch for batch in batches if len(batch) < self.batch_size]
        whole = [batch for batch in batches if len(batch) == self.batch_size]
        batches = [whole[i] for i in random.permutation(len(whole))]
        if self.processes > 1:
            partial = [np.resize(batch, self.batch_size) for batch in partial]
        return self._share(batches + partial)  # a batch that is not full comes last

    def _shuffled(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Return all questions in a random order; those of a paragraph together, if given."""
        if self.paragraphs is None:
            return random.permutation(len(self.lengths))
        names, numbers = np.unique(self.paragraphs, return_inverse=True)
        return np.argsort(random.permutation(len(names))[numbers], kind="stable")

    def _share(self, batches: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Return this process's batches; every process has the same number."""
        if not batches:
            return np.empty(0, np.int64)
        repeated = [batches[i % len(batches)] for i in range(-len(batches) % self.processes)]
        return np.concatenate((batches + repeated)[self.rank :: self.processes])

    def _cut(self, order: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        size = self.batch_size
        return [order[i : i + size] for i in range(0, len(order), size)]


def bounded_batches(
    costs: NDArray[np.int64],
    *,
    limit: int,
    paragraphs: NDArray[np.integer[Any]] | None = None,
) -> Iterator[list[int]]:
    """Group items of similar cost, each once, the most expensive first.

    Args:
        costs: (N,) cost of each item without padding, such as its number of tokens.
        limit: Largest cost of a group, where each item counts as much as the group's most expensive
            one, as with padding. An item that alone costs more forms its own group.
        paragraphs: (N,) paragraph of each item; items of one paragraph cost the same. They all come
            in one group, unless they alone exceed the limit. None keeps no items together.
    """
    order = _longest_first(costs, paragraphs)
    names = order if paragraphs is None else paragraphs[order]
    is_last = np.append(names[1:] != names[:-1], True)  # (N,) True on a paragraph's last item
    begin = 0
    while begin < len(order):
        size = max(1, limit // max(1, int(costs[order[begin]])))
        ends = np.flatnonzero(is_last[begin : begin + size])
        end = begin + (int(ends[-1]) + 1 if len(ends) else size)
        yield order[begin:end].tolist()
        begin = end


def _longest_first(
    costs: NDArray[np.int64], paragraphs: NDArray[np.integer[Any]] | None
) -> NDArray[np.int64]:
    """Return (N,) items by falling cost; those of a paragraph, which cost the same, together."""
    if paragraphs is None:
        return np.argsort(-costs, kind="stable")
    return np.lexsort((paragraphs, -costs))
