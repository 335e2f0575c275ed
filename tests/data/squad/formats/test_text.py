"""Questions about a plain text."""

from pathlib import Path

import pytest

from squadqa.data.squad import Reading, content_digest, find_source, read_squad
from squadqa.errors import DataError


def test_one_question_a_line(tmp_path: Path) -> None:
    text, asked = tmp_path / "mill.txt", tmp_path / "questions.txt"
    text.write_bytes(b"\n Ada built the mill.\r\n")
    asked.write_bytes(b"Who built it?\r\n\n Who? \n")
    source = find_source(str(text), reading=Reading.of(questions=str(asked)))
    data = read_squad(source)
    assert data.contexts == ["\n Ada built the mill.\r\n"]
    assert data.ids == ["1", "3"]
    assert data.questions == ["Who built it?", "Who?"]
    assert data.answer_texts == [[], []]


def test_the_questions_are_part_of_the_content(tmp_path: Path) -> None:
    text, asked = tmp_path / "mill.txt", tmp_path / "questions.txt"
    text.write_text("Ada built the mill.")
    digests = set()
    for questions in ("Who?", "Why?"):
        asked.write_text(questions)
        reading = Reading.of(questions=str(asked))
        digests.add(content_digest(find_source(str(text), reading=reading)))
    assert len(digests) == 2


@pytest.mark.parametrize("questions", ["", " \n\n"])
def test_no_questions(questions: str, tmp_path: Path) -> None:
    text, asked = tmp_path / "mill.txt", tmp_path / "questions.txt"
    text.write_text("Ada built the mill.")
    asked.write_text(questions)
    with pytest.raises(DataError, match=f'"{asked}" holds no questions about "{text}"'):
        read_squad(find_source(str(text), reading=Reading.of(questions=str(asked))))


def test_both_from_standard_input() -> None:
    with pytest.raises(DataError, match="both the text and its questions"):
        find_source("-", reading=Reading.of(questions="-"))
