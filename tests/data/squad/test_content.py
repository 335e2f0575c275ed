"""Bytes of sources: packed without saying so, and standard input."""

import gzip
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from squadqa.data.squad import content_digest, find_source, read_squad
from squadqa.errors import DataError
from tests.support import tiny


def stdin(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


def test_a_packed_file_by_another_name(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(gzip.compress(json.dumps(tiny.squad()).encode()))
    assert tiny.read(path) == tiny.as_data(tiny.squad())


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read_once_and_kept(pack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps(tiny.squad()).encode()
    stdin(pack(content), monkeypatch)
    source = find_source("-")
    assert str(source) == "standard input"
    assert content_digest(source) == content_digest(source)
    for _ in range(2):
        assert read_squad(source) == tiny.as_data(tiny.squad())
    stdin(json.dumps(tiny.one_question()).encode(), monkeypatch)
    assert read_squad(source).ids == ["only"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", '"standard input" is empty'),
        (b"{", '"standard input" is not JSON'),
        (b"\xff", '"standard input" is not UTF-8 text'),
        (b"\x1f\x8bx", '"standard input" is a broken or truncated .gz file'),
        (b'{"data": []}', '"standard input" holds no questions'),
    ],
)
def test_standard_input_with_something_else(
    content: bytes, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(content, monkeypatch)
    with pytest.raises(DataError, match=said):
        read_squad(find_source("-"))


def test_a_terminal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=terminal))
    with pytest.raises(DataError, match="nothing is sent to it"):
        content_digest(find_source("-"))
