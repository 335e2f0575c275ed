"""The logistic scorer: a sum of groups, its loss's gradient, and learning."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.batch import CandidateBatch, Sizes
from squadqa.data.candidates.inputs import CandidateInputs
from squadqa.data.candidates.values import candidate_values, value_columns
from squadqa.errors import ConfigError
from squadqa.models import LogisticScorer
from squadqa.models.scorers.feature_groups import GROUPS
from squadqa.nn.hashing import cross, table_rows
from squadqa.nn.losses import candidate_nll
from tests.support.parsed import random_data

BUCKETS = 4
SEEDS = st.integers(0, 2**32)


def batches(seed: int) -> list[CandidateBatch]:
    """All questions together, then each alone."""
    data = random_data(seed)
    inputs = CandidateInputs(num_buckets=BUCKETS)
    inputs.fit(data, np.arange(len(data.ids)))
    dataset = inputs.dataset(data)
    return [
        dataset.collate(range(len(dataset))),
        *(dataset.collate([i]) for i in range(len(dataset))),
    ]


def scorer(seed: int = 0, **options: object) -> LogisticScorer:
    """A scorer with random weights."""
    model = LogisticScorer(Sizes(num_buckets=BUCKETS), table_bits=12, **options)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.data.normal_(generator=generator)
    return model


def loss_of(logits: torch.Tensor, batch: CandidateBatch) -> torch.Tensor:
    return candidate_nll(logits, batch.candidate_mask, batch.candidate_labels)


@settings(max_examples=30)
@given(SEEDS)
def test_score_is_the_sum_of_its_groups(seed: int) -> None:
    batch, model = batches(seed)[0], scorer(seed)
    scores = model.group_scores(batch)
    assert tuple(scores) == GROUPS
    total = sum(scores.values(), torch.zeros_like(batch.candidate_mask, dtype=torch.float32))
    mask = batch.candidate_mask
    torch.testing.assert_close(model(batch)[mask], total[mask], atol=1e-4, rtol=1e-4)


@settings(max_examples=30)
@given(SEEDS)
def test_gradient_is_expected_minus_labelled_features(seed: int) -> None:
    """The closed form of softmax regression, on the buckets of one group."""
    batch, model = batches(seed)[0], scorer(seed)
    logits = model(batch)
    loss_of(logits, batch).sum().backward()
    share = torch.softmax(logits.detach(), dim=1)
    right = share * batch.candidate_labels
    right = right / right.sum(dim=1, keepdim=True).clamp(min=1e-30)
    share = share * batch.candidate_labels.any(dim=1, keepdim=True)
    expected = torch.zeros(4, BUCKETS)
    lengths, edges = (
        candidate_values(batch, "lengths"),
        batch.bucket_edges[value_columns("lengths")],
    )
    for question, candidate in batch.candidate_mask.nonzero().tolist():
        for feature in range(4):
            bucket = int((lengths[question, candidate, feature] >= edges[feature]).sum())
            expected[feature, bucket] += share[question, candidate] - right[question, candidate]
    gradient = model.groups["lengths"].weight.grad[:, :, 0]
    torch.testing.assert_close(gradient, expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("left_out", GROUPS)
def test_each_group_can_be_left_out(left_out: str) -> None:
    batch = batches(3)[0]
    model = scorer(groups=[group for group in GROUPS if group != left_out])
    assert left_out not in model.group_scores(batch)
    full = scorer()
    for name, group in model.groups.items():
        full.groups[name].load_state_dict(group.state_dict())
    for parameter in full.groups[left_out].parameters():
        parameter.data.zero_()
    torch.testing.assert_close(model(batch), full(batch))


def test_group_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match='no feature group "length"\nDid you mean "lengths"?'):
        LogisticScorer(Sizes(num_buckets=BUCKETS), groups=["length"])


def test_rows_of_a_table_are_spread_evenly() -> None:
    hashes = torch.from_numpy(np.random.default_rng(1).integers(-(2**63), 2**63, 1050))
    labels, kinds = hashes[:1000, None], hashes[None, 1000:]
    rows = table_rows(cross(labels, kinds), bits=16)
    assert rows.min() >= 0 and rows.max() < 1 << 16
    # 50,000 features in 65,536 rows occupy about 65,536 * (1 - exp(-50,000 / 65,536)) of them.
    taken = 65_536 * (1 - np.exp(-50_000 / 65_536))
    assert len(rows.unique()) == pytest.approx(taken, rel=0.02)
