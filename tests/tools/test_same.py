import json
import sys
from pathlib import Path

import pytest
import same
from checkouts import Checkout

from tests.tools.conftest import MakeCheckout

ROOT = Path(__file__).parents[2]
WHOLE = "seed_everything: 1\n"
CONFIGS = {"drqa": WHOLE, "char_cnn/vgg": "char_cnn: VGG\n"}


def compare(*arguments: str | Checkout) -> int:
    words = [str(one.folder) if isinstance(one, Checkout) else one for one in arguments]
    return same.main(words)


def rows(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")][2:]


def test_checkouts_that_do_the_same(
    make_checkout: MakeCheckout, capsys: pytest.CaptureFixture[str]
) -> None:
    old = make_checkout("old", CONFIGS)
    new = make_checkout("new", CONFIGS, run_option="--run_folder")
    assert compare(old, new) == 0
    assert rows(capsys) == [
        "| char_cnn/vgg | 22 equal | 0 | 2 equal |",
        "| drqa | 22 equal | 0 | 2 equal |",
    ]


def test_a_difference_is_reported(
    make_checkout: MakeCheckout, capsys: pytest.CaptureFixture[str]
) -> None:
    old = make_checkout("old", CONFIGS)
    new = make_checkout("new", CONFIGS | {"char_cnn/vgg": "loss: 0.75\nanswer: z"})
    assert compare(old, new, "--steps", "3") == 1
    assert rows(capsys) == [
        "| char_cnn/vgg | 3 of 5 differ, first: step 1 | 0.25 | 1 of 2 differ |",
        "| drqa | 5 equal | 0 | 2 equal |",
    ]
    assert compare(old, new, "--only", "drqa") == 0


def test_a_training_without_its_package_is_skipped(
    make_checkout: MakeCheckout, capsys: pytest.CaptureFixture[str]
) -> None:
    configs = {"drqa": WHOLE, "vectors/wide": "error: the package x is not installed"}
    assert compare(make_checkout("old", configs), make_checkout("new", configs)) == 0
    assert rows(capsys)[1] == "| vectors/wide | skipped: the package x is not installed |  |  |"


def test_a_training_that_fails_on_both_sides_proves_nothing(
    make_checkout: MakeCheckout, capsys: pytest.CaptureFixture[str]
) -> None:
    configs = {"drqa": f"{WHOLE}error: no such loss"}
    assert compare(make_checkout("old", configs), make_checkout("new", configs)) == 1
    assert rows(capsys) == ["| drqa | old failed: no such loss; new failed: no such loss |  |  |"]


def test_kept_records_stand_for_the_old_checkout(
    make_checkout: MakeCheckout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, kept = make_checkout("old", CONFIGS), str(tmp_path / "kept.json")
    assert compare(old, "--save-old", kept) == 0
    assert rows(capsys)[1] == "| drqa | 22 recorded |  | 2 recorded |"
    assert compare(kept, make_checkout("same", CONFIGS)) == 0
    other = make_checkout("other", CONFIGS | {"drqa": f"{WHOLE}answer: z"})
    assert compare(kept, other) == 1
    assert rows(capsys)[-1] == "| drqa | 22 equal | 0 | 1 of 2 differ |"
    trained = (old.folder / "trained.txt").read_text().split()
    assert sorted(trained) == ["drqa", "vgg"]  # once each


@pytest.mark.parametrize("change", ["steps", "data"])
def test_records_of_other_steps_or_data_are_refused(
    change: str, make_checkout: MakeCheckout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, kept = make_checkout("new", CONFIGS), str(tmp_path / "kept.json")
    compare(make_checkout("old", CONFIGS), "--save-old", kept)
    if change == "data":
        (new.sample / "train.json").write_text("[]")
    with pytest.raises(SystemExit) as caught:
        compare(kept, new, *(["--steps", "4"] if change == "steps" else []))
    assert caught.value.code == 2
    assert "the steps or the data differ" in capsys.readouterr().err


def test_other_packages_are_reported(
    make_checkout: MakeCheckout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, kept = make_checkout("new", CONFIGS), tmp_path / "kept.json"
    compare(new, "--save-old", str(kept))
    content = json.loads(kept.read_text())
    content["setting"]["packages"] = "torch 0.1"
    kept.write_text(json.dumps(content))
    assert compare(str(kept), new) == 0
    output = capsys.readouterr().out
    assert "torch 0.1" in output
    assert "The packages or the processors differ" in output


@pytest.mark.parametrize("place", ["nowhere", "nowhere.json"])
def test_missing_files_are_reported(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        compare(place)
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.slow(seconds=400)
def test_a_real_training_is_the_same_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    this = [str(ROOT), str(ROOT), "--python-old", sys.executable, "--python-new", sys.executable]
    options = ["--only", "quickstart", "--steps", "3", "--cache", str(tmp_path)]
    assert compare(*this, *options) == 0
    assert rows(capsys) == ["| quickstart | 5 equal | 0 | 559 equal |"]
