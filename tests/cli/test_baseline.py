"""`squadqa baseline`: choices, output, files and refusals."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from squadqa.cli import options as shared
from squadqa.cli.baseline import PUBLISHED
from squadqa.cli.main import main
from squadqa.evaluation.results import read_results
from tests.support import tiny


@pytest.fixture(autouse=True)
def unparsed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No pipeline, so that candidates are n-grams and preparation is fast."""
    monkeypatch.setattr(shared, "DEFAULT_PIPELINE", None)
    monkeypatch.setenv("SQUADQA_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    context = "Ida kept many ships. Tom sold a boat. Storms broke it twice."
    asked = {
        "Who sold a boat?": [("Tom", context.index("Tom"))],
        "Who kept ships?": [("Ida Moss", 0)],
    }
    files = [
        tiny.one_question(context, question, answers, id=question)
        for question, answers in asked.items()
    ]
    return tiny.write(tmp_path / "dev.json", tiny.join(*files))


def baseline(*arguments: object) -> int:
    return main(["baseline", *map(str, arguments)])


def scored(*arguments: object, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert baseline(*arguments, "--json") == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    values: dict[str, Any] = json.loads(shown)
    return values


@pytest.mark.parametrize("name", ["sliding-window", "sliding-window-distance"])
def test_scores_by_hand(name: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = scored(name, "--data", data, capsys=capsys)
    assert values.pop("seconds") >= 0
    exact_match, f1 = PUBLISHED[name]
    # "Tom"; and "Ida", whose window equals that of "many" but comes first: F1 2/3.
    assert values == {
        "baseline": name,
        "candidates": 60,
        "exact_match": 50.0,
        "f1": pytest.approx((100 + 200 / 3) / 2),
        "total": 2,
        "missing": 0,
        "published": {"exact_match": exact_match, "f1": f1},
    }


def test_readable_figures(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "predictions.json"
    assert baseline("sliding-window", "--data", data, "--output", output) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["EM", "F1"],
        ["sliding-window", "50.0", "83.3"],
        ["published,", "over", "constituents", "13.2", "20.2"],
    ]
    assert lines[4:6] == ["questions     2", "candidates    30 a paragraph"]
    assert lines[-1] == f"predictions   {output}"


@pytest.mark.parametrize("name", PUBLISHED)
def test_predictions_have_the_reported_score(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, output = tiny.write(tmp_path / "dev.json", tiny.squad()), tmp_path / "new" / "p.json"
    values = scored(name, "--data", data, "--output", output, capsys=capsys)
    contexts = {row["id"]: row["context"] for row in tiny.flat_rows(tiny.squad())}
    predictions = json.loads(output.read_text())
    assert list(predictions) == list(contexts)
    assert all(text and text in contexts[question] for question, text in predictions.items())
    assert main(["evaluate", "--data", str(data), "--predictions", str(output), "--json"]) == 0
    reported = json.loads(capsys.readouterr().out)
    assert reported == {key: values[key] for key in reported}


def test_the_seed_decides_the_random_choice(data: Path, tmp_path: Path) -> None:
    texts = []
    for number, seed in enumerate([1, 1, 2, 3, 4]):
        output = tmp_path / f"{number}.json"
        assert baseline("random", "--data", data, "--seed", seed, "--output", output) == 0
        texts.append(output.read_text())
    assert texts[0] == texts[1]
    assert len(set(texts)) > 1


def test_the_generator_is_used(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--generator", "NGrams", "--max-tokens", 1, "--max-candidates", 4)
    assert scored("random", "--data", data, *options, capsys=capsys)["candidates"] == 8


def test_dependency_runs_have_a_depth(data: Path) -> None:
    assert baseline("random", "--data", data, "--generator", "DependencyRuns", "--depth", 1) == 0


def test_a_result_names_the_command_that_repeats_it(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    line = ("--data", data, "--results", folder)
    assert baseline("random", *line, "--seed", 5) == 0
    assert baseline("sliding-window", *line, "--generator", "DependencyRuns", "--depth", 2) == 0
    assert baseline("sliding-window-distance", *line, "--generator", "NGrams") == 0
    results = {result.name: result for result in read_results(folder)}
    assert {name: result.command for name, result in results.items()} == {
        "random-candidate": f"squadqa baseline random --data {data} --seed 5",
        "sliding-window-DependencyRuns-depth-2": f"squadqa baseline sliding-window --data {data} "
        "--generator DependencyRuns --depth 2",
        "sliding-window-distance-NGrams": f"squadqa baseline sliding-window-distance --data {data} "
        "--generator NGrams",
    }
    result = results["random-candidate"]
    assert (result.seed, result.total, result.data, result.split) == (5, 2, str(data), "dev")
    assert (result.parameters, result.minutes, result.epochs) == (0, None, None)
    assert (result.configs, result.overrides) == ((), {})
    assert result.notes.startswith("Nothing is learnt; NounChunks, 30 candidates a paragraph; ")


def test_an_unknown_baseline(refused: Callable[..., str]) -> None:
    said = refused("baseline", "sliding-windw", "--data", "dev.json")
    assert 'cannot be "sliding-windw"' in said
    assert 'Did you mean "sliding-window"?' in said


def test_an_unknown_generator(refused: Callable[..., str]) -> None:
    said = refused("baseline", "random", "--data", "dev.json", "--generator", "ngrams")
    assert '--generator cannot be "ngrams"' in said
    assert 'Did you mean "NGrams"?' in said


def test_depth_is_only_for_dependency_runs(refused: Callable[..., str]) -> None:
    named = ("baseline", "random", "--data", "d", "--depth", 0)
    assert "--depth is of DependencyRuns, not of NounChunks" in refused(*named)
    said = refused(*named, "--generator", "NGrams")
    assert "--depth is of DependencyRuns, not of NGrams" in said


def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    data: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    said = refused("baseline", "random", "--data", data, "--output", data / "p.json")
    assert "cannot write" in said
    assert not (tmp_path / "cache").exists()


def test_questions_without_answers_are_refused(tmp_path: Path, refused: Callable[..., str]) -> None:
    data = tiny.write(tmp_path / "bare.json", tiny.one_question(answers=[]))
    assert "1 of 1 questions have no answers" in refused("baseline", "random", "--data", data)
