"""Counts of a run's hashed features: how full the tables are, and how many features share a row."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.prepare import PreparedData, Progress
from squadqa.data.sampler import bounded_batches
from squadqa.errors import CheckpointError
from squadqa.inference.devices import batch_tokens, find_device
from squadqa.inference.run_folder import Run
from squadqa.models.scorers.feature_groups import TableGroup
from squadqa.nn.hashing import table_rows

CAPACITY = 1 << 25
"""Most distinct features of a table to keep: 384 MiB, and 0.8 GiB while they are sorted."""

SORTED_TOGETHER = 1 << 22
"""Smallest number of features that are sorted together: 32 MiB."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TableCounts:
    """Counts of the features of one table.

    Args:
        features: Number of features looked up, with repeats.
        distinct: Number of distinct features.
        colliding: Distinct features that share their row with another.
        rows: Number of rows of the table.
        rows_taken: Number of rows with at least one feature.
        error: Standard error of `distinct`, in percent of it; 0 if all figures are exact.
        weights: Number of weights in the table.
        weights_not_zero: Number of weights that training changed.
    """

    features: int
    distinct: int
    colliding: int
    rows: int
    rows_taken: int
    error: float
    weights: int
    weights_not_zero: int

    @property
    def collisions(self) -> float:
        """Share of the distinct features that share their row with another, in percent."""
        return 100.0 * self.colliding / max(1, self.distinct)

    @property
    def expected_collisions(self) -> float:
        """The `collisions` to expect if features were spread over rows at random, in percent."""
        return -100.0 * math.expm1(max(0, self.distinct - 1) * math.log1p(-1.0 / self.rows))


def count_features(
    run: Run,
    data: PreparedData,
    *,
    limit: int | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> dict[str, TableCounts]:
    """Count the features that questions look up in each of a run's tables.

    Args:
        run: A run of the feature-based family.
        data: Questions prepared for the run's inputs.
        limit: Take only the first so many questions; None takes all.
        device: "cpu", "cuda" (or "cuda:1" and so on), or "auto": a GPU if there is one.
        progress: Called after each batch.

    Returns:
        The counts of each table, by name of its module.

    Raises:
        CheckpointError: The run's model has no table, or its weights do not fit.
        ConfigError: The device does not exist.
    """
    chosen_device = find_device(device)
    model = run.model.to(chosen_device)
    tables = {
        name.replace("groups.", ""): module
        for name, module in model.named_modules()
        if isinstance(module, TableGroup)
    }
    if not tables:
        raise _without_tables(run)
    counters = {name: Counter(table.table_bits) for name, table in tables.items()}
    dataset = run.inputs.dataset(data, np.arange(len(data.ids))[:limit])
    done = 0
    for items in bounded_batches(dataset.context_lengths, limit=batch_tokens(chosen_device)):
        batch = dataset.collate(items).to(chosen_device)
        for name, table in tables.items():
            counters[name].add(table.features(batch).cpu().numpy())
        done += len(items)
        if progress:
            progress("questions", done, len(dataset))
    return {name: counters[name].counts(table.weight) for name, table in tables.items()}


def require_tables(run: Run) -> None:
    """Refuse a run of a reader, before anything is prepared for it.

    Raises:
        CheckpointError: The run's model is not a scorer of candidates.
    """
    if not isinstance(run.inputs, CandidateInputs):
        raise _without_tables(run)


class Counter:
    """Counts a table's features: all of them, or those on an even sample of its rows.

    If there are more distinct features than `capacity`, those on every second row are dropped and
    no longer counted; later those on every second row of the rest, and so on. Hashes spread
    features over rows evenly, so half of the rows have half of the features and half of the
    collisions.

    Args:
        table_bits: The table has 2 ** table_bits rows.
        capacity: Most distinct features to keep.
    """

    def __init__(self, table_bits: int, *, capacity: int = CAPACITY) -> None:
        self.table_bits = table_bits
        self.capacity = capacity
        self.features = 0
        self._held: Ints = np.empty(0, np.int64)  # distinct
        self._new: list[Ints] = []
        self._size = 0  # of the new ones
        self._halvings = 0

    def add(self, hashes: Ints) -> None:
        """Count more features.

        Args:
            hashes: Features that were looked up, with repeats.
        """
        self.features += len(hashes)
        new = self._sampled(_distinct(hashes.copy()))
        self._new.append(new)
        self._size += len(new)
        if self._size > max(SORTED_TOGETHER, len(self._held) // 2):
            self._merge()

    def counts(self, weight: torch.Tensor) -> TableCounts:
        """Return the counts so far.

        Args:
            weight: The table.
        """
        self._merge()
        rows, every = 1 << self.table_bits, 1 << self._halvings
        on_row = np.zeros(rows, np.int64)
        for part in self._parts():
            on_row += np.bincount(self._rows(part), minlength=rows)
        held = len(self._held)
        return TableCounts(
            features=self.features,
            distinct=held * every,
            colliding=(held - int((on_row == 1).sum())) * every,
            rows=rows,
            rows_taken=int((on_row > 0).sum()) * every,
            error=100.0 * math.sqrt((1.0 - 1.0 / every) / max(1, held)),
            weights=weight.numel(),
            weights_not_zero=int(weight.count_nonzero()),
        )

    def _merge(self) -> None:
        self._held = np.concatenate([self._held, *self._new])
        self._new, self._size = [], 0
        self._held = _distinct(self._held)
        while len(self._held) > self.capacity and self._halvings < self.table_bits:
            self._halvings += 1
            self._held = np.concatenate([self._sampled(part) for part in self._parts()])

    def _parts(self) -> list[Ints]:
        """Views of the kept features, small enough that their rows take little memory."""
        return np.array_split(self._held, 1 + len(self._held) // SORTED_TOGETHER)

    def _sampled(self, hashes: Ints) -> Ints:
        """Leave out features on dropped rows."""
        if not self._halvings:
            return hashes
        return hashes[self._rows(hashes) % (1 << self._halvings) == 0]

    def _rows(self, hashes: Ints) -> Ints:
        rows: Ints = table_rows(torch.from_numpy(hashes), bits=self.table_bits).numpy()
        return rows


def _distinct(values: Ints) -> Ints:
    """Sort values in place, and return each once."""
    values.sort()
    return values[np.append(True, values[1:] != values[:-1])[: len(values)]]


def _without_tables(run: Run) -> CheckpointError:
    return CheckpointError(
        f'the run "{run.folder}" has no hashed features to count: {run.checkpoint.model_name} '
        "has no tables of them",
        hint="Runs of LogisticScorer and MLPScorer have, such as those of configs/logistic.yaml.",
        next_step="Name such a run.",
    )
