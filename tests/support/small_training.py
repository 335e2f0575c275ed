"""A small reader and a trainer for a few questions in memory."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from squadqa.batch import Sizes
from squadqa.data.dataset import SpanDataset
from squadqa.data.inputs import Inputs, SpanInputs
from squadqa.models.readers.drqa import DrQAReader
from squadqa.nn.char_cnn import KernelBankCharCNN
from squadqa.training.span_module import SpanModule
from tests.support import tiny

DATA = tiny.prepared(vector_size=6)
STEPS = 4  # of eight questions, two in a batch


class Questions(pl.LightningDataModule):
    """The tiny SQuAD as every part."""

    sizes = Sizes(vector_size=6, tuned_words=1000, num_buckets=3)
    inputs: Inputs = SpanInputs()
    batches_per_epoch = STEPS

    def __init__(self) -> None:
        super().__init__()
        self.dataset = SpanDataset(DATA)
        self.datasets = dict.fromkeys(("train", "val", "test", "predict"), self.dataset)

    def _loader(self) -> torch.utils.data.DataLoader[Any]:
        return torch.utils.data.DataLoader(
            self.dataset, batch_size=2, collate_fn=self.dataset.collate
        )

    train_dataloader = val_dataloader = test_dataloader = predict_dataloader = _loader


EVERY = Questions().dataset.collate(range(8))


def reader(sizes: Sizes, *, max_span_length: int = 17) -> DrQAReader:
    return DrQAReader(
        sizes,
        char_cnn=KernelBankCharCNN(filters={3: 4}, character_size=4),
        embedding_size=8,
        hidden_size=4,
        num_layers=1,
        tuned_words=0,
        max_span_length=max_span_length,
    )


def span_module(**options: Any) -> SpanModule:
    torch.manual_seed(0)
    return SpanModule(reader, **options)


def trainer(folder: Path, **options: Any) -> pl.Trainer:
    return pl.Trainer(
        **{
            "accelerator": "cpu",
            "max_epochs": 2,
            "num_sanity_val_steps": 0,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "default_root_dir": folder,
            **options,
        }
    )
