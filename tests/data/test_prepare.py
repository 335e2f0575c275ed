import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from squadqa.data.alignment import Alignment
from squadqa.data.prepare import default_cache_dir, prepare, prepare_data
from squadqa.data.squad import Source, find_source
from squadqa.errors import ConfigError, DataError, OutputError
from tests.support import tiny
from tests.support.comparing import comparable


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return find_source(str(tiny.write(tmp_path / "tiny.json", tiny.squad())))


@pytest.fixture
def vectors(tmp_path: Path) -> str:
    path = tmp_path / "vectors.txt"
    path.write_text("the 1.0 2.0\nIda 3.0 4.0\n")
    return str(path)


@pytest.mark.parametrize("annotated", ["not", "without a parse", "with a parse"])
def test_cached_equals_in_memory(
    tmp_path: Path, source: Source, vectors: str, annotated: str, request: pytest.FixtureRequest
) -> None:
    options: dict[str, Any] = {"vectors": [vectors], "parse": annotated == "with a parse"}
    if annotated != "not":
        options["pipeline"] = request.getfixturevalue("pipeline")
    cached, again = (
        prepare(source, cache_dir=tmp_path / "cache", workers=1, **options) for _ in range(2)
    )
    in_memory = prepare_data(tiny.as_data(tiny.squad()), **options)
    assert comparable(cached) == comparable(again) == comparable(in_memory)
    assert cached.source == str(source)
    assert cached.references == again.references == tiny.as_data(tiny.squad()).references


def test_second_time_makes_nothing(
    tmp_path: Path, source: Source, vectors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    options = {
        "cache_dir": tmp_path / "cache",
        "vectors": [vectors],
        "progress": lambda what, done, all_: calls.append(what),
    }
    prepare(source, **options)
    assert set(calls) == {"tokens", "vectors"}
    calls.clear()
    for name in ("read_squad", "tokenize"):
        monkeypatch.delattr(f"squadqa.data.prepare.{name}")
    prepare(source, **options)
    assert calls == []


def test_a_parse_is_made_only_where_it_is_asked_for(
    tmp_path: Path, source: Source, pipeline: str
) -> None:
    for parse in (False, True, False):
        data = prepare(
            source, cache_dir=tmp_path / "cache", pipeline=pipeline, parse=parse, workers=1
        )
        assert data.annotation is not None
        assert data.annotation.dependencies.any() == parse
    assert len(os.listdir(tmp_path / "cache")) == 3  # text, and two annotations


def test_changed_file_is_prepared_again(tmp_path: Path, source: Source) -> None:
    assert len(prepare(source, cache_dir=tmp_path / "cache").ids) == 8
    tiny.write(tmp_path / "tiny.json", tiny.one_question())
    assert len(prepare(source, cache_dir=tmp_path / "cache").ids) == 1


def test_same_content_elsewhere_is_not_prepared_again(tmp_path: Path, source: Source) -> None:
    prepare(source, cache_dir=tmp_path / "cache")
    other = find_source(str(tiny.write(tmp_path / "other.json", tiny.squad())))
    assert prepare(other, cache_dir=tmp_path / "cache").source == str(other)
    assert len(os.listdir(tmp_path / "cache")) == 1


def test_what_to_do_with_bad_answers_is_part_of_the_entry(tmp_path: Path) -> None:
    file = tiny.join(tiny.squad(), tiny.one_question(answers=[("dog", 4)]))
    source = find_source(str(tiny.write(tmp_path / "x.json", file)))
    kept = prepare(source, cache_dir=tmp_path / "cache")
    skipped = prepare(source, cache_dir=tmp_path / "cache", bad_answers="skip")
    assert (len(kept.ids), kept.skipped) == (9, {})
    assert (len(skipped.ids), sum(skipped.skipped.values())) == (8, 1)
    again = prepare(source, cache_dir=tmp_path / "cache", bad_answers="skip")
    assert again.skipped == skipped.skipped
    with pytest.raises(DataError, match='question "only"'):
        prepare(source, cache_dir=tmp_path / "cache", bad_answers="error")


def test_refused_file_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    source = find_source(str(tiny.write(tmp_path / "x.json", tiny.one_question(answers=[]))))
    with pytest.raises(DataError):
        prepare(source, cache_dir=tmp_path / "cache", bad_answers="error")
    assert os.listdir(tmp_path / "cache") == []


def test_gold_spans_are_those_of_the_first_answer() -> None:
    data = tiny.prepared()
    found = []
    for index, paragraph in enumerate(data.paragraphs.tolist()):
        offsets = data.tokens.offset_mapping[data.tokens.bounds[paragraph] :]
        first, last = data.start_positions[index], data.end_positions[index]
        found.append(data.contexts[paragraph].as_py()[offsets[first][0] : offsets[last][1]])
    assert found == [texts[0] for texts in data.references.values()]
    assert (data.alignment == Alignment.EXACT).all()


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([], Alignment.NONE),
        ([("dog", 4)], Alignment.MISPLACED),
        ([("mat", -4)], Alignment.MISPLACED),
        ([("cat", 2_000_000_000)], Alignment.MISPLACED),
        ([("", 4)], Alignment.LOST),
        ([(" ", 3)], Alignment.LOST),
        ([("ca", 4)], Alignment.EXPANDED),
        ([("cat", 4), ("dog", 4)], Alignment.EXACT),
    ],
)
def test_answers_that_evaluation_keeps(
    tmp_path: Path, answers: list[tuple[str, int]], kind: Alignment
) -> None:
    path = tiny.write(tmp_path / "x.json", tiny.one_question(answers=answers))
    data = prepare(find_source(str(path)), cache_dir=tmp_path / "cache")
    known = kind in (Alignment.EXACT, Alignment.EXPANDED)
    assert data.alignment.tolist() == [kind]
    assert data.start_positions.tolist() == data.end_positions.tolist() == [1 if known else -1]
    assert data.references == {"only": [text for text, _ in answers]}
    assert data.answer_starts.to_pylist() == [[start for _, start in answers]]


def test_forms_that_differ_in_case_share_their_lower_form() -> None:
    data = tiny.prepared(tiny.one_question("The the THE cat", "Cat?", answers=[]))
    lower = dict(zip(data.tokens.lexicon, data.lower.tolist(), strict=True))
    assert lower["The"] == lower["the"] == lower["THE"]
    assert lower["Cat"] == lower["cat"] != lower["the"]


def test_vectors_have_a_row_for_each_form(tmp_path: Path, source: Source, vectors: str) -> None:
    data = prepare(source, cache_dir=tmp_path / "cache", vectors=[vectors])
    assert data.vectors is not None
    assert data.vectors_found is not None
    number = data.tokens.lexicon.index("Ida")
    assert data.vectors[number].tolist() == [3.0, 4.0]
    unknown = data.tokens.lexicon.index("Oslo")
    assert not data.vectors[unknown].any()
    assert not data.vectors_found[unknown].any()
    assert prepare(source, cache_dir=tmp_path / "cache").vectors is None


def test_cache_folder_that_is_a_file(tmp_path: Path, source: Source) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        prepare(source, cache_dir=tmp_path / "file")


def test_default_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SQUADQA_CACHE_DIR", raising=False)
    assert default_cache_dir() == Path("data/cache")
    monkeypatch.setenv("SQUADQA_CACHE_DIR", "elsewhere")
    assert default_cache_dir() == Path("elsewhere")
    monkeypatch.setenv("SQUADQA_CACHE_DIR", "else\udcffwhere")
    with pytest.raises(ConfigError, match=r"is not UTF-8 text: 'else\\udcffwhere'"):
        default_cache_dir()


@pytest.mark.parametrize(
    ("part", "paragraphs", "questions", "exact", "expanded"),
    [
        ("dev", 2_067, 10_570, 10_488, 82),
        pytest.param(*("train", 18_896, 87_599, 87_000, 599), marks=pytest.mark.slow(seconds=240)),
    ],
)
def test_real_squad(
    squad_folder: Path, tmp_path: Path, part: Any, paragraphs: int, questions: int, exact: int,
    expanded: int,
) -> None:  # fmt: skip
    source = find_source(str(squad_folder), part=part)
    cache_dir = os.environ.get("SQUADQA_CACHE_DIR", tmp_path)
    data = prepare(source, cache_dir=cache_dir, bad_answers="error")
    assert (len(data.contexts), len(data.ids)) == (paragraphs, questions)
    assert np.bincount(data.alignment, minlength=4).tolist() == [0, exact, expanded, 0]


def test_what_to_do_with_questions_without_answers_is_part_of_the_entry(tmp_path: Path) -> None:
    file = tiny.join(tiny.squad(), tiny.one_question(answers=[]))
    source = find_source(str(tiny.write(tmp_path / "x.json", file)))
    options: dict[str, Any] = {"cache_dir": tmp_path / "cache", "bad_answers": "error"}
    assert prepare(source, **options, unanswerable="keep").unanswerable.tolist() == [False] * 8 + [
        True
    ]
    assert len(prepare(source, **options, unanswerable="skip").ids) == 8
    with pytest.raises(DataError, match="1 of 9 questions"):
        prepare(source, **options)
