"""`squadqa candidates`: figures and refusals."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from squadqa.cli import candidates as command
from squadqa.cli import options as shared
from squadqa.cli.candidates import DEPTHS
from squadqa.cli.main import main
from squadqa.cli.options import DEPENDENCY_RUNS
from tests.support import tiny


@pytest.fixture(autouse=True)
def unparsed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No pipeline, so that every generator gives n-grams and preparation is fast."""
    monkeypatch.setattr(shared, "DEFAULT_PIPELINE", None)
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three questions about three tokens: "Ida", "saw" and "."."""
    answers = ([("Ida", 0)], [("Ida saw", 0), ("saw", 4)], [("aw", 5)])
    files = [
        tiny.one_question("Ida saw.", answers=some, id=f"q{number}")
        for number, some in enumerate(answers)
    ]
    return tiny.write(tmp_path / "dev.json", tiny.join(*files))


def measured(data: Path, *options: object, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["candidates", "--data", str(data), *map(str, options), "--json"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    values: dict[str, Any] = json.loads(shown)
    return values


def test_figures_by_hand(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = measured(data, "--generator", "NGrams", capsys=capsys)
    (figures,) = values.pop("generators")
    assert values == {"source": str(data), "max_tokens": 20, "max_candidates": 2000}
    assert figures.pop("seconds") >= 0
    assert figures == {  # the candidates are "Ida", "Ida saw", "saw" and "."
        "name": "NGrams",
        "depth": None,
        "paragraphs": 3,
        "questions": 3,
        "candidates": 12,
        "most_candidates": 4,
        "recall_first": 100.0,  # "saw" covers "aw", but scores nothing
        "recall_any": 100.0,
        "exact_match": pytest.approx(200 / 3),
        "f1": pytest.approx(200 / 3),
        "dropped": {"max_tokens": 0, "max_candidates": 0},
    }


def test_limits(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limits = ("--generator", "NGrams", "--max-tokens", 1, "--max-candidates", 2)
    (figures,) = measured(data, *limits, capsys=capsys)["generators"]
    assert figures["candidates"] == 6  # "Ida" and "saw"
    assert figures["dropped"] == {"max_tokens": 0, "max_candidates": 3}
    assert figures["recall_first"] == pytest.approx(200 / 3)
    assert figures["recall_any"] == 100


def test_all_generators_are_the_default(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(data, capsys=capsys)["generators"]
    runs = [(DEPENDENCY_RUNS, depth) for depth in DEPTHS]
    assert [(one["name"], one["depth"]) for one in found] == [
        *runs,
        ("NounChunks", None),
        ("NGrams", None),
    ]
    assert {one["candidates"] for one in found} == {12}


def test_options_reach_the_generator(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    original = command.make_generator
    monkeypatch.setattr(
        command, "make_generator", lambda *a, **k: made.append(original(*a, **k)) or made[-1]
    )
    names = ["--generator", DEPENDENCY_RUNS, "NGrams", DEPENDENCY_RUNS, "--depth", "3", "0", "3"]
    limits = ["--max-tokens", "7", "--max-candidates", "9"]
    assert main(["candidates", "--data", str(data), *names, *limits]) == 0
    assert [vars(generator) for generator in made] == [
        {"max_tokens": 7, "max_candidates": 9, "depth": 3},
        {"max_tokens": 7, "max_candidates": 9, "depth": 0},
        {"max_tokens": 7, "max_candidates": 9},
    ]


def test_readable_table(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["candidates", "--data", str(data), "--generator", DEPENDENCY_RUNS, "--depth", "1"]
    assert main(line) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{data}: 3 paragraphs, 3 questions"
    assert lines[2].split() == [
        "generator", "a", "paragraph", "most", "first", "any", "EM", "F1", "too", "long", "too",
        "many", "seconds",
    ]  # fmt: skip
    figures = f"{DEPENDENCY_RUNS}, depth 1 4 4 100.0 100.0 66.7 66.7 0 0".split()
    assert lines[3].split()[:-1] == figures
    assert "too long      spans left out by --max-tokens 20" in lines
    assert "too many      candidates left out by --max-candidates 2,000 a paragraph" in lines


def test_progress_is_not_among_the_figures(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["candidates", "--data", str(data), "--generator", "NGrams"]) == 0
    assert "generators: 1 of 1" in capsys.readouterr().err


def test_an_unknown_generator(data: Path, refused: Callable[..., str]) -> None:
    said = refused("candidates", "--data", data, "--generator", "NGrams", "nounchunk")
    assert '--generator cannot be "nounchunk"' in said
    assert 'Did you mean "NounChunks"?' in said


@pytest.mark.parametrize("number", ["-1", "1.5", "deep"])
def test_depth_is_a_number(number: str, refused: Callable[..., str]) -> None:
    said = refused("candidates", "--data", "d", f"--depth={number}")
    assert f'"{number}" is not a whole number of 0 or more' in said


def test_depth_is_only_for_dependency_runs(refused: Callable[..., str]) -> None:
    said = refused("candidates", "--data", "d", "--generator", "NGrams", "--depth", 1)
    assert "--depth is of DependencyRuns, which --generator leaves out" in said


@pytest.mark.parametrize("option", ["--max-tokens", "--max-candidates"])
def test_limits_are_positive(option: str, refused: Callable[..., str]) -> None:
    said = refused("candidates", "--data", "d", option, 0)
    assert '"0" is not a whole number of 1 or more' in said


def test_questions_without_answers_are_refused(tmp_path: Path, refused: Callable[..., str]) -> None:
    data = tiny.write(tmp_path / "bare.json", tiny.one_question(answers=[]))
    assert "1 of 1 questions have no answers" in refused("candidates", "--data", data)


def test_missing_data(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert 'no data file "' in refused("candidates", "--data", tmp_path / "dev.json")


@pytest.mark.slow(seconds=120)
def test_figures_of_squad(squad_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = measured(squad_folder, "--generator", "NGrams", capsys=capsys)
    (figures,) = values["generators"]
    assert figures["questions"] == 10_570
    assert figures["recall_first"] > 98
    assert figures["f1"] > figures["exact_match"] > 99
