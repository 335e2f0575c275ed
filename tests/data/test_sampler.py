from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.sampler import LengthGroupedSampler, bounded_batches

RANDOM = np.random.default_rng(0)
LENGTHS = RANDOM.integers(1, 400, 1003)


def order(epoch: int = 0, **options: object) -> list[int]:
    sampler = LengthGroupedSampler(LENGTHS, **{"batch_size": 8, "shuffle": True, **options})  # type: ignore[arg-type]
    sampler.set_epoch(epoch)
    return list(sampler)


def batches(items: list[int], size: int = 8) -> list[list[int]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def padding(items: list[int]) -> float:
    longest = sum(LENGTHS[batch].max() * len(batch) for batch in batches(items))
    return float(1 - LENGTHS[items].sum() / longest)


def test_order_is_a_function_of_seed_and_epoch() -> None:
    assert order(epoch=3, seed=5) == order(epoch=3, seed=5)
    orders = [order(epoch=epoch, seed=seed) for epoch in range(3) for seed in range(3)]
    assert len({tuple(each) for each in orders}) == 9
    np.random.seed(7)
    assert order(epoch=3, seed=5) == order(epoch=3, seed=5)


def test_asking_for_the_length_changes_no_order() -> None:
    sampler = LengthGroupedSampler(LENGTHS, batch_size=8, shuffle=True)
    before = list(sampler)
    assert len(sampler) == 1003
    assert list(sampler) == before


@given(
    count=st.integers(0, 40),
    batch_size=st.integers(1, 6),
    shuffle=st.booleans(),
    processes=st.integers(1, 4),
    epoch=st.integers(0, 3),
    by_paragraph=st.booleans(),
)
def test_processes_share_every_question(
    count: int, batch_size: int, shuffle: bool, processes: int, epoch: int, by_paragraph: bool
) -> None:
    lengths = np.arange(count)[::-1] % 7
    shares = []
    for rank in range(processes):
        sampler = LengthGroupedSampler(
            lengths,
            batch_size=batch_size,
            shuffle=shuffle,
            paragraphs=lengths if by_paragraph else None,  # of one length
            rank=rank,
            processes=processes,
        )
        sampler.set_epoch(epoch)
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1])
    items = Counter(item for share in shares for item in share)
    assert set(items) == set(range(count))
    if processes == 1:
        assert not count or max(items.values()) == 1
    # The same number of batches; in training all are full, so that no gradient counts more.
    assert len({-(-len(share) // batch_size) for share in shares}) == 1
    if shuffle and processes > 1:
        assert all(len(share) % batch_size == 0 for share in shares)
        assert sum(items.values()) - count < batch_size * (processes + 1)


def test_keeping_no_paragraphs_is_the_order_of_single_questions() -> None:
    alone = np.arange(len(LENGTHS))  # each question is the only one of its paragraph
    assert order(shuffle=False, paragraphs=alone) == order(shuffle=False)
    assert sorted(order(paragraphs=alone)) == sorted(order())


@given(
    sizes=st.lists(st.integers(1, 9), max_size=30),
    batch_size=st.integers(1, 6),
    shuffle=st.booleans(),
    seed=st.integers(0, 3),
)
def test_questions_of_a_paragraph_come_together(
    sizes: list[int], batch_size: int, shuffle: bool, seed: int
) -> None:
    """In full batches one after the other, but for the last batch, which is not full."""
    paragraphs = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    lengths = (np.arange(len(sizes)) % 4)[paragraphs]
    sampler = LengthGroupedSampler(
        lengths, batch_size=batch_size, shuffle=shuffle, paragraphs=paragraphs, seed=seed
    )
    items = list(sampler)
    assert sorted(items) == list(range(len(paragraphs)))
    ordered = batches(items, batch_size)
    assert all(len(batch) == batch_size for batch in ordered[:-1])
    for batch in ordered:
        found = [paragraphs[item] for item in batch]
        changes = sum(one != other for one, other in pairwise(found))
        assert changes == len(set(found)) - 1, "a paragraph comes once in a batch"
    for paragraph, size in enumerate(sizes):
        holding = sum(paragraph in paragraphs[batch] for batch in ordered)
        assert holding <= 1 + -(-(size - 1) // batch_size), "only the ends of batches split it"
    if not shuffle:
        assert (np.diff(lengths[items]) <= 0).all()
        assert sum(one != other for one, other in pairwise(paragraphs[items])) == max(
            len(sizes) - 1, 0
        )


def test_paragraphs_come_in_another_order_in_each_epoch_and_with_each_seed() -> None:
    paragraphs = np.repeat(np.arange(200), 5)
    lengths = LENGTHS[:200][paragraphs]
    orders = set()
    for epoch, seed in product(range(3), range(3)):
        sampler = LengthGroupedSampler(
            lengths, batch_size=8, shuffle=True, paragraphs=paragraphs, seed=seed
        )
        sampler.set_epoch(epoch)
        orders.add(tuple(sampler))
        assert list(sampler) == list(sampler)
    assert len(orders) == 9


def test_paragraphs_come_in_no_order_of_their_numbers_or_lengths() -> None:
    paragraphs = np.repeat(np.arange(1000), 5)
    lengths = LENGTHS[:1000][paragraphs]
    items = list(LengthGroupedSampler(lengths, batch_size=8, shuffle=True, paragraphs=paragraphs))
    for values in (paragraphs, lengths):
        assert abs(np.corrcoef(values[items], range(len(items)))[0, 1]) < 0.3
    longest = [max(lengths[batch]) * len(batch) for batch in batches(items)]
    assert sum(longest) < 1.06 * lengths.sum(), "batches have similar lengths"


def test_batches_have_similar_lengths() -> None:
    assert padding(order()) < 0.06
    assert padding(np.random.default_rng(0).permutation(len(LENGTHS)).tolist()) > 0.3
    assert padding(order(shuffle=False)) < 0.02


def test_batches_come_in_no_order_of_length() -> None:
    longest = [LENGTHS[batch].max() for batch in batches(order())]
    assert abs(np.corrcoef(longest, range(len(longest)))[0, 1]) < 0.3


def test_a_batch_that_is_not_full_comes_last() -> None:
    for epoch in range(5):
        assert [len(batch) for batch in batches(order(epoch=epoch))] == [8] * 125 + [3]
        whole = {tuple(sorted(batch)) for batch in batches(order(epoch=epoch))[:-1]}
        assert max(np.ptp(LENGTHS[list(batch)]) for batch in whole) < 60


def test_evaluation_starts_with_the_longest() -> None:
    lengths = LENGTHS[order(shuffle=False)]
    assert (np.diff(lengths) <= 0).all()
    assert order(shuffle=False, epoch=0) == order(shuffle=False, epoch=9, seed=4)


@pytest.mark.parametrize("skip", [0, 8, 1003, 2000])
def test_skip_leaves_out_once(skip: int) -> None:
    sampler = LengthGroupedSampler(LENGTHS, batch_size=8, shuffle=True)
    whole = list(sampler)
    sampler.skip = skip
    assert list(sampler) == whole[skip:]
    assert list(sampler) == whole


@given(costs=st.lists(st.integers(0, 50), max_size=30), limit=st.integers(1, 120))
def test_groups_contain_each_item_once_within_the_limit(costs: list[int], limit: int) -> None:
    groups = list(bounded_batches(np.array(costs, np.int64), limit=limit))
    assert sorted(item for group in groups for item in group) == list(range(len(costs)))
    largest = [max(costs[item] for item in group) for group in groups]
    assert largest == sorted(largest, reverse=True)
    assert all(
        len(group) == 1 or len(group) * cost <= limit
        for group, cost in zip(groups, largest, strict=True)
    )


@given(
    paragraphs=st.lists(st.integers(0, 8), max_size=30),
    costs=st.lists(st.integers(0, 50), min_size=9, max_size=9),
    limit=st.integers(1, 120),
)
def test_groups_hold_whole_paragraphs(paragraphs: list[int], costs: list[int], limit: int) -> None:
    """Unless one alone exceeds the limit: then as few groups as possible hold it."""
    names = np.array(paragraphs, np.int64)
    cost = np.array(costs, np.int64)[names]
    groups = list(bounded_batches(cost, limit=limit, paragraphs=names))
    assert sorted(item for group in groups for item in group) == list(range(len(names)))
    assert all(len(group) * max(cost[group]) <= limit or len(group) == 1 for group in groups)
    for name in set(paragraphs):
        size = max(1, limit // max(1, costs[name]))
        holding = [group for group in groups if name in names[group]]
        assert len(holding) == -(-paragraphs.count(name) // size)
