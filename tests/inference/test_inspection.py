"""Looking inside models: what is seen adds up, and changes nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from squadqa.batch import Sizes
from squadqa.data.dataset import SpanDataset
from squadqa.data.squad import Source, find_source, read_squad
from squadqa.inference.answered import Preparation
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.explanation import explain, question_with_id
from squadqa.inference.inspection import attention_seen, inspect_questions
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run
from squadqa.models import DCN, BiDAF, DrQAReader, RNet
from squadqa.models.distributions import marginals
from tests.support import tiny


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return find_source(str(tiny.write(tmp_path / "questions.json", tiny.squad())))


@pytest.fixture
def how(tmp_path: Path) -> Preparation:
    return Preparation(tmp_path / "cache")


def test_a_reader_is_seen_at_chosen_questions(
    reader_run: Path, source: Source, how: Preparation
) -> None:
    run = Predictor(open_run(reader_run), device="cpu")
    dataset = run.dataset(source, how)
    before = run.answers(dataset.data)
    found = inspect_questions(run, source, [5, 0, 3], with_attention=[5], preparation=how)
    assert sorted(found) == [0, 3, 5]
    every = run.distributions(dataset)
    for row, seen in found.items():
        start, end = marginals(every[row].table())
        np.testing.assert_allclose(seen.start, start, atol=1e-6)
        np.testing.assert_allclose(seen.end, end, atol=1e-6)
        assert seen.start.sum() == pytest.approx(1, abs=1e-5)
        assert seen.contributions is None
        assert (seen.attention is not None) == (row == 5)
    words = np.diff(dataset.data.tokens.bounds)[len(dataset.data.contexts) + 5]
    attention = found[5].attention
    assert attention is not None
    assert attention.shape == (dataset.context_lengths[5], words)
    np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)
    assert run.answers(dataset.data) == before
    assert not any(layer._forward_hooks for layer in run.model.modules())


def test_a_scorer_shows_its_groups_as_explain_does(
    scorer_run: Path, source: Source, how: Preparation
) -> None:
    opened = open_run(scorer_run)
    run = Predictor(opened, device="cpu")
    found = inspect_questions(run, source, range(8), with_attention=range(8), preparation=how)
    for row, seen in found.items():
        asked = question_with_id(read_squad(source), f"q{row}")
        explained = explain(opened, asked, device="cpu")
        assert seen.attention is None
        assert seen.contributions is not None
        assert seen.contributions.chosen == pytest.approx(explained.chosen.groups, abs=1e-5)
        assert seen.contributions.rival_is_gold == (explained.gold not in (None, explained.chosen))
        if explained.rival and not seen.contributions.rival_is_gold:
            assert seen.contributions.rival == explained.rival.text


def test_an_ensemble_shows_its_probabilities(
    reader_run: Path, scorer_run: Path, source: Source, how: Preparation
) -> None:
    members = [Predictor(open_run(run), device="cpu") for run in (reader_run, scorer_run)]
    found = inspect_questions(Ensemble(members), source, [2, 7], preparation=how)
    assert list(found) == [2, 7]
    for seen in found.values():
        assert seen.start.sum() == pytest.approx(1, abs=1e-5)
        assert seen.end.sum() == pytest.approx(1, abs=1e-5)


def test_nothing_is_asked(reader_run: Path, source: Source) -> None:
    assert inspect_questions(Predictor(open_run(reader_run)), source, []) == {}


@pytest.mark.parametrize("kind", [BiDAF, DCN, DrQAReader, RNet])
def test_readers_with_attention_show_it_and_compute_the_same(kind: Any) -> None:
    torch.manual_seed(0)
    reader = kind(Sizes(vector_size=6), hidden_size=4, tuned_words=0).eval()
    batch = SpanDataset(tiny.prepared()).collate(range(8))
    with torch.inference_mode():
        plain = reader(batch)
        with attention_seen(reader) as seen:
            watched = reader(batch)
    assert torch.equal(plain.start_logits, watched.start_logits)
    assert torch.equal(plain.end_logits, watched.end_logits)
    (weights,) = seen
    assert weights.shape == (*batch.context_mask.shape, batch.question_mask.shape[1])
    real = weights[batch.context_mask]
    total = real.sum(dim=1)
    assert (total <= 1 + 1e-5).all()
    assert (total > 0).all()
    padded = ~batch.question_mask[:, None, :].expand_as(weights)[batch.context_mask]
    assert real[padded].abs().max() < 1e-6
