"""Tables, emphasis and progress, as commands print them."""

import sys

import pytest

from squadqa.cli import console
from squadqa.cli.console import ProgressLines, facts, marked, one_line, table


def test_a_table_is_aligned() -> None:
    assert table([("name", "F1"), ("a", "7.0"), ("long name", "12.5")]).splitlines() == [
        "name         F1",
        "a           7.0",
        "long name  12.5",
    ]


def test_facts_have_a_line_each() -> None:
    assert facts([("F1", "7"), ("questions", "8")]) == "F1         7\nquestions  8"


def test_a_part_is_marked_as_the_stream_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert marked("Oslo") == "[Oslo]"
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert marked("Oslo") == "\x1b[1mOslo\x1b[0m"


def test_a_text_on_one_line() -> None:
    assert one_line(" Ida \r\n\tMoss\n") == "Ida Moss"


def test_progress_in_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([100.0, 101.0, 111.0, 112.0, 113.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    progress = ProgressLines()
    for done in (0, 1, 2, 3, 4):
        progress("tokens", done, 4)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "tokens: 0 of 4 (0 %)",
        "tokens: 2 of 4 (50 %)",
        "tokens: 4 of 4 (100 %)",
    ]


def test_progress_in_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = ProgressLines()
    progress("tokens", 0, 2)
    progress("tokens", 2, 2)
    assert capsys.readouterr().err == (
        "\r\x1b[Ktokens: 0 of 2 (0 %)\r\x1b[Ktokens: 2 of 2 (100 %)\n"
    )
