"""Questions without answers, from training to predictions, through the commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import squadqa
from squadqa.cli.main import main
from squadqa.evaluation.results import read_result
from squadqa.scoring_v2 import score_v2
from tests.support import tiny
from tests.support.forked import Done, four_articles, write_config
from tests.support.forked import squadqa as command
from tests.support.runs import READER, SCORER

SETTINGS = {"reader": READER, "scorer": SCORER}


def without(file: tiny.Json, every: int = 3) -> tiny.Json:
    """The same file, in which each so-many-th question has no answer."""
    number = 0
    for article in file["data"]:
        for paragraph in article["paragraphs"]:
            for row in paragraph["qas"]:
                number += 1
                if number % every == 0:
                    row["answers"] = []
    return file


def write_data(folder: Path) -> None:
    tiny.write(folder / "train.json", without(four_articles()))
    tiny.write(folder / "dev.json", without(tiny.squad()))


@pytest.fixture(scope="module", params=["reader", "scorer"])
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Done]:
    """A run that may abstain, in a folder with its data, and the training's output."""
    folder = tmp_path_factory.mktemp(request.param)
    write_data(folder)
    write_config(folder, SETTINGS[request.param], unanswerable="keep", val_share=0.5)
    line = ["train", "--config", "config.yaml", "--run", "run", "--wandb", "off"]
    done = command(folder, *line)
    assert done.code == 0, done.out + done.err
    return folder, done


@pytest.fixture
def here(trained: tuple[Path, Done], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained[0])
    return trained[0]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def references() -> dict[str, list[str]]:
    rows = tiny.flat_rows(without(tiny.squad()))
    return {row["id"]: row["answers"]["text"] for row in rows}


def test_a_training_says_so_and_scores_by_the_rule_of_v2(trained: tuple[Path, Done]) -> None:
    folder, done = trained
    result = read_result(folder / "run/results.json")
    predictions = json.loads((folder / "run/predictions.json").read_text())
    scored = score_v2(references(), predictions)
    assert (result.exact_match, result.f1) == (scored.exact_match, scored.f1)
    assert {name: result.v2[name] for name in scored.official()} == scored.official()
    assert result.notes == "Scored by the rule of SQuAD v2.0."
    assert 0 <= result.v2["threshold"] <= 1
    assert 0 <= result.v2["auroc"] <= 1
    assert "of them have no answer" in done.out
    assert "SQuAD v2.0: no answer if its probability is above" in done.out


def test_evaluation_gives_the_same_numbers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = read_result(here / "run/results.json")
    found = said(capsys, "evaluate", "run", "--data", "dev.json")
    assert found.pop("missing") == 0
    assert found.pop("checkpoint").startswith("run/checkpoints/best.ckpt")
    assert found == pytest.approx(result.v2, rel=1e-4)
    always = said(capsys, "evaluate", "run", "--data", "dev.json", "--always-answer")
    assert always["NoAns_f1"] == 0.0
    assert always["HasAns_f1"] == pytest.approx(result.v2["always_HasAns_f1"])
    assert main(["evaluate", "run", "--data", "dev.json"]) == 0
    text = capsys.readouterr().out
    assert "with answer" in text
    assert "AUROC" in text


def test_the_official_pair_of_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--data", "dev.json", "--output", "p.json", "--na-prob", "na.json"]
    assert main(["predict", "run", *line, "--always-answer"]) == 0
    capsys.readouterr()
    texts, none = (json.loads(Path(name).read_text()) for name in ("p.json", "na.json"))
    assert list(texts) == list(none) == list(references())
    assert all(texts.values())
    run = said(capsys, "evaluate", "run", "--data", "dev.json")
    pair = ["--predictions", "p.json", "--na-prob", "na.json"]
    found = said(capsys, "evaluate", "--v2", "--data", "dev.json", *pair)
    for name in ("best_exact", "best_exact_thresh", "best_f1", "best_f1_thresh"):
        assert found[name] == pytest.approx(run[name])
    assert main(["predict", "run", *line, "--n-best", "3"]) == 0
    capsys.readouterr()
    texts = json.loads(Path("p.json").read_text())
    threshold = run["threshold"]
    assert {name for name, text in texts.items() if not text} == {
        name for name, one in none.items() if one > threshold
    }
    listed = json.loads(Path("p.n_best.json").read_text())
    for name, answers in listed.items():
        assert answers[0]["text"] == texts[name]
        assert {one["no_answer_probability"] for one in answers} == {none[name]}
        assert sum(not one["text"] for one in answers) <= 1


def test_answers_of_python_and_of_a_file_are_the_same(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = squadqa.load("run")
    threshold = run.threshold
    assert threshold is not None
    data = tiny.as_data(tiny.squad())
    predictions = run.predict("dev.json")
    for name, question, paragraph in zip(data.ids, data.questions, data.paragraphs, strict=True):
        context = data.contexts[paragraph]
        answer = run.answer(context, question)
        assert answer.text == predictions[name]
        none = answer.no_answer_probability
        assert none is not None
        assert (answer.text == "") == (none > threshold)
        always = run.answer(context, question, always=True)
        assert always.text == context[always.start : always.end] != ""
        assert always.no_answer_probability == pytest.approx(none)
    score = run.evaluate("dev.json")
    assert score == score_v2(references(), predictions)
    assert run.predict("dev.json", always=True, no_answer_output="n.json") == {
        name: run.answer(data.contexts[paragraph], question, always=True).text
        for name, question, paragraph in zip(data.ids, data.questions, data.paragraphs, strict=True)
    }
    assert json.loads(Path("n.json").read_text()).keys() == predictions.keys()
    Path("context.txt").write_text(data.contexts[0])
    line = ["answer", "run", "--context", "context.txt", "--question", "Who kept it?"]
    (shown,) = said(capsys, *line)["answers"]
    assert shown == run.answer(data.contexts[0], "Who kept it?").values()
    assert main(line) == 0
    assert "probability" in capsys.readouterr().out
    assert main([*line, "--always-answer", "--n-best", "2"]) == 0
    assert "(no answer)" in capsys.readouterr().out


def test_an_ensemble_may_abstain(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["ensemble", "run", "run/checkpoints/last.ckpt"]
    found = said(capsys, *line, "--data", "dev.json", "--run", "two", "--fit-weights")
    predictions = json.loads(Path("two/predictions.json").read_text())
    scored = score_v2(references(), predictions)
    assert (found["exact_match"], found["f1"]) == (scored.exact_match, scored.f1)
    assert read_result("two/results.json").notes.endswith("Scored by the rule of SQuAD v2.0.")
    opened = squadqa.load("two")
    assert opened.threshold is not None
    assert opened.predict("dev.json") == predictions
    always = opened.predict("dev.json", always=True)
    assert all(always.values())


def test_what_the_probabilities_are_worth(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["evaluate", "run", "--held-out", "--calibration", "c.json"]
    found = said(capsys, *line)
    report = json.loads(Path("c.json").read_text())
    assert report["questions"] == found["total"]
    for event in ("answers", "no_answer"):
        for when in ("before", "after"):
            assert sum(one["questions"] for one in report[event][when]["bins"]) == found["total"]
    assert report["risk_coverage"]["curve"][-1]["coverage"] == 1.0
    losses = [
        sum(report[event][when]["log_loss"] for event in ("answers", "no_answer"))
        for when in ("before", "after")
    ]
    assert losses[1] <= losses[0] + 1e-4, "the temperature was fitted to these questions"
    assert main(line) == 0
    assert "calibration error" in capsys.readouterr().out


def test_held_out_questions_are_those_that_chose_the_threshold(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, "evaluate", "run", "--held-out")
    assert found["f1"] == pytest.approx(found["best_f1"])
    assert found["threshold"] == pytest.approx(found["best_f1_thresh"], abs=1e-5)


def test_several_texts(here: Path) -> None:
    run = squadqa.load("run")
    data = tiny.as_data(tiny.squad())
    answers = run.answer(data.contexts, data.questions[0], n_best=5000)
    none = answers[0].no_answer_probability
    assert none is not None
    assert sum(one.probability for one in answers if one.text) + none <= 1 + 1e-6
    assert [one.context for one in answers if not one.text] == [None]
    always = run.answer(data.contexts, data.questions[0], always=True)
    assert always.text


@pytest.mark.parametrize("part", ["train.json", "dev.json"])
def test_by_default_they_are_refused_with_their_count(part: str, tmp_path: Path) -> None:
    write_data(tmp_path)
    other = {"train.json": "dev.json", "dev.json": "train.json"}[part]
    tiny.write(tmp_path / other, four_articles() if other == "train.json" else tiny.squad())
    write_config(tmp_path, SCORER)
    done = command(tmp_path, "train", "--config", "config.yaml", "--wandb", "off")
    assert done.code == 2
    assert {"train.json": "5 of 16 questions", "dev.json": "2 of 8 questions"}[part] in done.err
    assert "--data.unanswerable keep" in done.err
    assert "--data.unanswerable skip" in done.err
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_they_can_be_left_out(tmp_path: Path) -> None:
    write_data(tmp_path)
    write_config(tmp_path, SCORER)
    line = ["train", "--config", "config.yaml", "--wandb", "off", "--run", "run"]
    done = command(tmp_path, *line, "--data.unanswerable", "skip")
    assert done.code == 0, done.err
    assert "5 without usable answers left out; 2 test questions without answers" in done.out
    result = read_result(tmp_path / "run/results.json")
    assert (result.total, result.v2) == (6, {})


def test_negatives_of_data_that_have_answers(tmp_path: Path) -> None:
    tiny.write(tmp_path / "train.json", four_articles())
    write_config(tmp_path, SCORER, val_share=0.5)
    line = ["train", "--config", "config.yaml", "--wandb", "off", "--run", "run"]
    done = command(tmp_path, *line, "--data.negatives", "1")
    assert done.code == 0, done.err
    assert "of them have no answer" in done.out
    result = read_result(tmp_path / "run/results.json")
    assert result.v2["HasAns_total"] == result.total == 8
    held_out = command(tmp_path, "ensemble", "run", "run/checkpoints/last.ckpt", "--held-out",
                       "--fit-weights", "--json")  # fmt: skip
    assert held_out.code == 0, held_out.err
    assert "-negative" not in held_out.out


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["--na-prob", "na.json"], "belongs to a prediction file"),
        (["--held-out"], "both --data"),
        (["--predictions", "p.json", "--calibration", "c.json"], "--calibration is of a run"),
        (["--predictions", "p.json", "--always-answer"], "--always-answer is of a run"),
        (["--predictions", "p.json", "--na-prob", "na.json"], "counts only by the rule"),
        (["--predictions", "p.json", "--v2", "--details"], "types of answers"),
        (["--predictions", "p.json", "--v2", "--na-prob", "na.json"], "lack 1 of 2 predictions"),
        (["--predictions", "p.json", "--v2", "--na-prob", "nan.json"], "not a finite number"),
        (["--predictions", "p.json", "--v2", "--na-prob", "list.json"], "are a list"),
        (["--predictions", "p.json", "--v2", "--na-prob", "no.json"], "cannot read probabilities"),
    ],
)
def test_bad_files_and_options(
    line: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[..., str],
    scorer_run: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path / "dev.json", without(tiny.squad()))
    Path("p.json").write_text('{"q0": "Ida", "q2": ""}')
    Path("na.json").write_text('{"q0": 0.5}')
    Path("nan.json").write_text('{"q0": 0.5, "q2": NaN}')
    Path("list.json").write_text("[]")
    run = [] if "--predictions" in line else [str(scorer_run)]
    assert expected in refused("evaluate", *run, "--data", "dev.json", *line)


def test_a_run_that_always_answers_has_no_such_probabilities(
    tmp_path: Path, refused: Callable[..., str], scorer_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path / "dev.json", tiny.squad())
    line = ["--data", "dev.json", "--output", "p.json", "--na-prob", "na.json"]
    text = refused("predict", scorer_run, *line)
    assert "answers every question" in text
    assert "--data.negatives" in text
    assert list(tmp_path.glob("*.json")) == [tmp_path / "dev.json"]


def test_data_without_any_answers_are_never_scored(
    tmp_path: Path, refused: Callable[..., str]
) -> None:
    path = tiny.write(tmp_path / "dev.json", without(tiny.squad(), every=1))
    predictions = tmp_path / "p.json"
    predictions.write_text('{"q0": "Ida"}')
    line = ["--data", path, "--predictions", predictions]
    assert "none of the 8 questions has an answer" in refused("evaluate", *line, "--v2")
    assert "--v2" in refused("evaluate", *line)
