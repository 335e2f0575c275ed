import json
import math
from pathlib import Path

import pytest
from records import Record, Setting, compare, from_json, read_losses, read_run, to_json

LOG = """\
epoch,lr-Adam,step,test/loss,train/loss,val/loss
,4e-05,0,,,
0,,0,,9.829793930053711,
0,,1,,nan,
0,,1,,,7.77016544342041
1,,2,7.625291347503662,,
"""
ONE = Record({"step 1": (0.5).hex(), "test": (0.25).hex()}, {"a": "Mill", "b": "Quay"})


def changed(**values: float) -> Record:
    losses = {key.replace("_", " "): value.hex() for key, value in values.items()}
    return Record({**ONE.losses, **losses}, ONE.predictions)


def test_losses_are_read_by_their_place() -> None:
    losses = read_losses(LOG)
    assert list(losses) == ["step 1", "step 2", "val", "test"]
    assert float.fromhex(losses["step 1"]) == 9.829793930053711
    assert math.isnan(float.fromhex(losses["step 2"]))
    assert float.fromhex(losses["val"]) == 7.77016544342041


def test_rounded_losses_prove_nothing() -> None:
    with pytest.raises(ValueError, match="9.8298 in metrics.csv is rounded"):
        read_losses(LOG.replace("9.829793930053711", "9.8298"))


def test_a_run_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "logs" / "version_0").mkdir(parents=True)
    with pytest.raises(ValueError, match="0 files"):
        read_run(tmp_path, steps=2)
    (tmp_path / "logs" / "version_0" / "metrics.csv").write_text(LOG)
    (tmp_path / "predictions.json").write_text("{}")
    with pytest.raises(ValueError, match="is empty"):
        read_run(tmp_path, steps=2)
    (tmp_path / "predictions.json").write_text('{"a": "x"}')
    assert read_run(tmp_path, steps=2) == Record(read_losses(LOG), {"a": "x"})
    with pytest.raises(ValueError, match="no loss of step 3, step 4$"):
        read_run(tmp_path, steps=4)


def test_equal_records() -> None:
    comparison = compare("drqa", ONE, changed())
    assert comparison.is_same
    assert comparison.row == "| drqa | 2 equal | 0 | 2 equal |"


def test_the_last_bit_of_a_loss_counts() -> None:
    comparison = compare("drqa", ONE, changed(test=math.nextafter(0.25, 1)))
    assert not comparison.is_same
    assert comparison.difference == math.ulp(0.25)
    assert comparison.losses == "1 of 2 differ, first: test"
    assert comparison.predictions == "2 equal"


def test_the_largest_difference_is_reported() -> None:
    comparison = compare("drqa", ONE, changed(step_1=0.75, test=0.375))
    assert comparison.row == "| drqa | 2 of 2 differ, first: step 1 | 0.25 | 2 equal |"


def test_a_loss_that_is_not_a_number() -> None:
    same = compare("drqa", changed(test=math.nan), changed(test=math.nan))
    assert (same.is_same, same.difference) == (True, 0)
    comparison = compare("drqa", ONE, changed(test=math.nan))
    assert (comparison.is_same, comparison.difference) == (False, math.inf)


def test_a_loss_that_is_missing() -> None:
    comparison = compare("drqa", ONE, Record({"test": ONE.losses["test"]}, ONE.predictions))
    assert (comparison.is_same, comparison.difference) == (False, math.inf)
    assert comparison.losses == "1 of 2 differ, first: step 1"


def test_predictions_that_differ_are_counted() -> None:
    comparison = compare("drqa", ONE, Record(ONE.losses, {"a": "mill", "c": "Quay"}))
    assert not comparison.is_same
    assert (comparison.losses, comparison.predictions) == ("2 equal", "3 of 3 differ")


@pytest.mark.parametrize(
    ("old", "new", "said", "is_same"),
    [
        (None, ONE, "only in new", True),
        (ONE, None, "only in old", False),
        (Record(skipped="no x"), Record(skipped="no y"), "skipped: no y", True),
        (ONE, Record(skipped="no x"), "new skipped: no x", False),
        (Record(failed="KeyError"), ONE, "old failed: KeyError", False),
        (Record(failed="a|b"), Record(failed="c"), "old failed: a/b; new failed: c", False),
        (Record(failed="a"), Record(skipped="b"), "old failed: a; new skipped: b", False),
    ],
)
def test_without_two_trainings(
    old: Record | None, new: Record | None, said: str, is_same: bool
) -> None:
    comparison = compare("drqa", old, new)
    assert comparison.row == f"| drqa | {said} |  |  |"
    assert comparison.is_same == is_same


def test_records_come_back_from_a_file() -> None:
    setting = Setting(20, 1, "0123", "torch 2", "Abacus")
    records = {"drqa": ONE, "wide": Record(skipped="no x")}
    assert from_json(to_json("abc", setting, records)) == ("abc", setting, records)


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", "{", json.dumps({"commit": "a", "setting": {"step": 1}, "records": {}})],
)
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)
