"""docs/speed.md is made of the measured files."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from squadqa.benchmark.record import read_benchmark, write_benchmark
from squadqa.errors import DataError
from squadqa.evaluation.results import write_result
from tests.benchmark.test_record import BENCHMARK
from tests.evaluation.test_results import RESULT
from tests.support.runs import ROOT
from tools import speed_page
from tools.speed_page import ANCHORS, BEGIN, BENCHMARKS, END, PAGE, page, speed_tables


def test_the_page_is_up_to_date() -> None:
    shown = (ROOT / PAGE).read_text(encoding="utf-8")
    assert shown == page(ROOT), "run: python tools/speed_page.py"


def test_every_measured_file_is_shown() -> None:
    shown = (ROOT / PAGE).read_text(encoding="utf-8")
    for path in (ROOT / BENCHMARKS).glob("*.json"):
        benchmark = read_benchmark(path)
        assert benchmark.command in shown and benchmark.hardware in shown


def test_each_figure_has_its_cell() -> None:
    lines = speed_tables([BENCHMARK], []).splitlines()
    assert lines[0] == "## CPU, data/sample"
    assert "Abacus, 2 cores, 8 GiB; 2 thread(s); torch 2.13.0+cpu; commit 0123456" in lines[2]
    (drqa,) = (line for line in lines if line.startswith("| drqa"))
    assert drqa == (
        "| drqa | 32 | 88 | 75 % | 2 % | 38 % | 55 % | 5 % | 12 % | 230 | 6.2 (9.4) | 31.0 (44.5) "
        "| 1.3 |"
    )
    (mlp,) = (line for line in lines if line.startswith("| mlp"))
    assert mlp.endswith("|  | 1.3 + GPU 1.5 |")
    for anchor in ANCHORS:
        assert any(anchor.figure in line and anchor.source in line for line in lines)


def test_trainings_to_a_score_are_shown() -> None:
    timed = replace(RESULT, name="to-75", until_f1=75.0, seconds_to_f1=61.4, device="cuda:0")
    given_up = replace(timed, name="to-90", until_f1=90.0, seconds_to_f1=None)
    shown = speed_tables([], [RESULT, timed, given_up])
    assert "Nothing has been measured yet." in shown
    assert "| [to-75](../results/to-75.json) | 75 | 61 | 118 | cuda:0, Abacus" in shown
    assert "| [to-90](../results/to-90.json) | 90 | not reached |" in shown
    assert "[reader]" not in shown
    assert "No training has been timed" in speed_tables([BENCHMARK], [RESULT])


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / PAGE).write_text(f"# Speed\n{BEGIN}\nold\n{END}\nby hand\n", encoding="utf-8")
    (tmp_path / BENCHMARKS).mkdir(parents=True)
    write_benchmark(tmp_path / BENCHMARKS / "cpu.json", BENCHMARK)
    write_result(tmp_path / "results", RESULT)
    monkeypatch.setattr(speed_page, "ROOT", tmp_path)
    return tmp_path


def test_only_what_is_between_the_markers_is_rewritten(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert speed_page.main() == 0
    text = (root / PAGE).read_text(encoding="utf-8")
    assert text.startswith(f"# Speed\n{BEGIN}\n\n## CPU") and text.endswith(f"{END}\nby hand\n")
    assert "old" not in text
    assert capsys.readouterr().out == "rewritten: docs/speed.md\n"
    assert speed_page.main() == 0
    assert capsys.readouterr().out == ""


def test_a_page_without_a_place_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / PAGE).write_text("# Speed\n", encoding="utf-8")
    assert speed_page.main() == 2
    assert "no place for the tables of speed" in capsys.readouterr().err
    shutil.rmtree(root / "docs")
    with pytest.raises(DataError, match="cannot read"):
        page(root)
