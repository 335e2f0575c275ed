"""The table of predictions for W&B: what its rows say, and how many there are."""

from pathlib import Path
from typing import Any

import pytest

from squadqa.data.prepare import PreparedData
from squadqa.evaluation.answer_types import ANSWER_TYPES
from squadqa.training import prediction_table
from squadqa.training.evaluation import Evaluation
from squadqa.training.prediction_table import COLUMNS, PredictionTable, prediction_rows
from squadqa.training.wandb_log import WandbLog
from tests.support import tiny
from tests.support.small_training import DATA, Questions, span_module, trainer

ANSWERS = Evaluation(
    predictions={"q0": "ida moss", "q1": "31 long years", "q2": "Oslo"},
    probabilities={"q0": 0.5, "q1": 0.25, "q2": 0.125},
)


def rows_of(
    evaluation: Evaluation, *, data: PreparedData = DATA, most: int = 99
) -> list[dict[str, Any]]:
    rows = prediction_rows(data, evaluation, most=most)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def test_a_row_has_the_question_its_answers_scores_and_slices() -> None:
    first = rows_of(ANSWERS)[0]
    assert first.pop("answer type") in ANSWER_TYPES
    assert first == {
        "id": "q0",
        "question": "Who kept the lighthouse?",
        "predicted": "ida moss",
        "gold": "Ida Moss",
        "outcome": "right",
        "exact_match": 100.0,
        "f1": 100.0,
        "probability": 0.5,
        "question word": "who",
        "answer length in tokens": "2",
        "context length in tokens": "up to 100",
        "position in the context": "first fifth",
        "overlap of question and sentence": "over 3/4",
    }
    outcomes = [(row["outcome"], row["f1"]) for row in rows_of(ANSWERS)[1:3]]
    assert outcomes == [("partly right", pytest.approx(80)), ("wrong", 0.0)]


def test_the_columns_are_the_same_where_types_of_answers_are_not_known() -> None:
    data = tiny.prepared(annotated=False)
    (unknown, *_), (known, *_) = rows_of(ANSWERS, data=data), rows_of(ANSWERS)
    assert unknown == {**known, "answer type": None}


def test_a_question_without_a_prediction_counts_as_wrong() -> None:
    row = rows_of(ANSWERS)[3]
    assert (row["predicted"], row["probability"]) == (None, None)
    assert (row["outcome"], row["exact_match"], row["f1"]) == ("wrong", 0.0, 0.0)


def test_a_question_without_an_answer_is_scored_by_the_rule_of_v2() -> None:
    data = tiny.prepared(tiny.one_question(answers=[]))
    said = {"predictions": {"only": ""}, "probabilities": {"only": 0.75}}
    (row,) = rows_of(Evaluation(**said, v2={"exact": 100.0}), data=data)
    assert (row["gold"], row["predicted"], row["outcome"]) == ("", "", "right")
    assert (row["probability"], row["answer length in tokens"]) == (0.75, None)


def test_of_too_many_questions_some_are_chosen_evenly() -> None:
    assert [row["id"] for row in rows_of(ANSWERS, most=4)] == ["q0", "q2", "q4", "q6"]


class Recorded(WandbLog):
    """A log of W&B that only keeps what it is told."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, mode="offline")
        self.told: dict[str, Any] = {}

    experiment = None  # type: ignore[assignment]

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        self.told.update(metrics)

    def log_table(self, key: str, **table: Any) -> None:
        self.told[key] = table


class Prepared(Questions):
    def prepared(self, part: str) -> PreparedData:
        return {"test": DATA}[part]


@pytest.mark.parametrize(("most", "left_out"), [(8, 0), (5, 3)])
def test_a_table_says_what_it_leaves_out(
    most: int, left_out: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_table, "MOST_ROWS", most)
    table, log, module = PredictionTable(), Recorded(tmp_path), span_module()
    trainer(tmp_path, logger=[log], callbacks=[table]).test(module, Prepared(), verbose=False)
    assert len(log.told["predictions"]["data"]) == most
    assert table.left_out == log.told.get("predictions/left_out", 0) == left_out
    means = {
        name: sum(row[COLUMNS.index(name)] for row in log.told["predictions"]["data"]) / most
        for name in ("exact_match", "f1")
    }
    if not left_out:
        assert means == pytest.approx(
            {name: module.evaluation.scores[name] for name in ("exact_match", "f1")}
        )
    for row in log.told["predictions"]["data"]:
        assert 0 < row[COLUMNS.index("probability")] <= 1
