import json
from pathlib import Path
from typing import Any

import pytest
import rates
from rates import Rates, StepEnd
from step_times import StepTimes

from tests.tools.conftest import MakeCheckout

CONFIG = "seed_everything: 1\nseconds: "


def ends(*values: tuple[float, float, int]) -> list[StepEnd]:
    return [StepEnd(*value) for value in values]


def test_the_rates_are_those_of_the_steps_after_the_warm_up() -> None:
    steps = ends((10.0, 1.0, 500), (13.0, 3.0, 500), (14.0, 3.5, 6), (17.0, 5.0, 10))
    assert rates.rates(steps, warm_up=2) == Rates(by_clock=16 / 4, by_cpu=16 / 2)
    with pytest.raises(ValueError, match="4 steps, of which 4"):
        rates.rates(steps, warm_up=4)


def test_the_number_of_steps_follows_from_the_seconds() -> None:
    # Half a second each, once warm.
    pilot = ends((0.0, 0.0, 32), (9.0, 0.0, 32), (9.5, 0.0, 32), (10.0, 0.0, 32))
    assert rates.steps_for(40, pilot, warm_up=2) == 2 + 80
    assert rates.steps_for(0.1, pilot, warm_up=2) == 2 + 2


def test_a_row_has_medians_and_how_far_the_rounds_agree() -> None:
    by_clock = [(10, 11), (40, 20), (20, 30)]
    reported = rates.row("drqa", 90, [(Rates(old, 50), Rates(new, 55)) for old, new in by_clock])
    assert reported == "| drqa | 90 | 20.0 | 20.0 | 1.000 | 0.500 to 1.500 | 1.100 |"


def test_checkouts_are_measured_in_turns(
    make_checkout: MakeCheckout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = make_checkout("old", {"drqa": f"{CONFIG}0.5"})
    new = make_checkout("new", {"drqa": f"{CONFIG}0.25"})
    places = [str(old.folder), str(new.folder), "--data", "squad", "--cache", str(tmp_path)]
    assert rates.main([*places, "--config", "drqa", "--rounds", "2", "--seconds", "20"]) == 0
    output = capsys.readouterr()
    row = "| drqa | 45 | 64.0 | 128.0 | 2.000 | 2.000 to 2.000 | 2.000 |"
    assert output.out.splitlines()[-1] == row
    assert output.err.count("45 steps, 64.0 and 128.0 questions/s") == 2
    trained = [(each.folder / "trained.txt").read_text().count("drqa") for each in (old, new)]
    assert trained == [3, 2]  # the first finds out how many steps it takes


def test_a_failed_training_is_reported(
    make_checkout: MakeCheckout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(make_checkout("one", {"drqa": "seed_everything: 1\nerror: no data"}).folder)
    places = [folder, folder, "--data", "squad", "--cache", str(tmp_path)]
    assert rates.main([*places, "--config", "drqa"]) == 1
    assert capsys.readouterr().err == "drqa: no data\n"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(["--config", "drq"], '"drq"; known: drqa'), (["--config", "drqa", "--steps", "5"], "be 5")],
)
def test_mistakes_are_reported_before_the_work(
    wrong: list[str],
    said: str,
    make_checkout: MakeCheckout,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = str(make_checkout("one", {"drqa": f"{CONFIG}1"}).folder)
    with pytest.raises(SystemExit):
        rates.main([folder, folder, "--data", "squad", "--cache", str(tmp_path), *wrong])
    assert said in capsys.readouterr().err


def test_the_callback_writes_each_steps_time_and_questions(tmp_path: Path) -> None:
    nothing: Any = None
    times = StepTimes(str(tmp_path / "times.json"))
    for batch in ("abc", "de"):
        times.on_train_batch_end(nothing, nothing, nothing, batch, 0)
    times.on_train_end(nothing, nothing)
    first, second = (StepEnd(*end) for end in json.loads((tmp_path / "times.json").read_text()))
    assert (first.questions, second.questions) == (3, 2)
    assert 0 < first.seconds <= second.seconds
    assert 0 < first.cpu_seconds <= second.cpu_seconds
