"""README's table and the page of all results are made from the files of results/."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from squadqa.errors import DataError
from squadqa.evaluation.results import Result, read_results, write_result
from tests.support.runs import ROOT
from tools import results_table
from tools.results_table import (
    BEGIN,
    END,
    HUMAN,
    PUBLISHED,
    SQUAD_DEV_QUESTIONS,
    pages,
    readme_table,
    replace_table,
    results_page,
    system_of,
    update,
)

RESULT = Result(
    name="drqa",
    configs=("configs/drqa.yaml", "configs/vectors/wide.yaml"),
    overrides={},
    command="squadqa train --config configs/drqa.yaml --config configs/vectors/wide.yaml",
    data="squad",
    split="dev",
    total=SQUAD_DEV_QUESTIONS,
    seed=7,
    commit="0123456789abcdef-dirty",
    hardware="Abacus, 2 cores, 8 GiB",
    device="cpu",
    vectors="GloVe 6B 50d",
    budget_minutes=None,
    minutes=61.25,
    epochs=3.5,
    examples_per_second=118.4,
    parameters=1_234_567,
    exact_match=60.12345678901234,
    f1=72.0,
    notes="",
)
ENSEMBLE = replace(
    RESULT,
    name="both",
    configs=(),
    command="squadqa ensemble drqa bidaf --data squad",
    epochs=None,
    examples_per_second=None,
    f1=75.0,
)
BASELINE = replace(
    ENSEMBLE,
    name="window",
    command="squadqa baseline sliding-window --data squad",
    minutes=None,
    parameters=0,
    f1=22.0,
)


def cells(table: str) -> list[list[str]]:
    """The rows of a markdown table under its heading, each as its cells."""
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def systems(table: str) -> list[str]:
    """The first cell of each row, as plain text."""
    return [re.sub(r"[*\[\]]|\(.*\)", "", row[0]) for row in cells(table)]


def groups(page: str) -> dict[str, str]:
    """The tables of a page by their headings."""
    parts = page.split("\n## ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


def test_the_system_is_the_first_configuration_or_the_command() -> None:
    assert system_of(RESULT) == "drqa"
    assert system_of(ENSEMBLE) == "ensemble"


def test_readme_has_the_best_of_each_system_among_the_published_the_best_first() -> None:
    worse = replace(RESULT, name="drqa-again", f1=71.0)
    other = replace(RESULT, name="logistic", configs=("configs/logistic_paper.yaml",), f1=56.0)
    assert systems(readme_table([worse, BASELINE, other, RESULT, ENSEMBLE])) == [
        "Human",
        "DrQA reader",
        "both",
        "drqa",
        "logistic",
        "Logistic regression",
    ]


@pytest.mark.parametrize("change", [{"total": 10}, {"budget_minutes": 30.0}, {"parameters": 0}])
def test_readme_leaves_out_other_data_short_trainings_and_untrained_rows(
    change: dict[str, float],
) -> None:
    assert systems(readme_table([replace(RESULT, **change)])) == [HUMAN.name]  # type: ignore[arg-type]


def test_a_training_of_enough_epochs_is_a_full_one_whatever_its_minutes() -> None:
    ours = replace(RESULT, budget_minutes=120.0, epochs=4.0)
    assert "drqa" in systems(readme_table([ours]))
    (table,) = groups(results_page([ours])).values()
    assert "drqa" in systems(table)
    assert len(groups(results_page([replace(ours, epochs=3.9)]))) == 2


def test_of_several_published_forms_readme_has_the_best() -> None:
    ours = replace(RESULT, name="ours", configs=("configs/match_lstm.yaml",))
    assert systems(readme_table([ours])) == ["Human", "Match-LSTM, bidirectional pointer", "ours"]


def test_a_row_of_readme_names_its_configuration_and_links_to_its_file() -> None:
    changed = replace(RESULT, overrides={"model.decay": "none"})
    _, _, ours = cells(readme_table([changed]))
    link = "[drqa + wide + `model.decay none`](results/drqa.json)"
    assert ours == ["**drqa**", "**60.1**", "**72.0**", "61", link]
    ours = cells(readme_table([ENSEMBLE]))[-1]
    assert ours[-1] == "[`squadqa ensemble drqa bidaf --data squad`](results/both.json)"


@pytest.mark.parametrize(
    ("minutes", "shown"), [(None, ""), (0.036, "0.04"), (1.95, "1.9"), (103.2, "103")]
)
def test_minutes_are_shown_with_two_digits_or_left_empty(minutes: float, shown: str) -> None:
    assert cells(readme_table([replace(RESULT, minutes=minutes)]))[-1][3] == shown


def test_our_rows_are_sorted_among_published_ones_by_f1() -> None:
    (table,) = groups(results_page([RESULT])).values()
    found = systems(table)
    assert sorted(found) == sorted([row.name for row in PUBLISHED] + ["drqa"])
    place = found.index("drqa")
    assert found[place - 1] == "Match-LSTM, bidirectional pointer"  # 73.9
    assert found[place + 1] == "Match-LSTM, boundary"  # 71.2
    assert found[-1] == "BiLSTM pointer"  # without a published score


def test_each_data_set_and_time_budget_has_its_own_table() -> None:
    sample = replace(RESULT, name="sample", data="a/train.json, a/dev.json", total=300)
    hour, half = (
        replace(RESULT, name=f"{minutes}", budget_minutes=float(minutes)) for minutes in (60, 30)
    )
    better = replace(half, name="better", f1=80.0)
    tables = groups(results_page([sample, hour, half, better, RESULT]))
    assert list(tables) == [
        "SQuAD v1.1, dev (10,570 questions)",
        "SQuAD v1.1, dev (10,570 questions), trained for 30 minutes",
        "SQuAD v1.1, dev (10,570 questions), trained for 60 minutes",
        "a/dev.json, dev (300 questions)",
    ]
    assert [systems(table) for table in tables.values()][1:] == [
        ["better", "30"],
        ["60"],
        ["sample"],
    ]


def test_a_row_of_the_page_says_what_was_measured_and_how() -> None:
    result = replace(RESULT, device="Pebble 9", notes="one | two\nthree", total=9)
    row = next(line for line in results_page([result]).splitlines() if "(drqa.json)" in line)
    assert row == (
        "| **[drqa](drqa.json)** | **60.1** | **72.0** | 1,234,567 | 61 | 3.5 | 118 | "
        f"`{RESULT.command}`; GloVe 6B 50d; seed 7; "
        r"Pebble 9, Abacus, 2 cores, 8 GiB; commit 0123456-dirty; one \| two three |"
    )


def test_cells_of_training_are_empty_without_training() -> None:
    row = next(line for line in results_page([BASELINE]).splitlines() if "(window.json)" in line)
    assert row.startswith("| **[window](window.json)** | **60.1** | **22.0** | 0 |  |  |  | ")


def test_the_table_replaces_the_text_between_the_markers() -> None:
    text = f"# Title\n\n{BEGIN}\nold\n{END}\n\nMore.\n"
    once = replace_table(text, "new")
    assert once == f"# Title\n\n{BEGIN}\nnew\n{END}\n\nMore.\n"
    assert replace_table(once, "new") == once


@pytest.mark.parametrize("text", ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_markers_must_occur_once_and_in_order(tmp_path: Path, text: str) -> None:
    write_result(tmp_path / "results", RESULT)
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(DataError, match=re.escape(f'"{readme}"')) as caught:
        update(tmp_path)
    assert BEGIN in caught.value.next_step
    assert readme.read_text() == text
    assert not (tmp_path / "results" / "README.md").exists()


def test_only_outdated_files_are_rewritten(tmp_path: Path) -> None:
    write_result(tmp_path / "results", RESULT)
    readme, page = tmp_path / "README.md", tmp_path / "results" / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    assert update(tmp_path) == [readme, page]
    assert update(tmp_path) == []
    write_result(tmp_path / "results", replace(RESULT, name="short", budget_minutes=5.0))
    assert update(tmp_path) == [page]


def test_the_command_updates_its_own_repository(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    tool = shutil.copy(results_table.__file__, tmp_path / "tools")
    shutil.copy(Path(results_table.__file__).with_name("made_pages.py"), tmp_path / "tools")
    write_result(tmp_path / "results", RESULT)

    def run() -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, tool], env=environment, capture_output=True, text=True
        )

    failed = run()
    assert failed.returncode == 2
    assert failed.stderr.startswith(f'cannot read "{tmp_path / "README.md"}"')
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n")
    assert run().stdout.splitlines() == ["rewritten: README.md", "rewritten: results/README.md"]


def test_readme_and_the_page_agree_with_the_results() -> None:
    for path, text in pages(ROOT).items():
        assert path.read_text(encoding="utf-8") == text, "run `python tools/results_table.py`"


def test_every_result_has_a_row_on_the_page() -> None:
    page = results_page(results := read_results(ROOT / "results"))
    assert results
    assert all(page.count(f"]({result.name}.json)") == 1 for result in results)


def test_a_training_timed_on_dev_is_not_compared_with_others() -> None:
    """Its checkpoint was chosen on the questions that it is scored on."""
    timed = replace(RESULT, name="timed", f1=99.0, until_f1=75.0, seconds_to_f1=61.4)
    assert "timed" not in readme_table([RESULT, timed])
    assert "stopped at F1 75 on the questions that are scored, 61 s" in results_page([timed])
    assert "did not reach F1 75" in results_page([replace(timed, seconds_to_f1=None)])
