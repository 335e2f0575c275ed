"""A data loader that can resume in the middle of an epoch."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from squadqa.data.sampler import LengthGroupedSampler


class ResumableLoader(DataLoader[Any]):
    """Counts the batches of the epoch that it yielded, and can start after them.

    Lightning saves and restores the state of a loader that has `state_dict`.

    Args:
        dataset: The data set; its `collate` makes a batch of items.
        sampler: The order of items.
        **options: Options of `torch.utils.data.DataLoader`.
    """

    sampler: LengthGroupedSampler

    def __init__(self, dataset: Any, *, sampler: LengthGroupedSampler, **options: Any) -> None:
        super().__init__(
            dataset,
            sampler=sampler,
            batch_size=sampler.batch_size,
            collate_fn=dataset.collate,
            generator=torch.Generator(),  # resuming must not use the global one
            **options,
        )
        self._given = 0
        self._resume_at = 0

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # a generator: starts when used
        self._given, self._resume_at = self._resume_at, 0
        self.sampler.skip = self._given * self.sampler.batch_size
        for batch in super().__iter__():
            self._given += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Return the number of batches of the current epoch that were yielded."""
        return {"given": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Start the next iteration after the batches that were already yielded."""
        self._resume_at = state["given"] % max(len(self), 1)
