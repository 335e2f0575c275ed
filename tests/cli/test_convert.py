"""`squadqa convert`: what it writes, says and refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.cli.main import main
from tests.support import tiny

TABLE = "q,text,gold\nWho?,Ada met Ada.,Ada\nWho?,Karl left.,Karl\nWhy?,Karl left.,\n"
COLUMNS = ("--columns", "question=q,context=text,answer=gold")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "mill.csv"
    path.write_text(TABLE)
    return path


def test_counts_are_shown(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "new" / "mill.json"
    line = ["convert", str(table), str(output), *COLUMNS, "--find-answers", "first"]
    assert main(line) == 0
    assert capsys.readouterr().out == (
        f"source     {table}\n"
        "contexts   2\n"
        "questions  3, 1 without answers\n"
        "looked up  2 found, 1 of these in several places\n"
        f"as squad   {output}\n"
    )
    assert len(tiny.read(output, bad_answers="skip").ids) == 2
    assert main([*line, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["format"], shown["questions"], shown["path"]) == ("squad", 3, str(output))
    assert shown["found"] == {"found": 2, "of these in several places": 1}


def test_to_mrqa_and_back(data: Path, tmp_path: Path) -> None:
    packed, again = tmp_path / "out.jsonl.gz", tmp_path / "again.json"
    assert main(["convert", str(data), str(packed), "--to", "mrqa"]) == 0
    assert main(["convert", str(packed), str(again)]) == 0
    assert json.loads(again.read_text()) == tiny.squad()


def test_refusals(table: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    output = tmp_path / "out.json"
    said = refused("convert", table, output, *COLUMNS)
    assert "the answers of 2 of 3 questions are texts without places" in said
    assert "--find-answers first" in said
    assert 'has no column "question"' in refused("convert", table, output)
    assert 'columns cannot be "q"' in refused("convert", table, output, "--columns", "q")
    assert '--find-answers cannot be "frist"' in refused(
        "convert", table, output, "--find-answers", "frist"
    )
    assert "says no format" in refused("convert", table, tmp_path / "out.xml")
    assert '--to cannot be "mrq"' in refused("convert", table, output, "--to", "mrq")
    assert "it is a folder" in refused("convert", table, tmp_path, "--to", "csv")
    assert "no data file" in refused("convert", tmp_path / "mil.csv", output)
    assert [path.name for path in tmp_path.iterdir()] == ["mill.csv"]
