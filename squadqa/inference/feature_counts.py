"""How full a run's tables of hashed features are, and how many features share a row."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.prepare import PreparedData, Progress
from squadqa.data.sampler import bounded_batches
from squadqa.errors import CheckpointError
from squadqa.inference.devices import find_device
from squadqa.inference.predictor import BATCH_TOKENS
from squadqa.inference.run_folder import Run
from squadqa.models.scorers.feature_groups import TableGroup
from squadqa.nn.hashing import table_rows

CAPACITY = 1 << 25
"""Most distinct features of a table to hold: 384 MiB, and 0.8 GiB while they are sorted."""

SORTED_TOGETHER = 1 << 22
"""Features at least that are sorted together: 32 MiB."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TableCounts:
    """What features do to a table.

    Args:
        features: Features looked up, with repeats.
        distinct: Distinct features.
        colliding: Distinct features that share their row with another.
        rows: Rows of the table.
        rows_taken: Rows that a feature falls on.
        error: Standard error of `distinct`, in percent of it; 0 where all figures are exact.
        weights: Numbers in the table.
        weights_not_zero: Those that training moved.
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
        """What `collisions` would be if features fell on rows by chance, in percent."""
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
        data: Questions prepared as the run's inputs ask.
        limit: How many questions to take, from the first; None takes all.
        device: "cpu", "cuda" (or "cuda:1" and so on), or "auto": a GPU where there is one.
        progress: Called after each batch.

    Returns:
        The counts of each table, by the names of the modules above it.

    Raises:
        CheckpointError: The run's model has no table, or its weights do not fit.
        ConfigError: There is no such device.
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
    for items in bounded_batches(dataset.context_lengths, limit=BATCH_TOKENS):
        batch = dataset.collate(items).to(chosen_device)
        for name, table in tables.items():
            counters[name].add(table.features(batch).cpu().numpy())
        done += len(items)
        if progress:
            progress("questions", done, len(dataset))
    return {name: counters[name].counts(table.weight) for name, table in tables.items()}


def require_tables(run: Run) -> None:
    """Refuse a run of a reader before anything is prepared for it.

    Raises:
        CheckpointError: The run's model is no scorer of candidates.
    """
    if not isinstance(run.inputs, CandidateInputs):
        raise _without_tables(run)


class Counter:
    """Counts a table's features: one by one, or on an even sample of its rows.

    Once more distinct features are held than `capacity`, those on every second row are forgotten
    and no more counted; then those on every second row of the others, and so on. Hashes spread
    features over rows evenly, so that one row in two holds half of the features, and as many
    collisions as any other half.

    Args:
        table_bits: The table has 2 ** table_bits rows.
        capacity: Most distinct features to hold.
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
        """Count on.

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
        """Give the counts so far.

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
        """Views of what is held, so small that its rows take little memory."""
        return np.array_split(self._held, 1 + len(self._held) // SORTED_TOGETHER)

    def _sampled(self, hashes: Ints) -> Ints:
        """Leave out what is on forgotten rows."""
        if not self._halvings:
            return hashes
        return hashes[self._rows(hashes) % (1 << self._halvings) == 0]

    def _rows(self, hashes: Ints) -> Ints:
        rows: Ints = table_rows(torch.from_numpy(hashes), bits=self.table_bits).numpy()
        return rows


def _distinct(values: Ints) -> Ints:
    """Sort values in their place, and give each once."""
    values.sort()
    return values[np.append(True, values[1:] != values[:-1])[: len(values)]]


def _without_tables(run: Run) -> CheckpointError:
    return CheckpointError(
        f'the run "{run.folder}" has no hashed features to count: {run.checkpoint.model_name} '
        "has no tables of them",
        hint="Runs of LogisticScorer and MLPScorer have, such as those of configs/logistic.yaml.",
        next_step="Name such a run.",
    )
