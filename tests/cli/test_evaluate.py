"""Scores of prediction files and of runs."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from squadqa.cli.main import main
from squadqa.data import pipelines
from squadqa.evaluation.answer_types import ANSWER_TYPES
from tests.test_scoring import PUBLISHED

ROOT = Path(__file__).parents[2]


def test_json_is_one_object_and_nothing_else(
    data: Path, predictions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["evaluate", "--data", str(data), "--predictions", str(predictions), "--json"]
    assert main(line) == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    assert json.loads(shown) == {
        "exact_match": 100 / 8,
        "f1": pytest.approx(100 * (1 + 0.8) / 8, abs=1e-9),
        "total": 8,
        "missing": 5,
    }


def test_readable_figures(
    data: Path, predictions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--data", str(data), "--predictions", str(predictions)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "exact match  12.50 %",
        "F1           22.50 %",
        "questions    8, 5 without a prediction",
    ]


def test_predictions_of_unknown_questions_are_counted_separately(
    data: Path, predictions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions.write_text('{"q0": "Ida", "other": "x"}')
    line = ["evaluate", "--data", str(data), "--predictions", str(predictions), "--json"]
    assert main(line) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["total"] == 8
    assert "1 predictions are of no question" in err


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_predictions_have_the_official_score(
    name: str, squad_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions = squad_folder / "published_predictions" / name
    if not predictions.is_file():
        pytest.skip(f'"{squad_folder}" has no published_predictions/{name}')
    line = ["evaluate", "--data", str(squad_folder), "--predictions", str(predictions), "--json"]
    assert main(line) == 0
    exact_match, f1, missing = PUBLISHED[name]
    assert json.loads(capsys.readouterr().out) == {
        "exact_match": pytest.approx(exact_match, abs=1e-9),
        "f1": pytest.approx(f1, abs=1e-9),
        "total": 10_570,
        "missing": missing,
    }


def test_scoring_a_file_needs_no_torch(data: Path, predictions: Path) -> None:
    code = (
        "import json, sys; from squadqa.cli.main import main; code = main(sys.argv[1:]); "
        "sys.stderr.write(json.dumps([code, sorted(sys.modules)]))"
    )
    line = ["evaluate", "--data", str(data), "--predictions", str(predictions), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *line], cwd=ROOT, capture_output=True, text=True
    )
    exit_code, modules = json.loads(done.stderr)
    assert exit_code == 0
    assert not {"torch", "numpy", "spacy", "datasets", "pyarrow"} & set(modules)


@pytest.mark.slow(seconds=120)  # a process that imports torch
def test_a_run_is_scored_without_lightning(reader_run: Path) -> None:
    code = (
        "import json, sys; from squadqa.cli.main import main; code = main(sys.argv[1:]); "
        "print(json.dumps([code, sorted(sys.modules)]))"
    )
    line = ["evaluate", str(reader_run), "--data", str(reader_run.parents[1] / "dev.json")]
    done = subprocess.run(
        [sys.executable, "-c", code, *line, "--json"], cwd=ROOT, capture_output=True, text=True
    )
    scored, ended = map(json.loads, done.stdout.splitlines())
    assert ended[0] == 0
    assert not {"pytorch_lightning", "wandb", "jsonargparse"} & set(ended[1])
    assert (scored["total"], scored["missing"]) == (8, 0)
    assert 0 <= scored["exact_match"] <= scored["f1"] <= 100


@pytest.mark.parametrize("checkpoint", ["best", "last"])
def test_the_checkpoint_is_named(
    checkpoint: str, reader_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = reader_run.parents[1] / "dev.json"
    line = ["evaluate", str(reader_run), "--data", str(data), "--checkpoint", checkpoint]
    assert main(line) == 0
    last_line = capsys.readouterr().out.splitlines()[-1]
    path = reader_run / "checkpoints" / f"{checkpoint}.ckpt"
    assert last_line.split(maxsplit=1)[1].startswith(f"{path} (epoch ")


def test_the_default_is_best_or_else_last(
    copied_run: Path, data: Path, capsys: pytest.CaptureFixture[str], refused: Callable[..., str]
) -> None:
    line = ["evaluate", str(copied_run), "--data", str(data), "--json"]
    assert main(line) == 0
    assert "best.ckpt" in json.loads(capsys.readouterr().out)["checkpoint"]
    (copied_run / "checkpoints" / "best.ckpt").unlink()
    assert main(line) == 0
    assert "last.ckpt" in json.loads(capsys.readouterr().out)["checkpoint"]
    said = refused(*line, "--checkpoint", "best")
    assert "Use that one with --checkpoint last." in said


def test_a_scorer_of_candidates_is_scored_too(
    scorer_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = scorer_run.parents[1] / "dev.json"
    assert main(["evaluate", str(scorer_run), "--data", str(data), "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert (scored["total"], scored["missing"]) == (8, 0)


# In detail


def test_details_of_a_run(
    scorer_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["evaluate", str(scorer_run), "--data", str(scorer_run.parents[1] / "dev.json")]
    line += ["--cache-dir", str(tmp_path / "cache")]
    assert main([*line, "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert list(whole) == ["exact_match", "f1", "total", "missing", "checkpoint"]
    assert main([*line, "--details", "--json"]) == 0
    detailed = json.loads(capsys.readouterr().out)
    by_type = detailed.pop("by_answer_type")
    accuracy = detailed.pop("sentence_accuracy")
    assert detailed == whole
    assert by_type.keys() < set(ANSWER_TYPES)
    assert sum(one["total"] for one in by_type.values()) == 8
    for name in ("exact_match", "f1"):
        total = sum(one[name] * one["total"] for one in by_type.values())
        assert total / 8 == pytest.approx(whole[name])
    assert accuracy in [100 * right / 8 for right in range(9)]

    assert main([*line, "--details"]) == 0
    facts, rows, closing = capsys.readouterr().out.split("\n\n")
    assert len(facts.splitlines()) == 4
    assert [row.split("  ")[0] for row in rows.splitlines()[1:]] == list(ANSWER_TYPES)
    assert closing.startswith(f"right sentence  {accuracy:.1f} % (paper: 79.3 %)\n")


def test_details_of_a_prediction_file(
    data: Path, predictions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["evaluate", "--data", str(data), "--predictions", str(predictions), "--details"]
    line += ["--cache-dir", str(tmp_path / "cache")]
    assert main(line) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("exact match  12.50 %\nF1           22.50 %\n")
    # Ida Moss is right; of the other texts one answers "31", a number, and one "Oslo".
    assert ["person", "1", "100.0", "100.0", "56.2"] in [row.split() for row in shown.splitlines()]
    assert ["clause", "0", "34.3"] in [row.split() for row in shown.splitlines()]
    assert "right sentence  unknown: a prediction file holds texts, not their places" in shown
    assert main([*line, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sentence_accuracy"] is None
    assert found["by_answer_type"]["person"]["exact_match"] == 100
    assert found["by_answer_type"]["other number"]["f1"] == pytest.approx(40)


def test_details_need_no_other_pipeline_than_the_runs(
    scorer_run: Path,
    tmp_path: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Path(shutil.copytree(scorer_run, tmp_path / "run"))
    values = yaml.safe_load((run / "config.yaml").read_text())
    values["data"]["inputs"]["init_args"]["pipeline"] = "en_core_web_sm"
    (run / "config.yaml").write_text(yaml.safe_dump(values))
    monkeypatch.setattr("squadqa.cli.evaluate.DEFAULT_PIPELINE", "not_installed")
    line = ["evaluate", str(run), "--data", str(data), "--cache-dir", str(tmp_path / "cache")]
    assert main([*line, "--details", "--json"]) == 0
    by_type = json.loads(capsys.readouterr().out)["by_answer_type"]
    assert sum(one["total"] for one in by_type.values()) == 8


def test_details_of_a_run_without_a_parse_need_one(
    reader_run: Path,
    tmp_path: Path,
    data: Path,
    predictions: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    refused: Callable[..., str],
) -> None:
    """Its parts of speech and entities alone do not tell types of answers."""
    run = Path(shutil.copytree(reader_run, tmp_path / "run"))
    values = yaml.safe_load((run / "config.yaml").read_text())
    values["data"]["inputs"]["init_args"] |= {"pipeline": "en_core_web_sm", "parse": False}
    (run / "config.yaml").write_text(yaml.safe_dump(values))
    shutil.copytree(reader_run.parents[1] / "cache", tmp_path / "cache")  # with word vectors
    questions = []
    options = ["--data", str(data), "--cache-dir", str(tmp_path / "cache"), "--details", "--json"]
    for scored in ([str(run)], ["--predictions", str(predictions)]):
        assert main(["evaluate", *scored, *options]) == 0
        by_type = json.loads(capsys.readouterr().out)["by_answer_type"]
        questions.append({name: one["total"] for name, one in by_type.items()})
    assert questions[0] == questions[1]
    monkeypatch.setattr("squadqa.cli.evaluate.DEFAULT_PIPELINE", "not_installed")
    said = refused("evaluate", run, *options)
    assert "--details tells types of answers by a parse" in said


@pytest.mark.parametrize("of_run", [False, True])
def test_details_without_a_pipeline(
    of_run: bool,
    data: Path,
    predictions: Path,
    scorer_run: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[..., str],
) -> None:
    monkeypatch.setitem(pipelines.PIPELINES, "en_core_web_sm", ("not_installed",))
    scored = (scorer_run,) if of_run else ("--predictions", predictions)
    assert refused("evaluate", *scored, "--data", data, "--details").splitlines() == [
        'the spaCy pipeline "en_core_web_sm" is not installed (looked for not_installed)',
        "  --details tells types of answers by a parse of the data.",
        "  Install it (python -m spacy download en_core_web_sm), or leave out --details.",
    ]
