"""Counts of hashed features: by hand, against Python's sets, and estimates."""

from collections import Counter as Multiset
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.squad import find_source
from squadqa.errors import CheckpointError
from squadqa.inference import devices, feature_counts
from squadqa.inference.feature_counts import (
    Counter,
    TableCounts,
    count_features,
    require_tables,
)
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import Run, open_run
from squadqa.models.scorers.feature_groups import TableGroup
from squadqa.nn.hashing import table_rows

HASHES = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30)


def row_of(value: int, bits: int) -> int:
    return int(table_rows(torch.tensor(value), bits=bits))


def counted(batches: list[list[int]], bits: int, *, capacity: int = 1000) -> TableCounts:
    counter = Counter(bits, capacity=capacity)
    for batch in batches:
        counter.add(np.array(batch, np.int64))
    return counter.counts(torch.zeros(1 << bits, 1))


def test_counts_by_hand() -> None:
    first = 5
    same_row = next(n for n in range(6, 1000) if row_of(n, 3) == row_of(first, 3))
    alone = next(n for n in range(6, 1000) if row_of(n, 3) != row_of(first, 3))
    counter = Counter(3)
    for batch in ([first, first, same_row], [], [alone, first]):
        counter.add(np.array(batch, np.int64))
    weight = torch.tensor([[0.0, 1.0], [0.0, 0.0], [2.0, -3.0], *[[0.0, 0.0]] * 5])
    counts = counter.counts(weight)
    assert counts == TableCounts(
        features=5,
        distinct=3,
        colliding=2,
        rows=8,
        rows_taken=2,
        error=0.0,
        weights=16,
        weights_not_zero=3,
    )
    assert counts.collisions == pytest.approx(200 / 3)
    assert counts.expected_collisions == pytest.approx(100 * (1 - (7 / 8) ** 2))


@given(st.lists(HASHES, max_size=6), st.integers(1, 8), st.sampled_from([0, 1, 10, 10**6]))
def test_counts_equal_pythons_sets(batches: list[list[int]], bits: int, sorted_at: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_counts, "SORTED_TOGETHER", max(1, sorted_at))
        counts = counted(batches, bits)
    distinct = {value for batch in batches for value in batch}
    on_row = Multiset(row_of(value, bits) for value in distinct)
    assert counts.features == sum(map(len, batches))
    assert counts.distinct == len(distinct)
    assert counts.rows_taken == len(on_row)
    assert counts.colliding == sum(n for n in on_row.values() if n > 1)
    assert (counts.rows, counts.error) == (1 << bits, 0.0)


def test_a_table_of_no_features() -> None:
    counts = counted([], 4)
    assert (counts.features, counts.distinct, counts.colliding, counts.rows_taken) == (0, 0, 0, 0)
    assert (counts.collisions, counts.expected_collisions) == (0.0, 0.0)


def test_beyond_its_capacity_counts_are_estimates_with_a_stated_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feature_counts, "SORTED_TOGETHER", 512)
    hashes = np.random.default_rng(1).integers(-(2**63), 2**63 - 1, 20_000).tolist()
    batches = [hashes[i : i + 300] for i in range(0, len(hashes), 200)]
    assert counted(batches[:4], 12) == counted(batches[:4], 12, capacity=10**6)
    near, exact = counted(batches, 12), counted(batches, 12, capacity=10**6)
    assert exact.distinct == len(hashes)
    assert near.features == exact.features > len(hashes)
    assert 100 / np.sqrt(1000 / 0.9) < near.error < 100 / np.sqrt(450)  # some 500 to 1000 are kept
    for name in ("distinct", "colliding", "rows_taken"):
        within = 3 * near.error / 100
        assert getattr(near, name) == pytest.approx(getattr(exact, name), rel=within)
        assert getattr(near, name) != getattr(exact, name)


def test_one_row_is_counted_whatever_its_size() -> None:
    hashes = list(range(100))
    counts = counted([hashes], 2, capacity=3)
    assert counts.distinct == 4 * sum(row_of(one, 2) == 0 for one in hashes) > 4 * 3
    assert counts.colliding == counts.distinct
    assert (counts.rows_taken, counts.rows) == (4, 4)


def test_evenly_spread_features_collide_as_expected() -> None:
    hashes = np.random.default_rng(2).integers(-(2**63), 2**63 - 1, 50_000)
    counts = counted([hashes.tolist()], 16, capacity=10**6)
    assert counts.collisions == pytest.approx(counts.expected_collisions, abs=1.0)


# Runs


@pytest.fixture
def opened(scorer_run: Path) -> Run:
    return open_run(scorer_run)


def test_a_runs_tables_are_counted(opened: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "BATCH_TOKENS", {"cpu": 30})  # several batches
    source = find_source(str(opened.folder.parents[1] / "train.json"))
    data = Predictor(opened).prepare(source)
    reported: list[tuple[str, int, int]] = []
    counts = count_features(
        opened, data, device="cpu", progress=lambda *progress: reported.append(progress)
    )
    assert reported[-1] == ("questions", 8, 8)
    assert len(reported) > 1

    model, dataset = opened.model, opened.inputs.dataset(data)
    tables = {
        name.removeprefix("groups."): module
        for name, module in model.named_modules()
        if isinstance(module, TableGroup)
    }
    assert list(counts) == list(tables)
    assert {"constituent_label", "tag_sequence", "lexicalized", "dependency_paths"} == set(counts)
    batch = dataset.collate(range(8))
    for name, table in tables.items():
        hashes = table.features(batch).tolist()
        assert counts[name].features == len(hashes)
        assert counts[name].distinct == len(set(hashes))
        rows = {row_of(one, table.table_bits) for one in set(hashes)}
        assert counts[name].rows_taken == len(rows)
        weight = opened.checkpoint.weights[f"groups.{name}.weight"]
        assert counts[name].weights == weight.numel()
        assert counts[name].weights_not_zero == int((weight != 0).sum())
    assert counts["lexicalized"].weights_not_zero > 0


def test_the_first_questions_alone(opened: Run) -> None:
    source = find_source(str(opened.folder.parents[1] / "train.json"))
    data = Predictor(opened).prepare(source)
    of_all = count_features(opened, data, limit=100)
    assert of_all == count_features(opened, data)
    batch = opened.inputs.dataset(data).collate([0, 1])
    first = count_features(opened, data, limit=2)
    group = opened.model.groups["lexicalized"]  # type: ignore[index, union-attr]
    assert first["lexicalized"].features == len(group.features(batch))
    assert first["lexicalized"].features < of_all["lexicalized"].features


def test_runs_of_readers_are_refused(reader_run: Path, opened: Run) -> None:
    with pytest.raises(CheckpointError, match="DrQAReader has no tables of them"):
        require_tables(open_run(reader_run))
    require_tables(opened)


def test_runs_without_a_group_with_a_table_are_refused(opened: Run) -> None:
    data = Predictor(opened).prepare(find_source(str(opened.folder.parents[1] / "train.json")))
    opened.__dict__["model"] = torch.nn.Linear(1, 1)  # where the property keeps it
    with pytest.raises(CheckpointError, match="LogisticScorer has no tables of them"):
        count_features(opened, data)
