"""The data of a report's script: complete, small and harmless."""

import base64
import gzip
import itertools
import json

import numpy as np

from squadqa.report.content import ReportContent
from squadqa.report.payload import DIGITS, digits, packed, payload


def utf16(text: str) -> list[str]:
    """A text as JavaScript counts it."""
    raw = text.encode("utf-16-le")
    return [
        raw[place : place + 2].decode("utf-16-le", "surrogatepass")
        for place in range(0, len(raw), 2)
    ]


def cut(text: str, start: int, end: int) -> str:
    pieces = "".join(utf16(text)[start:end])
    return pieces.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def test_it_is_json_in_base_64(content: ReportContent) -> None:
    text = packed(content)
    assert set(text) <= set(base64.b64encode(bytes(range(256)) * 3).decode()) | {"="}
    unpacked = json.loads(gzip.decompress(base64.b64decode(text)))
    assert unpacked["questions"] == json.loads(json.dumps(payload(content)["questions"]))
    assert packed(content) == text


def test_every_question_and_each_context_once(content: ReportContent) -> None:
    data = payload(content)
    assert [one[0] for one in data["questions"]] == content.questions.ids
    assert [text for _, text in data["contexts"]] == content.questions.contexts
    assert data["systems"] == [one.name for one in content.systems]
    assert len(data["titles"]) == 2


def test_places_are_javascripts(content: ReportContent) -> None:
    data, questions = payload(content), content.questions
    for row, (_, _, paragraph, gold, slices, systems) in enumerate(data["questions"]):
        context = data["contexts"][paragraph][1]
        texts = [one if isinstance(one, str) else cut(context, *one) for one in gold]
        assert texts == list(dict.fromkeys(questions.references[row]))
        assert len(slices) == len(data["dimensions"])
        for scored, listed in zip(content.systems, systems, strict=True):
            right, f1, answers = listed
            assert (right, f1) == (scored.exact_match[row], round(100 * scored.f1[row]))
            shown = [one[1] if len(one) == 2 else cut(context, *one[1:]) for one in answers]
            given = scored.system.answers.get(questions.ids[row], [])
            assert shown == [one.text for one in given]
    first = data["questions"][1][5][0][2]
    assert [one[0] for one in first] == [749, 200]
    assert data["questions"][0][5][1][2][0][0] == -1  # no probability
    assert data["questions"][7][5][1][2] == []  # no answer


def test_what_was_seen(content: ReportContent) -> None:
    data = payload(content)
    assert list(data["inspected"]) == [0, 4, 5]
    seen, nothing = data["inspected"][4]
    assert nothing is None
    words = data["words"][4]
    assert words == ["What", "did", "the", "lamp", "burn", "?"]
    paragraph = data["questions"][4][2]
    places = list(itertools.accumulate(data["tokens"][paragraph]))
    context = data["contexts"][paragraph][1]
    tokens = [cut(context, *places[at : at + 2]) for at in range(0, len(places), 2)]
    assert tokens[0] == "🥐"
    assert "lamp" in tokens
    assert len(seen["start"]) == len(seen["end"]) == len(tokens)
    assert len(seen["attention"]) == len(tokens) * len(words)
    assert [DIGITS.index(one) for one in seen["start"][:3]] == [0, 55, 0]
    assert seen["groups"] == [["lengths", 1.5, -0.25]]
    assert seen["rival"][1] is True


def test_digits() -> None:
    assert digits(np.array([-1.0, 0.0, 0.5, 1.0, 1.01])) == "00Uzz"
    assert len(DIGITS) == len(set(DIGITS)) == 62
