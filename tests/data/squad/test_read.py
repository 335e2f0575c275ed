"""Reading of SQuAD files: formats, invalid files, and answers.

One file, as most tests are rows of one table of invalid files.
"""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from squadqa.data.squad import Source, content_digest, find_source, read_squad
from squadqa.errors import DataError
from tests.support import tiny


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The tiny file with a changed first article."""
    file = tiny.squad()
    change(file["data"][0])
    return file


def first_question(article: dict[str, Any]) -> dict[str, Any]:
    question: dict[str, Any] = article["paragraphs"][0]["qas"][0]
    return question


def message(path: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        tiny.read(path, **options)
    assert str(path) in str(caught.value)
    assert "\ud800" not in str(caught.value)
    return str(caught.value)


# Formats


@pytest.mark.parametrize("name", ["x.json", "x.json.gz", "x.jsonl", "x.jsonl.gz"])
def test_every_file_format_gives_the_same_data(tmp_path: Path, name: str) -> None:
    data = tiny.read(tiny.write(tmp_path / name, tiny.squad()))
    assert data == tiny.as_data(tiny.squad())
    assert (len(data.ids), len(data.contexts)) == (8, 3)
    assert data.paragraphs == [0, 0, 0, 0, 1, 1, 2, 2]
    assert data.references["q1"] == ["31", "31 years"]
    assert data.skipped == {}


def test_datasets_name_gives_the_same_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    folder = tmp_path / "owner" / "name"
    folder.mkdir(parents=True)
    tiny.write(folder / "train.jsonl", tiny.squad())
    source = Source(str(folder), "train")
    assert read_squad(source, bad_answers="error") == tiny.as_data(tiny.squad())
    assert content_digest(source) == content_digest(source)


def test_datasets_name_that_cannot_be_loaded() -> None:
    with pytest.raises(DataError, match='cannot load the data set "no/such", split "train"'):
        read_squad(Source("no/such", "train"))


def test_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(tiny.squad()).encode())
    assert tiny.read(path) == tiny.as_data(tiny.squad())


def test_windows_line_ends(tmp_path: Path) -> None:
    path = tiny.write(tmp_path / "x.jsonl", tiny.squad())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert tiny.read(path) == tiny.as_data(tiny.squad())


def test_text_is_kept_character_by_character(tmp_path: Path) -> None:
    context = " \u200b\ufeffnaïve 🥐\u2028x\x00 \t"
    file = tiny.one_question(context, " who?\n", [("🥐\u2028x", context.index("🥐"))])
    for name in ("x.json", "x.jsonl"):
        data = tiny.read(tiny.write(tmp_path / name, file))
        assert (data.contexts, data.questions) == ([context], [" who?\n"])


def test_escaped_surrogate_pair_is_one_character(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(tiny.one_question("a 🥐 b", answers=[("b", 4)])))
    assert "\\ud83e" in path.read_text()
    assert tiny.read(path).contexts == ["a 🥐 b"]


@pytest.mark.parametrize("title", [{}, {"title": None}, {"title": " "}])
def test_an_article_without_a_title_is_one_of_its_own(
    tmp_path: Path, title: dict[str, str | None]
) -> None:
    contexts = ("A cat.", "Two cats.", "A cat.")
    files = [tiny.one_question(text, answers=[("cat", text.index("cat"))]) for text in contexts]
    file = tiny.join(*files)
    for number, article in enumerate(file["data"]):
        article["paragraphs"][0]["qas"][0]["id"] = f"q{number}"
    rows = list(tiny.flat_rows(file))
    for one in (*file["data"], *rows):
        del one["title"]
        one.update(title)
    path, flat = tmp_path / "x.json", tmp_path / "x.jsonl"
    path.write_text(json.dumps(file))
    assert tiny.read(path).titles == [f"untitled: data[{number}]" for number in range(3)]
    flat.write_text("".join(json.dumps(row) + "\n" for row in rows))
    # Rows with the same context belong together: one of them held out would be known from train.
    assert tiny.read(flat).titles == [f"untitled: line {number}" for number in (1, 2, 1)]


# Invalid files


def test_not_json(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"data":\n [,]}')
    assert "is not JSON: Expecting value at line 2, column 3" in message(path)
    path.write_text("[" * 100_000)
    assert "is not JSON" in message(path)
    path.write_text("1" * 5000)
    assert "is not JSON" in message(path)


def test_not_json_lines(tmp_path: Path) -> None:
    path = tiny.write(tmp_path / "x.jsonl", tiny.squad())
    path.write_text(path.read_text() + "\n{oops\n")
    assert re.search(r"is not JSON: .* at line 10, column 2", message(path))


def test_truncated_and_false_gzip(tmp_path: Path) -> None:
    path = tiny.write(tmp_path / "x.json.gz", tiny.squad())
    path.write_bytes(path.read_bytes()[:-20])
    assert "broken or truncated .gz" in message(path)
    path.write_bytes(b"no gzip at all")
    assert "broken or truncated .gz" in message(path)
    path.write_bytes(gzip.compress(b"x" * 10_000)[:18] + b"\xff" * 20)
    assert "broken or truncated .gz" in message(path)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes('{"data": "naïve"}'.encode("latin-1"))
    assert "is not UTF-8 text (byte 12)" in message(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda article: article.pop("paragraphs"), 'data[0] misses "paragraphs"'),
        (
            lambda article: article["paragraphs"][1].pop("qas"),
            'data[0].paragraphs[1] misses "qas"',
        ),
        (
            lambda article: article["paragraphs"][0].pop("context"),
            'data[0].paragraphs[0] misses "context"',
        ),
        (
            lambda article: first_question(article).pop("id"),
            'data[0].paragraphs[0].qas[0] misses "id"',
        ),
        (
            lambda article: first_question(article).update(id=7.5),
            'qas[0] has "id": 7.5, not a string',
        ),
        (
            lambda article: first_question(article).pop("question"),
            'qas[0] misses "question"',
        ),
        (
            lambda article: first_question(article).update(answers="x"),
            "has \"answers\": 'x', not a list",
        ),
        (
            lambda article: first_question(article)["answers"][1].pop("text"),
            'qas[0].answers[1] misses "text"',
        ),
        (
            lambda article: first_question(article).update(is_impossible=True),
            "qas[0] has \"is_impossible\": true, and the answer 'Ida Moss'",
        ),
        (
            lambda article: first_question(article).update(is_impossible=1),
            'qas[0] has "is_impossible": 1, not true or false',
        ),
        (
            lambda article: first_question(article)["answers"][0].update(answer_start=True),
            'has "answer_start": True, not a whole number',
        ),
        (
            lambda article: first_question(article)["answers"][0].update(answer_start=10**400),
            "which is out of range",
        ),
        (
            lambda article: article.update(paragraphs=[3]),
            "data[0].paragraphs[0] is 3, not an object",
        ),
        (
            lambda article: first_question(article).update(question="x\ud800y" + "z" * 99),
            'qas[0] has "question" with half a surrogate pair at \'\\ud800yzzzz',
        ),
        (
            lambda article: first_question(article).update(id="\udfff"),
            "qas[0] has \"id\" with half a surrogate pair at '\\udfff'",
        ),
    ],
)
def test_other_shape(tmp_path: Path, change: Callable[[dict[str, Any]], Any], said: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(changed(change)))
    for bad_answers in ("error", "skip", "keep"):
        text = message(path, bad_answers=bad_answers)
        assert f'"{path}" is not SQuAD v1.1: data[0]' in text
        assert said in text
        assert 'Expected {"data": ' in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "the file is [1], not an object"),
        ("{}", 'the file misses "data"'),
        ('{"data": {}}', 'the file has "data": {}, not a list'),
        ('{"q1": "an answer"}', 'the file misses "data"'),
    ],
)
def test_other_top_level(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    assert said in message(path)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (5, 'line 1 has "answers": 5, not an object, a list or a text'),
        (["cat", 5], 'line 1 has "answers[1]": 5, not a string'),
        ({"text": ["cat"], "answer_start": []}, "line 1 has 1 answer texts but 0 answer starts"),
        ({"text": [None], "answer_start": [4]}, 'line 1 answers has "text[0]": None, not a string'),
        (
            {"text": ["cat"], "answer_start": ["4"]},
            "line 1 answers has \"answer_start[0]\": '4', not a whole number",
        ),
        ({"text": ["cat"], "answer_start": [4.5]}, 'has "answer_start[0]": 4.5, not a whole'),
        ({"text": ["\ud800"], "answer_start": [4]}, 'has "text[0]" with half a surrogate pair'),
    ],
)
def test_other_shape_of_a_row(tmp_path: Path, answers: Any, said: str) -> None:
    path = tmp_path / "x.jsonl"
    (row,) = tiny.flat_rows(tiny.one_question())
    path.write_text(json.dumps({**row, "answers": answers}))
    text = message(path, bad_answers="keep")
    assert said in text
    assert "Expected rows of" in text


def test_no_questions(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"data": []}')
    assert "holds no questions" in message(path, bad_answers="keep")


@pytest.mark.parametrize("blank", ["", " \n\t", "\u2003\u2028"])
def test_empty_texts(tmp_path: Path, blank: str) -> None:
    path = tiny.write(tmp_path / "x.json", tiny.one_question(context=blank, answers=[]))
    assert '(id "only") has an empty context' in message(path, bad_answers="keep")
    path = tiny.write(tmp_path / "x.json", tiny.one_question(question=blank))
    assert '(id "only") has an empty question' in message(path, bad_answers="keep")


def test_duplicate_ids(tmp_path: Path) -> None:
    file = tiny.join(tiny.one_question(), tiny.squad(), tiny.one_question())
    path = tiny.write(tmp_path / "x.json", file)
    for bad_answers in ("error", "keep"):
        assert (
            'the id "only" occurs twice, at data[0].paragraphs[0].qas[0] and '
            "data[3].paragraphs[0].qas[0]"
        ) in message(path, bad_answers=bad_answers)


# Answers


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (("cat", 5), "at 5 is 'at ', not 'cat'"),
        (("mat", -4), "at -4 is 'The', not 'mat'"),
        (("cat", 2000), "at 2000 is '', not 'cat'"),
        (("Cat", 4), "at 4 is 'cat', not 'Cat'"),
        (("mat. And more", 19), "at 19 is 'mat.', not 'mat. And more'"),
        (("", 4), "at 4 is '', not ''"),
        ((" ", 3), "at 3 is ' ', not ' '"),
    ],
)
def test_answer_that_is_elsewhere(tmp_path: Path, answer: tuple[str, int], said: str) -> None:
    file = tiny.one_question(answers=[("mat", 19), answer])
    text = message(tiny.write(tmp_path / "x.json", file))
    assert 'question "only" (data[0].paragraphs[0].qas[0]): an answer is not at' in text
    assert said in text
    assert "--data.bad_answers skip" in text


@pytest.mark.parametrize("without", [[], None])
def test_training_needs_answers(tmp_path: Path, without: list[Any] | None) -> None:
    file = changed(lambda article: first_question(article).update(answers=without))
    path = tmp_path / "x.json"
    path.write_text(json.dumps(file))
    assert 'question "q0"' in message(path)
    assert "it has no answers, and training needs one" in message(path)
    assert tiny.read(path, bad_answers="keep").answer_texts[0] == []
    del first_question(file["data"][0])["answers"]
    path.write_text(json.dumps(file))
    assert "it has no answers" in message(path)


def test_skip_leaves_out_and_counts(tmp_path: Path) -> None:
    bad = [
        tiny.one_question(answers=[], id="none"),
        tiny.one_question(answers=[("cat", 5)], id="elsewhere"),
        tiny.one_question(answers=[("sat", 5)], id="elsewhere too"),
    ]
    path = tiny.write(tmp_path / "x.json", tiny.join(bad[0], tiny.squad(), *bad[1:]))
    data = tiny.read(path, bad_answers="skip")
    assert data.skipped == {
        "it has no answers, and training needs one": 1,
        "an answer is not at its answer_start": 2,
    }
    assert data.ids == [f"q{number}" for number in range(8)]
    assert len(data.contexts) == 3  # a paragraph without questions is left out too


def test_skip_of_every_question_is_an_error(tmp_path: Path) -> None:
    path = tiny.write(tmp_path / "x.json", tiny.one_question(answers=[]))
    assert "holds no questions (1 were left out)" in message(path, bad_answers="skip")


def test_keep_drops_nothing(tmp_path: Path) -> None:
    file = tiny.join(
        tiny.one_question(answers=[], id="none"),
        tiny.one_question(answers=[("dog", 4)], id="elsewhere"),
    )
    data = tiny.read(tiny.write(tmp_path / "x.json", file), bad_answers="keep")
    assert data.ids == ["none", "elsewhere"]
    assert data.references == {"none": [], "elsewhere": ["dog"]}


SOME_WITHOUT = tiny.join(
    tiny.squad(),
    tiny.one_question(answers=[], id="none"),
    tiny.one_question(answers=[], id="none too"),
    tiny.one_question(answers=[("dog", 4)], id="elsewhere"),
)


def kept(folder: Path, **options: Any) -> list[str]:
    """The questions that are read beside those of the tiny SQuAD."""
    source = find_source(str(tiny.write(folder / "x.json", SOME_WITHOUT)))
    return read_squad(source, **options).ids[8:]


@pytest.mark.parametrize(
    ("bad_answers", "unanswerable", "expected"),
    [
        ("skip", "error", []),  # they are bad answers, too
        ("skip", "keep", ["none", "none too"]),
        ("skip", "skip", []),
        ("keep", "error", ["none", "none too", "elsewhere"]),
        ("keep", "skip", ["elsewhere"]),
        ("keep", "keep", ["none", "none too", "elsewhere"]),
    ],
)
def test_questions_without_answers_are_not_those_with_bad_ones(
    bad_answers: str, unanswerable: str, expected: list[str], tmp_path: Path
) -> None:
    assert kept(tmp_path, bad_answers=bad_answers, unanswerable=unanswerable) == expected


def test_questions_without_answers_are_counted_where_they_are_an_error(tmp_path: Path) -> None:
    file = tiny.join(tiny.squad(), {"data": SOME_WITHOUT["data"][2:4]})
    text = message(tiny.write(tmp_path / "x.json", file))
    assert 'question "none"' in text
    assert "(2 of 10 questions have none)" in text
    assert "--data.unanswerable keep" in text
    with pytest.raises(DataError, match='question "elsewhere"'):
        kept(tmp_path, bad_answers="error", unanswerable="keep")
