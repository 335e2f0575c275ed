"""A table of a few fixed questions, to look at while a model learns."""

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl

from squadqa.data.dataset import QuestionDataset
from squadqa.training.module import QAModule
from squadqa.training.wandb_log import WandbLog

TABLE_ROWS = 20
"""Number of questions in the table that is logged to Weights & Biases."""


def evenly(total: int, count: int) -> list[int]:
    """Choose rows evenly, in order: `count` of them, or all if there are fewer.

    Args:
        total: The number of rows.
        count: How many to choose.
    """
    return sorted({total * number // count for number in range(count)}) if total else []


def fixed_questions(
    dataset: QuestionDataset[Any], predictions: Mapping[str, str], *, count: int
) -> list[tuple[str, str, str]]:
    """Choose questions evenly from a data set, the same ones at every evaluation.

    Args:
        dataset: The questions that were evaluated.
        predictions: Predicted answers by question id; a question that is missing is left out.
        count: How many to choose.

    Returns:
        For each: question, first reference ("" if there is none), and prediction.
    """
    rows = []
    for item in evenly(len(dataset), count):
        if (identifier := dataset.id_of(item)) in predictions:
            references = dataset.references_of(item)
            rows.append(
                (
                    dataset.question_of(item),
                    references[0] if references else "",
                    predictions[identifier],
                )
            )
    return rows


class SampleTable(pl.Callback):
    """Logs a table of sample predictions to Weights & Biases after each evaluation."""

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the table (called by Lightning)."""
        if trainer.sanity_checking or not isinstance(pl_module, QAModule):
            return
        rows = fixed_questions(
            pl_module.data.datasets["val"], pl_module.evaluation.predictions, count=TABLE_ROWS
        )
        for logger in trainer.loggers:
            if isinstance(logger, WandbLog):
                logger.log_table(
                    key="val/samples",
                    columns=["question", "gold", "predicted"],
                    data=rows,
                    step=trainer.global_step,
                )
