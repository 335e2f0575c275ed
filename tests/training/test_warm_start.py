"""A training that begins with another run's weights."""

from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from squadqa.batch import Sizes
from squadqa.data.dataset import SpanDataset
from squadqa.data.inputs import SpanInputs
from squadqa.errors import CheckpointError
from squadqa.models import DrQAReader, LogisticScorer
from squadqa.nn.char_cnn import KernelBankCharCNN
from squadqa.training.span_module import SpanModule
from squadqa.training.warm_start import WarmStart, take_weights
from tests.support import tiny


def reader(*, seed: int, vector_size: int = 6, tuned: int = 3, hidden: int = 4) -> DrQAReader:
    torch.manual_seed(seed)
    made = DrQAReader(
        Sizes(vector_size, 1000),
        char_cnn=KernelBankCharCNN(filters={3: 4}, character_size=4),
        embedding_size=8,
        hidden_size=hidden,
        num_layers=1,
        tuned_words=tuned,
    )
    torch.nn.init.normal_(made.embedder.words.tuning.weight)
    return made


def weights(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


WORDS = ["the", "of", "Ida"]


def test_an_equal_model_takes_everything() -> None:
    old, new = reader(seed=1), reader(seed=2)
    result = take_weights(new, weights(old), frequent=(WORDS, WORDS), name="old")
    assert list(result.taken) == list(old.state_dict())
    assert not (result.reshaped or result.missing or result.unused)
    for name, value in new.state_dict().items():
        if name == "embedder.words.tuning.weight":
            value, other = value[1:], old.state_dict()[name][1:]
            assert value.equal(other)
        else:
            assert value.equal(old.state_dict()[name]), name


def test_another_output_layer_is_not_changed() -> None:
    old, new = reader(seed=1), reader(seed=2)
    given, before = weights(old), weights(new)
    name = next(name for name in given if name.startswith("end_pointer"))
    given[name] = given[name][:-1]
    del given["question_pooling.query.weight"]
    given["answer_net.weight"] = torch.zeros(2)
    result = take_weights(new, given, frequent=(WORDS, WORDS), name="old")
    shape = tuple(before[name].shape)
    assert result.reshaped == {name: (shape, (shape[0] - 1, *shape[1:]))}
    assert result.missing == ("question_pooling.query.weight",)
    assert result.unused == ("answer_net.weight",)
    after = new.state_dict()
    for left in (name, "question_pooling.query.weight"):
        assert after[left].equal(before[left])
        assert left not in result.taken
    assert after["embedder.words.projection.weight"].equal(
        given["embedder.words.projection.weight"]
    )


def test_tuned_vectors_go_with_their_words() -> None:
    old, new = reader(seed=1, tuned=3), reader(seed=2, tuned=4)
    frequent = (["Ida", "sea", "the", "of"], WORDS)
    result = take_weights(new, weights(old), frequent=frequent, name="old")
    assert "embedder.words.tuning.weight" in result.taken
    there, here = old.embedder.words.tuning.weight, new.embedder.words.tuning.weight
    assert here[1].equal(there[3])
    assert not here[2].any(), "a word that was not tuned"
    assert here[3].equal(there[1])
    assert here[4].equal(there[2])
    assert not here[0].any(), "that of all other words"


def test_vectors_of_another_width_are_reported() -> None:
    old, new = reader(seed=1, vector_size=5), reader(seed=2)
    result = take_weights(new, weights(old), frequent=(WORDS, WORDS), name="old")
    assert result.reshaped["embedder.words.tuning.weight"] == ((4, 6), (4, 5))
    assert result.reshaped["embedder.words.projection.weight"] == ((8, 10), (8, 9))
    assert "context_rnn" in {name.partition(".")[0] for name in result.taken}


def test_a_model_with_nothing_in_common_is_refused() -> None:
    other = LogisticScorer(Sizes(num_buckets=3), table_bits=3)
    with pytest.raises(
        CheckpointError, match=r'none of the \d+ weights of "runs/x" fits'
    ) as caught:
        take_weights(other, weights(reader(seed=1)), frequent=((), WORDS), name="runs/x")
    assert caught.value.hint.startswith('There is "embedder.words.')


@pytest.mark.parametrize("ema_decay", [None, 0.5])
def test_training_begins_with_the_copied_weights(tmp_path: Path, ema_decay: float | None) -> None:
    """Also with a new average of them, if one is kept."""
    given = weights(reader(seed=1))
    start = WarmStart("old", given, frequent=WORDS, vectors=[])
    module = SpanModule(
        lambda sizes: reader(seed=2, vector_size=sizes.vector_size), ema_decay=ema_decay
    )
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=0,
        callbacks=[start],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(module, datamodule=Questions())
    assert start.result is not None
    model = module.eval().active
    assert model is (module.model if ema_decay is None else module.average.model)
    for name, value in model.state_dict().items():
        assert name == "embedder.words.tuning.weight" or value.equal(given[name]), name


class Questions(pl.LightningDataModule):
    """The tiny SQuAD, with other frequent words."""

    sizes = Sizes(vector_size=6, tuned_words=1000)
    batches_per_epoch = 4

    def __init__(self) -> None:
        super().__init__()
        self.inputs = SpanInputs()
        self.inputs.frequent = ["sea"]
        self.dataset = SpanDataset(tiny.prepared(vector_size=6))
        self.datasets = {"train": self.dataset}

    def train_dataloader(self) -> torch.utils.data.DataLoader[int]:
        return torch.utils.data.DataLoader(
            self.dataset, batch_size=2, collate_fn=self.dataset.collate
        )
