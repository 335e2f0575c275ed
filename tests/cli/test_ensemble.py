"""Several runs together: scores, files, and what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from squadqa.cli.main import main
from squadqa.evaluation.results import read_result, read_results
from squadqa.scoring import score
from tests.support import tiny


@pytest.fixture
def line(reader_run: Path, scorer_run: Path, tmp_path: Path) -> list[str]:
    """A reader and a scorer on the eight questions."""
    data = tiny.write(tmp_path / "dev.json", tiny.squad())
    cache = ["--cache-dir", str(tmp_path / "cache")]
    return ["ensemble", str(reader_run), str(scorer_run), "--data", str(data), *cache]


def as_json(line: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    assert main([*line, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_predictions_results_and_scores_agree(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, results = tmp_path / "out" / "predictions.json", tmp_path / "results"
    written = ["--output", str(output), "--n-best", "3", "--results", str(results)]
    run = tmp_path / "both"
    found = as_json([*line, *written, "--run", str(run)], capsys)
    predictions = json.loads(output.read_text())
    references = {row["id"]: row["answers"]["text"] for row in tiny.flat_rows(tiny.squad())}
    official = score(references, predictions)
    assert (found["exact_match"], found["f1"]) == (official.exact_match, official.f1)
    assert (found["total"], found["missing"]) == (8, 0)

    n_best = json.loads((tmp_path / "out" / "predictions.n_best.json").read_text())
    assert {name: some[0]["text"] for name, some in n_best.items()} == predictions
    assert all(len(some) <= 3 for some in n_best.values())

    (result,) = read_results(results)
    assert read_result(run / "results.json") == result
    assert json.loads((run / "predictions.json").read_text()) == predictions
    assert json.loads((run / "members.json").read_text()) == found["members"]
    assert (result.name, result.total, result.f1) == ("both", 8, official.f1)
    assert result.command == " ".join(["squadqa", *line[:5]])
    trained = [json.loads((Path(run) / "results.json").read_text()) for run in line[1:3]]
    assert result.minutes == pytest.approx(sum(one["minutes"] for one in trained))
    assert (result.configs, result.epochs, result.examples_per_second) == ((), None, None)
    assert result.parameters == sum(one["parameters"] for one in trained)
    assert result.vectors == "glove-6b-50d"


def test_each_member_is_scored_alone(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    members = as_json(line, capsys)["members"]
    assert [member["run"] for member in members] == line[1:3]
    assert [member["weight"] for member in members] == [1, 1]
    for member in members:
        alone = as_json(["evaluate", member["run"], *line[3:]], capsys)
        assert member["checkpoint"] == alone["checkpoint"]
        assert member["exact_match"] == alone["exact_match"]
        assert member["f1"] == alone["f1"]

    assert main(line) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].split() == ["weight", "EM", "F1"]
    assert [row.split()[0] for row in shown.splitlines()[1:3]] == [
        f"{run}/checkpoints/best.ckpt" for run in line[1:3]
    ]
    assert "over the best member" in shown


def test_a_large_weight_decides(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for number, weights in enumerate((["1e9", "1"], ["1", "1e9"])):
        found = as_json([*line, "--weights", *weights], capsys)
        member = found["members"][number]
        assert (found["exact_match"], found["f1"]) == (member["exact_match"], member["f1"])


def test_the_mean_is_an_option(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    probabilities = []
    for mean in ("geometric", "arithmetic"):
        output, results = tmp_path / f"{mean}.json", tmp_path / mean
        written = ["--output", str(output), "--n-best", "3", "--results", str(results)]
        as_json([*line, "--mean", mean, *written], capsys)
        (result,) = read_results(results)
        assert result.command.endswith(" --mean arithmetic") == (mean == "arithmetic")
        n_best = json.loads(output.with_name(f"{mean}.n_best.json").read_text())
        probabilities.append([one["probability"] for some in n_best.values() for one in some])
    assert probabilities[0] != pytest.approx(probabilities[1])


def test_its_folder_answers_as_a_run_does(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, data, cache = tmp_path / "pair", line[4], line[-2:]
    found = as_json([*line, "--run", str(folder)], capsys)
    scored = as_json(["evaluate", str(folder), "--data", data, *cache], capsys)
    assert (scored["exact_match"], scored["f1"]) == (found["exact_match"], found["f1"])
    output = tmp_path / "again.json"
    assert main(["predict", str(folder), "--data", data, "--output", str(output), *cache]) == 0
    assert json.loads(output.read_text()) == json.loads((folder / "predictions.json").read_text())
    capsys.readouterr()
    text = tmp_path / "text.txt"
    text.write_text("Ida Moss kept the light for 31 years.")
    asked = ["--context", str(text), "--question", "Who kept the light?"]
    (answer,) = as_json(["answer", str(folder), *asked], capsys)["answers"]
    assert answer["text"] in text.read_text()
    assert main(["answer", str(folder), *asked, "--choose", "probable"]) == 2
    assert "it has an aim of its own" in capsys.readouterr().err


def test_expected_f1_is_an_option(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = []
    for aim in ("exact-match", "f1"):
        output = tmp_path / f"{aim}.json"
        found = as_json([*line, "--maximize", aim, "--output", str(output)], capsys)
        references = {row["id"]: row["answers"]["text"] for row in tiny.flat_rows(tiny.squad())}
        texts.append(json.loads(output.read_text()))
        assert found["f1"] == score(references, texts[-1]).f1
    assert texts[0] != texts[1]


def test_two_checkpoints_of_one_run(
    line: list[str], reader_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line[2] = str(reader_run / "checkpoints" / "last.ckpt")
    results = tmp_path / "results"
    options = ["--checkpoint", "best", "--results", str(results)]
    members = as_json([*line, *options], capsys)["members"]
    assert [Path(member["checkpoint"].split()[0]).name for member in members] == [
        "best.ckpt",
        "last.ckpt",
    ]
    assert [member["run"] for member in members] == [str(reader_run)] * 2
    (result,) = read_results(results)
    assert result.command == " ".join(["squadqa", *line[:5], "--checkpoint best"])
    trained = json.loads((reader_run / "results.json").read_text())
    assert result.minutes == trained["minutes"]
    assert result.parameters == 2 * trained["parameters"]


def test_questions_without_answers_are_answered(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: Callable[..., str]
) -> None:
    bare = tiny.write(tmp_path / "bare.json", tiny.one_question(answers=[]))
    line[4] = str(bare)
    said = refused(*line)
    assert "no answers to score against" in said
    assert "--output" in said
    output, run = tmp_path / "predictions.json", tmp_path / "run"
    assert main([*line, "--output", str(output)]) == 0
    assert main([*line, "--run", str(run)]) == 0
    assert {path.name for path in run.iterdir()} == {
        "ensemble.json",
        "members",
        "members.json",
        "predictions.json",
    }
    for path in (output, run / "predictions.json"):
        assert json.loads(path.read_text()).keys() == {"only"}
    assert "F1" not in capsys.readouterr().out

    tiny.write(bare, tiny.join(tiny.one_question(answers=[]), tiny.one_question(id="other")))
    assert "1 of 2 questions have no answers" in refused(*line, "--output", output)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["runs/one"], ['one run, "runs/one", is not an ensemble', "squadqa evaluate runs/one"]),
        (["a", "b", "--weights", "1"], ["1 weights for 2 runs"]),
        (["a", "b", "--weights", "1", "0"], ['"0" is not a number above 0']),
        (["a", "b", "--weights", "1", "nan"], ['"nan" is not a number above 0']),
        (["a", "b", "--weights", "1", "x"], ['"x" is not a number above 0']),
        (["a", "b", "--n-best", "3"], ["--n-best needs an output file", "--output"]),
        (["a", "b", "--weights", "1", "2", "--fit-weights"], ["both --weights and --fit-weights"]),
        (["a", "b", "--held-out"], ["both --data", "and --held-out"]),
        (["a", "b/best.ckpt"], ['"b/best.ckpt" is not a checkpoint of a run folder']),
        (["a", "b/checkpoints/old.ckpt"], ["is not a checkpoint of a run folder", "last.ckpt"]),
        (["a", "b"], ['no run folder "a"']),
    ],
)
def test_invalid_members_and_weights(
    arguments: list[str], said: list[str], tmp_path: Path, refused: Callable[..., str]
) -> None:
    data = tiny.write(tmp_path / "dev.json", tiny.squad())
    message = refused("ensemble", "--data", data, *arguments)
    for text in said:
        assert text in message


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--run", "old"], 'the run folder "old" exists'),
        (["--run", "a b"], 'cannot be called "a b"'),
        (["--run", "file/new"], 'cannot write "file/new"'),
        (["--results", "file"], 'cannot write "file/ensemble.json"'),
        (["--output", "old"], 'cannot write "old": it is a folder'),
    ],
)
def test_outputs_are_checked_before_members_are_read(
    arguments: list[str],
    said: str,
    line: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[..., str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old/inside").mkdir(parents=True)
    Path("file").touch()
    assert said in refused(*line, *arguments)
    assert not Path("cache").exists()


def test_no_questions(refused: Callable[..., str]) -> None:
    assert "neither --data nor --held-out" in refused("ensemble", "a", "b")


def test_weights_are_fitted_on_common_held_out_questions(
    line: list[str],
    reader_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(reader_run.parents[1])
    fitted = as_json([*line, "--fit-weights", "--results", str(tmp_path / "results")], capsys)
    weights = [member["weight"] for member in fitted["members"]]
    assert sum(weights) == pytest.approx(1.0)
    assert weights[0] != weights[1]
    assert fitted["total"] == 8
    given = as_json([*line, "--weights", *map(str, weights)], capsys)
    assert given == fitted
    (result,) = read_results(tmp_path / "results")
    assert result.command.endswith(" --fit-weights")
    assert (result.data, result.split) == (line[4], "dev")

    cache = line[5:]
    runs, results = line[:3], ["--results", str(tmp_path / "held-out")]
    held_out = as_json([*runs, "--held-out", "--fit-weights", *results, *cache], capsys)
    assert [member["weight"] for member in held_out["members"]] == weights
    assert 0 < held_out["total"] < 8
    (result,) = read_results(tmp_path / "held-out")
    assert (result.data, result.split) == ("train.json", "held out")
    assert result.command.endswith(" --held-out --fit-weights")


def test_members_with_other_held_out_questions_are_refused(
    line: list[str], scorer_run: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    other = Path(shutil.copytree(scorer_run, tmp_path / "other"))
    config = other / "config.yaml"
    config.write_text(config.read_text().replace("val_share: 0.05", "val_share: 0.2"))
    line[2] = str(other)
    assert "were not trained with the same questions held out" in refused(*line, "--fit-weights")


def test_one_run_twice(line: list[str], reader_run: Path, refused: Callable[..., str]) -> None:
    line[2] = str(reader_run / "checkpoints" / ".." / "checkpoints" / "best.ckpt")
    said = refused(*line)
    assert "is named twice" in said
    assert "--weights" in said


def test_a_bad_member_is_reported_before_any_reads(
    line: list[str],
    scorer_run: Path,
    tmp_path: Path,
    refused: Callable[..., str],
) -> None:
    spoilt = Path(shutil.copytree(scorer_run, tmp_path / "spoilt"))
    (spoilt / "checkpoints" / "best.ckpt").write_bytes(b"weights")
    line[2] = str(spoilt)
    assert "is not a checkpoint" in refused(*line)
    assert not (tmp_path / "cache").exists()
