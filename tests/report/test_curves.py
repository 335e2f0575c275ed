"""Curves of trainings, as pictures."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from squadqa.evaluation.training_log import TrainingLog
from squadqa.report.curves import MOST_POINTS, curves_picture, thinned, write_curves

LOG = TrainingLog(
    train_loss=[(step, 10 - step / 100) for step in range(0, 900, 10)],
    val_loss=[(300, 8.0), (600, 7.0), (900, 7.5)],
    exact_match=[(300, 10.0), (600, 30.0), (900, 25.0)],
    f1=[(300, 20.0), (600, 40.0), (900, 35.0)],
    learning_rate=[(0, 0.002), (890, 0.0001)],
)


def test_loss_scores_and_rate_are_drawn_with_the_best_checkpoint() -> None:
    root = ElementTree.fromstring(curves_picture(LOG, "a <b>"))
    assert root.attrib["aria-label"] == "Training of a <b>; best F1 40.0 % after 601 steps"
    texts = ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("}text")]
    assert {"loss in nats", "learning rate", "train", "validation", "F1", "exact match"} <= {*texts}
    assert len([each for each in root.iter() if each.tag.endswith("polyline")]) == 5
    named = [each.text for each in root.iter() if each.tag.endswith("title")]
    assert named.count("best checkpoint: step 601, F1 40.0 %") == 3


def test_what_is_not_logged_is_left_out() -> None:
    root = ElementTree.fromstring(curves_picture(TrainingLog(train_loss=[(5, 9.0)]), "a"))
    texts = ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("}text")]
    assert "loss in nats" in texts
    assert not {"learning rate", "F1"} & {*texts}
    assert any(each.tag.endswith("circle") for each in root.iter())  # a single point is seen


def test_long_curves_keep_their_mean() -> None:
    curve = [(step, float(step % 7)) for step in range(5 * MOST_POINTS + 3)]
    few = thinned(curve)
    assert len(few) <= MOST_POINTS
    assert few[0] == (sum(range(6)) / 6, sum(range(6)) / 6)
    assert thinned(curve[:9]) == curve[:9]
    assert thinned([]) == []


def test_the_file_stands_in_the_run_folder(tmp_path: Path) -> None:
    assert write_curves(tmp_path) is None
    log = tmp_path / "logs/version_0/metrics.csv"
    log.parent.mkdir(parents=True)
    log.write_text("epoch,step,train/loss,val/f1\n0,5,9,\n0,9,,20\n")
    assert write_curves(tmp_path) == tmp_path / "curves.svg"
    root = ElementTree.parse(tmp_path / "curves.svg").getroot()
    assert root.attrib["aria-label"].startswith(f"Training of {tmp_path.name}")
    assert "prefers-color-scheme: dark" in (tmp_path / "curves.svg").read_text()


@pytest.mark.parametrize("value", [0.0, -3.0, 5.0])
def test_constant_curves(value: float) -> None:
    ElementTree.fromstring(curves_picture(TrainingLog(train_loss=[(1, value), (2, value)]), "a"))
