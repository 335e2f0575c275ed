"""The table of a training's answers to the test questions, at Weights & Biases."""

import math
from typing import Any

import numpy as np
import pytorch_lightning as pl

from squadqa.data.prepare import PreparedData
from squadqa.evaluation.question_slices import DIMENSIONS, dimensions
from squadqa.evaluation.questions import describe_questions
from squadqa.evaluation.systems import OUTCOMES, outcomes_of
from squadqa.scoring_v2 import score_each
from squadqa.training.evaluation import Evaluation
from squadqa.training.module import QAModule
from squadqa.training.samples import evenly
from squadqa.training.wandb_log import WandbLog

MOST_ROWS = 20_000
"""Most questions in the table. All of SQuAD's dev, v1.1 (10,570) or v2.0 (11,873), which take about
3 MB; a page of W&B with many more rows is slow."""

KEY = "predictions"
"""The table's name at W&B."""

COLUMNS = (
    "id", "question", "predicted", "gold", "outcome", "exact_match", "f1", "probability",
    *DIMENSIONS,
)  # fmt: skip
"""The table's columns, which are the same for every run, so that W&B can join two runs by "id"."""


def prediction_rows(data: PreparedData, evaluation: Evaluation, *, most: int) -> list[list[Any]]:
    """Make the rows of the table.

    Args:
        data: The questions. Their contexts are not in the table.
        evaluation: The answers to them.
        most: The most rows; of more questions some are chosen evenly, the same ones for every run.

    Returns:
        For each question the values of `COLUMNS`, None where unknown. `exact_match` and `f1` are in
        percent, so that their means are the official scores; a question that was not answered has
        0. `probability` is 0 to 1, that of "no answer" if `predicted` is empty.
    """
    questions = describe_questions(data)
    ids = questions.ids
    texts = [evaluation.predictions.get(name) for name in ids]
    exact, f1 = score_each(
        [text or "" for text in texts], questions.references, is_v2=bool(evaluation.v2)
    )
    answered = np.array([text is not None for text in texts], bool)
    exact_match, f1_scores = np.array(exact) * answered, np.array(f1) * answered
    outcomes = outcomes_of(exact_match, f1_scores)
    slices = {one.name: one for one in dimensions(questions)}
    rows = []
    for row in evenly(len(ids), most):
        probability = evaluation.probabilities.get(ids[row], math.nan)
        references = questions.references[row]
        labels = [slices[name].label_of(row) if name in slices else None for name in DIMENSIONS]
        rows.append(
            [
                ids[row],
                questions.texts[row],
                texts[row],
                references[0] if references else "",
                OUTCOMES[int(outcomes[row])],
                100.0 * float(exact_match[row]),
                100.0 * float(f1_scores[row]),
                None if math.isnan(probability) else probability,
                *labels,
            ]
        )
    return rows


class PredictionTable(pl.Callback):
    """Logs the table to Weights & Biases after the test questions are answered."""

    def __init__(self) -> None:
        self.left_out = 0
        """Test questions that are not in the table, as there are more than `MOST_ROWS`."""

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the table, in one process (called by Lightning)."""
        logs = [each for each in trainer.loggers if isinstance(each, WandbLog)]
        if not logs or not trainer.is_global_zero or not isinstance(pl_module, QAModule):
            return
        data = pl_module.data.prepared("test")
        rows = prediction_rows(data, pl_module.evaluation, most=MOST_ROWS)
        self.left_out = len(data.ids) - len(rows)
        for log in logs:
            log.log_table(KEY, columns=COLUMNS, data=rows, step=trainer.global_step)
            if self.left_out:
                log.log_metrics({f"{KEY}/left_out": self.left_out}, trainer.global_step)
