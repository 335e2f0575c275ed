"""Results: files round-trip and are checked, and README's table is the one they give."""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from squadqa.errors import DataError
from squadqa.evaluation.results import (
    BEGIN,
    END,
    PUBLISHED,
    SQUAD_DEV_QUESTIONS,
    Result,
    commit,
    hardware,
    read_results,
    replace_table,
    results_table,
    update_readme,
    write_result,
)

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"
RESULT = Result(
    name="reader",
    config="configs/reader.yaml",
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
OUR_LINK = "[reader](results/reader.json)"


def test_results_read_back_in_the_order_of_names(tmp_path: Path) -> None:
    other = replace(RESULT, name="baseline-2.1", budget_minutes=5)
    assert write_result(tmp_path / "results", RESULT) == tmp_path / "results" / "reader.json"
    write_result(tmp_path / "results", other)
    assert read_results(tmp_path / "results") == [other, RESULT]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"total": "300"}, "\"total\" is '300'"),
        ({"seed": True}, '"seed" is True'),
        ({"parameters": 1.5}, '"parameters" is 1.5'),
        ({"notes": None}, '"notes" is None'),
        ({"minutes": None}, '"minutes" is None'),
        ({"minutes": -1}, '"minutes" is -1'),
        ({"f1": float("nan")}, '"f1" is nan'),
        ({"exact_match": 100.5}, '"exact_match" is 100.5'),
        ({"name": "../reader"}, '"name" is "../reader"'),
        ({"name": "other"}, '"name" is "other"'),
        ({"exact_macth": 60.0}, 'unknown field "exact_macth"'),
    ],
)
def test_a_bad_field_is_named_with_its_file(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    path = tmp_path / "reader.json"
    path.write_text(json.dumps(asdict(RESULT) | changed))
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read_results(tmp_path)
    assert str(path) in caught.value.what
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "not a JSON object"),
        ('{"name": "reader"}', 'without "config", "data"'),
    ],
)
def test_what_is_no_result_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "reader.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_results(tmp_path)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder of results"):
        read_results(tmp_path / "results")


def test_our_row_stands_among_the_published_ones_by_f1() -> None:
    lines = results_table([RESULT]).splitlines()
    systems = [line.split(" | ")[0].strip("| *") for line in lines if line.startswith("| ")][2:]
    assert sorted(systems) == sorted([one.name for one in PUBLISHED] + [OUR_LINK])
    place = systems.index(OUR_LINK)
    assert systems[place - 1] == "Match-LSTM, boundary"  # 71.2
    assert systems[place + 1] == "Match-LSTM, bidirectional pointer"  # 73.9


def test_a_budget_of_time_has_a_table_of_its_own_behind_the_whole_trainings() -> None:
    short = replace(RESULT, name="short", f1=50.0, budget_minutes=30)
    lines = results_table([short, replace(RESULT, total=3)]).splitlines()
    heads = [line for line in lines if line.startswith("On ")]
    assert heads[0] == "On SQuAD v1.1 dev (10,570 questions):"
    assert heads[1] == "On SQuAD v1.1 dev (10,570 questions), trained for 30 minutes:"
    assert len(heads) == 3
    rows = lines[lines.index(heads[1]) : lines.index(heads[2])]
    assert sum(line.startswith("| ") for line in rows) == 3
    assert any("results/short.json" in line for line in rows)


def test_a_row_tells_what_was_measured_and_how() -> None:
    result = replace(RESULT, device="Pebble 9", notes="one | two\nthree")
    row = next(line for line in results_table([result]).splitlines() if OUR_LINK in line)
    assert row == (
        f"| **{OUR_LINK}** | **60.1** | **72.0** | 1,234,567 | 61.2 | 3.5 | 118 |"
        " `configs/reader.yaml`; GloVe 6B 50d; seed 7;"
        r" Pebble 9, Abacus, 2 cores, 8 GiB; commit 0123456-dirty; one \| two three |"
    )


def test_other_data_has_a_table_of_its_own() -> None:
    table = results_table([replace(RESULT, data="sample", total=300), RESULT])
    squad, sample = table.split("\n\nOn sample dev (300 questions):\n\n")
    assert squad.count(OUR_LINK) == sample.count(OUR_LINK) == 1
    assert "BiDAF" in squad
    assert "BiDAF" not in sample


def test_the_table_replaces_what_stood_between_the_markers() -> None:
    text = f"# Title\n\n{BEGIN}\nold\n{END}\n\nMore.\n"
    once = replace_table(text, [RESULT])
    assert once == f"# Title\n\n{BEGIN}\n{results_table([RESULT])}\n{END}\n\nMore.\n"
    assert replace_table(once, [RESULT]) == once


@pytest.mark.parametrize("text", ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_markers_must_stand_once_and_in_order(tmp_path: Path, text: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(DataError, match=re.escape(f'"{readme}"')) as caught:
        update_readme(readme, tmp_path)
    assert BEGIN in caught.value.next_step
    assert readme.read_text() == text


def run_in(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the module's command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "squadqa.evaluation.results"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )


def test_the_command_updates_the_folder_it_runs_in(tmp_path: Path) -> None:
    write_result(tmp_path / "results", RESULT)
    failed = run_in(tmp_path)
    assert failed.returncode == 2
    assert failed.stderr.startswith('cannot read "README.md"')
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n")
    assert run_in(tmp_path).returncode == 0
    assert OUR_LINK in (tmp_path / "README.md").read_text()


@pytest.mark.skipif(
    not README.exists() or BEGIN not in README.read_text(encoding="utf-8"),
    reason="README has no table of results",
)
def test_readme_agrees_with_the_results() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == replace_table(text, read_results(REPOSITORY / "results")), (
        "run `python -m squadqa.evaluation.results` in the repository"
    )


def test_hardware_names_cpu_cores_and_memory() -> None:
    assert re.fullmatch(r".+, [1-9]\d* cores, \d+ GiB", hardware())


def test_commit_of_a_clean_a_changed_and_no_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)  # a git hook sets them, for the repository it runs in
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert commit(tmp_path) == "unknown"

    def git(*command: str) -> str:
        return subprocess.run(
            [
                "git",
                "-C",
                tmp_path,
                "-c",
                "user.name=x",
                "-c",
                "user.email=x@example.org",
                *command,
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "--message", "One")
    (tmp_path / "untracked").touch()
    assert commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("two")
    assert commit(tmp_path) == git("rev-parse", "HEAD") + "-dirty"
