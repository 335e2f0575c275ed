"""Word dropout: words without their vectors."""

from dataclasses import dataclass

import torch

from squadqa.batch import WordBatch
from squadqa.data.dataset import SpanDataset
from squadqa.training.word_dropout import drop_words
from tests.support import tiny

DATASET = SpanDataset(tiny.prepared(), frequent=["the", "?", "Ida", "kept"])


def test_a_form_loses_its_vector_and_its_tuning_together() -> None:
    batch = DATASET.collate(range(8))
    torch.manual_seed(0)
    dropped = drop_words(batch, share=0.4)
    gone = (dropped.forms.vectors == 0).all(dim=1)
    assert 0.2 < gone[1:].float().mean() < 0.6
    assert dropped.forms.vectors[~gone].equal(batch.forms.vectors[~gone]), "nothing is scaled"
    assert dropped.forms.frequent.equal(batch.forms.frequent.masked_fill(gone, 0))
    assert (batch.forms.frequent[gone] > 0).any(), "otherwise the line above proves nothing"


def test_everything_else_is_unchanged() -> None:
    batch = DATASET.collate([0, 1])
    dropped = drop_words(batch, share=0.9)
    assert dropped.forms.characters is batch.forms.characters
    for name in ("context_ids", "question_ids", "context_matches", "start_positions"):
        assert getattr(dropped, name) is getattr(batch, name)
    assert batch.forms.vectors[1:].any(), "the batch itself is left alone"


@dataclass(frozen=True)
class Candidates:
    """The fields of a batch of candidates that are read."""

    words: WordBatch


def test_it_works_for_scorers_that_read_words() -> None:
    forms = DATASET.collate([0]).forms
    ids = torch.zeros(1, 1, dtype=torch.long)
    dropped = drop_words(Candidates(WordBatch(forms, ids, ids)), share=1.0)
    assert not dropped.words.forms.vectors.any()
