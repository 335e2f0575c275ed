"""The origin of a run: read back, or refused before a training that would need it at its end."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from squadqa.errors import CheckpointError
from squadqa.run_files import ORIGIN
from squadqa.training.run_record import Origin, read_origin

WHOLE = Origin(("configs/drqa.yaml",), {"data.batch_size": 32}, "squadqa train", "abc", "a machine")


def test_an_origin_is_read_back(tmp_path: Path) -> None:
    (tmp_path / ORIGIN).write_text(json.dumps(asdict(WHOLE)))
    assert read_origin(tmp_path) == WHOLE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("command", 5), ("commit", None), ("hardware", "\ud800"), ("overrides", None)),
        *(("overrides", {"a b": 1}), ("overrides", {"a": float("nan")}), ("overrides", [])),
        *(("configs", "ab"), ("configs", [1]), ("configs", {"": 1}), ("configs", None)),
    ],
)
def test_what_no_result_can_hold_is_refused(field: str, value: Any, tmp_path: Path) -> None:
    (tmp_path / ORIGIN).write_text(json.dumps({**asdict(WHOLE), field: value}))
    with pytest.raises(CheckpointError, match="cannot read the origin of the run") as raised:
        read_origin(tmp_path)
    assert f'"{field}" is ' in str(raised.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", "1", '"x"', "[" * 10_000, '{"configs": []}'])
def test_what_is_no_origin_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / ORIGIN).write_text(text)
    with pytest.raises(CheckpointError, match="cannot read the origin of the run"):
        read_origin(tmp_path)
