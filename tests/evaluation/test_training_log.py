"""The course of a training, from its CSV logs."""

from pathlib import Path

import pytest

from squadqa.errors import DataError
from squadqa.evaluation.training_log import TrainingLog, read_training_log

HEAD = "epoch,lr-Adamax,step,train/loss,val/exact_match,val/f1,val/loss\n"


def write(folder: Path, session: int, rows: str) -> None:
    path = folder / f"logs/version_{session}/metrics.csv"
    path.parent.mkdir(parents=True)
    path.write_text(HEAD + rows)


def test_curves_of_a_run(tmp_path: Path) -> None:
    write(tmp_path, 0, "0,0.002,4,9.5,,,\n0,,9,,10,20,8\n1,0.001,9,7.5,,,\n1,,19,,15,30,7\n")
    found = read_training_log(tmp_path)
    assert found.train_loss == [(4, 9.5), (9, 7.5)]
    assert found.learning_rate == [(4, 0.002), (9, 0.001)]
    assert found.f1 == [(9, 20), (19, 30)]
    assert (found.best, found.last_step, found.epochs) == ((19, 30), 19, 2)


def test_the_first_of_equal_scores_is_the_best() -> None:
    assert TrainingLog(f1=[(1, 5.0), (2, 5.0), (3, 4.0)]).best == (1, 5.0)


def test_a_resumed_run_replaces_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    write(tmp_path, 0, "0,,5,9,,,\n0,,10,8,,,\n0,,15,7,,,\n")
    write(tmp_path, 2, "0,,20,3,,,\n")
    write(tmp_path, 1, "0,,10,6,,,\n0,,16,5,,,\n")
    assert read_training_log(tmp_path).train_loss == [(5, 9), (10, 6), (16, 5), (20, 3)]


def test_nothing_is_logged_yet(tmp_path: Path) -> None:
    found = read_training_log(tmp_path)
    assert (found.best, found.last_step) == (None, 0)
    write(tmp_path, 0, "")
    assert read_training_log(tmp_path) == found


def test_infinite_values_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, 0, "0,,5,nan,,,\n0,,10,inf,,,\n0,,15,7,,,\n")
    assert read_training_log(tmp_path).train_loss == [(15, 7)]


@pytest.mark.parametrize(
    "rows", ["0,,x,9,,,\n", "0,,5,nine,,,\n", "0,,5,9,,\n\0,\n", "y,,5,9,,,\n"]
)
def test_damaged_logs_are_refused(tmp_path: Path, rows: str) -> None:
    write(tmp_path, 0, rows)
    if "\0" in rows:
        (tmp_path / "logs/version_0/metrics.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="cannot read the log of a training"):
        read_training_log(tmp_path)
