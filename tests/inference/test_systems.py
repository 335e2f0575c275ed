"""Opening of systems: runs, ensembles, prediction files, kept answers."""

import json
import math
from pathlib import Path

import pytest

from squadqa.data.squad import Source, find_source
from squadqa.errors import CheckpointError, ConfigError, DataError
from squadqa.inference import systems as module
from squadqa.inference.answered import Preparation
from squadqa.inference.ensemble import Ensemble
from squadqa.inference.ensemble_folder import save_ensemble
from squadqa.inference.predictor import Predictor
from squadqa.inference.run_folder import open_run
from squadqa.inference.systems import Opening, labels, open_systems
from tests.support import tiny


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return find_source(str(tiny.write(tmp_path / "questions.json", tiny.squad())))


@pytest.fixture
def how(tmp_path: Path) -> Opening:
    return Opening(Preparation(tmp_path / "cache"), device="cpu")


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps({"q0": "Ida Moss", "q3": "Oslo"}))
    return path


def test_a_run_answers_as_it_does_alone_and_its_answers_are_kept(
    reader_run: Path, source: Source, how: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions, (opened,) = open_systems([str(reader_run)], source, how)
    assert questions.ids == [f"q{number}" for number in range(8)]
    assert (opened.system.name, opened.folder) == ("drqa", reader_run)
    assert "best.ckpt" in opened.system.description
    run = Predictor(open_run(reader_run), device="cpu")
    alone = run.answers(run.prepare(source, how.preparation), n_best=5)
    assert opened.system.answers == alone

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the answers are known")

    monkeypatch.setattr(module, "load", fail)
    _, (again,) = open_systems([str(reader_run)], source, how)
    assert again == opened
    other = find_source(str(tiny.write(Path(source.name).with_name("b.json"), tiny.one_question())))
    with pytest.raises(AssertionError, match="are known"):
        open_systems([str(reader_run)], other, how)


def test_an_ensemble_is_a_system(
    reader_run: Path, source: Source, how: Opening, tmp_path: Path
) -> None:
    both = Ensemble([Predictor(open_run(reader_run), device="cpu")] * 2)
    save_ensemble(tmp_path / "both", both)
    _, opened = open_systems([str(tmp_path / "both"), str(reader_run)], source, how)
    assert [one.system.name for one in opened] == ["both", "drqa"]
    together, alone = (one.system.answers for one in opened)
    assert together.keys() == alone.keys()


def test_prediction_files_with_and_without_places(
    predictions: Path, source: Source, how: Opening
) -> None:
    _, (opened,) = open_systems([str(predictions)], source, how)
    (answer,) = opened.system.answers["q0"]
    assert (answer.text, answer.start, opened.folder) == ("Ida Moss", -1, None)
    assert math.isnan(answer.probability)
    n_best = [{"text": "Ida Moss", "probability": 0.5, "start": 0, "end": 8}]
    wrong = [{"text": "Bergen", "probability": 0.5, "start": 0, "end": 6}]
    beside = predictions.with_name("theirs.n_best.json")
    beside.write_text(json.dumps({"q0": n_best, "q3": wrong}))
    _, (opened,) = open_systems([str(predictions)], source, how)
    assert [one.probability for one in opened.system.answers["q0"]] == [0.5]
    assert opened.system.answers["q3"][0].text == "Oslo"  # the predictions count


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"q0": [{}]}', '{"q0": 3}', '{"q0": [{"text": 1, "probability": 1, "start": 0}]}',
     '{"q0": [{"text": "a", "probability": 7, "start": 0, "end": 1}]}'],
)  # fmt: skip
def test_damaged_n_best_files_are_refused(
    text: str, predictions: Path, source: Source, how: Opening
) -> None:
    predictions.with_name("theirs.n_best.json").write_text(text)
    with pytest.raises(DataError, match="does not hold the best answers"):
        open_systems([str(predictions)], source, how)


def test_mistakes_are_found_before_the_work(
    reader_run: Path, predictions: Path, source: Source, how: Opening
) -> None:
    with pytest.raises(ConfigError, match="named twice"):
        open_systems([str(predictions)] * 2, source, how)
    with pytest.raises(CheckpointError, match="no run folder"):
        open_systems([str(reader_run), "runs/nothing"], source, how)
    bare = tiny.write(predictions.with_name("bare.json"), tiny.one_question(answers=[]))
    with pytest.raises(DataError, match="no answers to score against"):
        open_systems([str(reader_run)], find_source(str(bare)), how)
    assert not (predictions.parent / "cache").exists()


def test_types_of_answers_are_known_after_a_parse(
    predictions: Path, source: Source, tmp_path: Path
) -> None:
    how = Opening(Preparation(tmp_path / "cache", workers=1), pipeline="en_core_web_sm")
    questions, _ = open_systems([str(predictions)], source, how)
    assert questions.answer_types is not None


def test_labels_differ(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / "drqa.json"
    file.touch()
    assert labels(["runs/a/drqa", "runs/b/drqa"]) == ["a/drqa", "b/drqa"]
    assert labels(["runs/drqa", "runs/drqa.old"]) == ["drqa", "drqa.old"]
    assert labels([str(file)]) == ["drqa"]
