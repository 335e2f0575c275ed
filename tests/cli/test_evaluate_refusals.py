"""Mistakes in what `squadqa evaluate` is given."""

import gzip
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support import tiny

ROOT = Path(__file__).parents[2]


def without(file: tiny.Json, *path: str | int) -> tiny.Json:
    """A file without the value at a path."""
    value: Any = file
    for key in path[:-1]:
        value = value[key]
    del value[path[-1]]
    return file


def impossible() -> tiny.Json:
    """A question of SQuAD 2.0 that has no answer, but a plausible one."""
    file = tiny.one_question(answers=[])
    plausible = [{"text": "cat", "answer_start": 4}]
    file["data"][0]["paragraphs"][0]["qas"][0].update(
        is_impossible=True, plausible_answers=plausible
    )
    return file


# First the data ...


@pytest.mark.parametrize(
    ("file", "what"),
    [
        ([], "is [], not an object"),
        (without(tiny.squad(), "data"), 'misses "data"'),
        (without(tiny.squad(), "data", 0, "paragraphs"), 'data[0] misses "paragraphs"'),
        (without(tiny.squad(), "data", 0, "paragraphs", 0, "qas"), 'misses "qas"'),
        (without(tiny.squad(), "data", 0, "paragraphs", 0, "context"), 'misses "context"'),
        (without(tiny.squad(), "data", 0, "paragraphs", 0, "qas", 1, "id"), 'misses "id"'),
        (tiny.one_question(context=" \n"), "has an empty context"),
        (tiny.one_question(question=""), "has an empty question"),
        (tiny.join(tiny.one_question(), tiny.one_question()), 'the id "only" occurs twice'),
        (tiny.one_question(answers=[]), "1 of 1 questions have no answers to score against"),
        (
            tiny.join(tiny.squad(), impossible()),
            '1 of 9 questions have no answers to score against, such as "only"',
        ),
    ],
)
def test_data_of_another_shape(
    file: Any, what: str, tmp_path: Path, predictions: Path, refused: Callable[..., str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(file))
    said = refused("evaluate", "--data", path, "--predictions", predictions)
    assert what in said
    assert str(path) in said


def test_data_that_is_not_json(
    tmp_path: Path, predictions: Path, refused: Callable[..., str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"data": [}')
    said = refused("evaluate", "--data", path, "--predictions", predictions)
    assert "is not JSON: Expecting value at line 1, column 11" in said


def test_a_truncated_gz(tmp_path: Path, predictions: Path, refused: Callable[..., str]) -> None:
    path = tmp_path / "dev.json.gz"
    path.write_bytes(gzip.compress(json.dumps(tiny.squad()).encode())[:-20])
    said = refused("evaluate", "--data", path, "--predictions", predictions)
    assert "broken or truncated .gz" in said


def test_a_missing_file_gets_a_suggestion(
    data: Path, predictions: Path, refused: Callable[..., str]
) -> None:
    said = refused("evaluate", "--data", data.with_name("dve.json"), "--predictions", predictions)
    assert 'Did you mean "dev.json"?' in said


def test_a_run_on_data_without_answers(
    reader_run: Path, tmp_path: Path, refused: Callable[..., str]
) -> None:
    path = tiny.write(tmp_path / "bare.json", tiny.one_question(answers=[]))
    said = refused("evaluate", reader_run, "--data", path)
    assert "no answers to score against" in said
    assert "`squadqa predict` needs none" in said


# ... then the predictions ...


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("not json", "are not JSON"),
        ('[{"q0": "x"}]', "are a list"),
        ('{"q0": null}', 'question "q0" has null, not a text'),
        ('{"q0": "x", "q0": "y"}', 'contain the id "q0" more than once'),
        ('{"x": "y"}', "contain no question of the data"),
    ],
)
def test_invalid_prediction_files(
    content: str, what: str, data: Path, predictions: Path, refused: Callable[..., str]
) -> None:
    predictions.write_text(content)
    assert what in refused("evaluate", "--data", data, "--predictions", predictions)


def test_a_missing_prediction_file(data: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    said = refused("evaluate", "--data", data, "--predictions", tmp_path / "none.json")
    assert "cannot read predictions" in said


# ... then the options ...


def test_either_a_run_or_predictions(
    data: Path, predictions: Path, refused: Callable[..., str]
) -> None:
    assert "nothing to evaluate" in refused("evaluate", "--data", data)
    said = refused("evaluate", "runs/x", "--predictions", predictions, "--data", data)
    assert 'both a run folder "runs/x" and --predictions' in said


def test_a_misspelt_option(data: Path, refused: Callable[..., str]) -> None:
    said = refused("evaluate", "--data", data, "--prediction", "p.json")
    assert said.splitlines() == [
        'unknown option "--prediction"',
        '  Did you mean "--predictions"?',
        "  All options: squadqa evaluate --help",
    ]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu(reader_run: Path, data: Path, refused: Callable[..., str]) -> None:
    said = refused("evaluate", reader_run, "--data", data, "--device", "cuda")
    assert 'there is no device "cuda"' in said
    assert "use --device cpu" in said


# ... and last the run.


def test_a_wrong_folder_lists_the_runs(
    copied_run: Path, data: Path, refused: Callable[..., str]
) -> None:
    said = refused("evaluate", copied_run.with_name("cpy"), "--data", data)
    assert "there is no run folder" in said
    assert f'Did you mean "{copied_run}"?' in said


def test_an_invalid_checkpoint(copied_run: Path, data: Path, refused: Callable[..., str]) -> None:
    (copied_run / "checkpoints" / "best.ckpt").write_text("weights")
    assert "is not a checkpoint" in refused("evaluate", copied_run, "--data", data)


def test_a_checkpoint_of_another_model(
    copied_run: Path, scorer_run: Path, data: Path, refused: Callable[..., str]
) -> None:
    shutil.copy(scorer_run / "checkpoints" / "best.ckpt", copied_run / "checkpoints")
    said = refused("evaluate", copied_run, "--data", data)
    assert 'holds the weights of "LogisticScorer"' in said
    assert 'describes "DrQAReader"' in said


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    ("packed", "what"),
    [(True, "is neither weights nor a plain value"), (False, "is not a checkpoint")],
)
def test_no_code_runs_from_a_checkpoint(
    packed: bool,
    what: str,
    copied_run: Path,
    data: Path,
    tmp_path: Path,
    refused: Callable[..., str],
) -> None:
    path = copied_run / "checkpoints" / "best.ckpt"
    content = torch.load(path, weights_only=True)
    content["squadqa"]["note"] = Bomb(tmp_path / "exploded")
    if packed:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content["squadqa"]))
    assert what in refused("evaluate", copied_run, "--data", data)
    assert not (tmp_path / "exploded").exists()
