"""Prediction files: written files are read back, and invalid files are explained."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squadqa.errors import DataError, OutputError
from squadqa.evaluation.predictions import Answer, read_predictions, write_n_best, write_predictions


@settings(max_examples=25, deadline=None)  # a disk may be slow
@given(predictions=st.dictionaries(st.text(), st.text()))
def test_written_predictions_read_back(
    tmp_path_factory: pytest.TempPathFactory, predictions: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("predictions") / "predictions.json"
    write_predictions(path, predictions)
    assert read_predictions(path) == predictions


def test_n_best_keeps_order_and_offsets(tmp_path: Path) -> None:
    n_best = {"q": [Answer("mill", 0.75, 4, 8), Answer("the mill", 0.25, 0, 8)], "r": []}
    write_n_best(tmp_path / "n_best.json", n_best)
    assert json.loads((tmp_path / "n_best.json").read_text()) == {
        "q": [
            {"text": "mill", "probability": 0.75, "start": 4, "end": 8},
            {"text": "the mill", "probability": 0.25, "start": 0, "end": 8},
        ],
        "r": [],
    }


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "n_best.json"
    write_n_best(path, {})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_n_best(path, {"q": [Answer("x", float("nan"), 0, 1)]})
    assert [file.read_text() for file in tmp_path.iterdir()] == ["{}\n"]


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"predictions\.json"):
        write_predictions(tmp_path / "file" / "predictions.json", {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "are not JSON: Expecting value: line 1"),
        (b'{"q": "x"', "are not JSON"),
        (b'{"q": "\xff"}', "are not JSON"),
        (b"[" * 100_000, "are not JSON"),
        (b'[{"q": "x"}]', "are a list"),
        (b'"x"', "are a text"),
        (b"null", "are null"),
        (b'{"q": "x", "r": null}', 'question "r" has null, not a text'),
        (b'{"q": 3}', 'question "q" has a number'),
        (b'{"q": true}', 'question "q" has true or false'),
        (b'{"q": [{"text": "x"}]}', 'question "q" has a list'),
        (b'{"data": {}}', 'question "data" has an object'),
        (b'{"q": "x", "q": "y"}', 'contain the id "q" more than once'),
        (b'{"x1": "x", "x2": "y"}', 'no question of the data: 2 ids, such as "x1"'),
        (b"{}", "no question of the data: 0 ids"),
    ],
)
def test_invalid_prediction_files_are_explained(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "predictions.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_predictions(path, known_ids=["q", "r"])
    assert str(path) in caught.value.what
    assert caught.value.hint or caught.value.next_step


def test_some_known_id_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "predictions.json"
    path.write_text('{"q": "x", "other": "y"}')
    assert read_predictions(path, known_ids=["p", "q"]) == {"q": "x", "other": "y"}


def test_a_missing_file_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(DataError, match="cannot read") as caught:
            read_predictions(path)
        assert f'"{path}"' in caught.value.what
