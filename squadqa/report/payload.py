"""The data of a report's script: every question, packed small.

JSON, packed by gzip and written in base 64, so that texts from outside cannot end the element that
they stand in. Each context stands once. Probabilities are whole numbers from 0 to 999, those along
a text one character each (`DIGITS`), and places are characters of the context, counted as
JavaScript counts them: in UTF-16.
"""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squadqa.evaluation.inspected import Inspected
from squadqa.evaluation.predictions import Answer
from squadqa.evaluation.questions import Questions
from squadqa.evaluation.systems import ScoredSystem
from squadqa.report.content import ReportContent

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The digits of values along a text: from 0 to 1 in 61 steps."""


def packed(content: ReportContent) -> str:
    """Return the data of a report's script as text that is safe in HTML."""
    text = json.dumps(payload(content), ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode("ascii")


def payload(content: ReportContent) -> dict[str, Any]:
    """Return the data of a report's script, as plain values.

    Args:
        content: What the report shows.

    Returns:
        `systems`: names. `dimensions`: names and labels. `titles`, and `contexts` as [title, text].
        `questions` as [id, text, context, given answers, slices, [answers of each system]]: a given
        answer is [start, end], or a text where it is not at its place; the answers of a system
        are [exact match, F1 from 0 to 100, [[probability, start, end], ...]], with a text in place
        of the start where the place is unknown, and -1 for a probability that is unknown.
        `inspected`: by row, what was seen inside each system. `tokens`: by context, the places of
        its tokens; `words`: by row, those of the question.
    """
    questions = content.questions
    contexts = questions.contexts
    maps = [_Utf16(text) for text in contexts]
    titles: dict[str, int] = {}
    listed = [
        [titles.setdefault(title, len(titles)), text]
        for title, text in zip(questions.data.titles.to_pylist(), contexts, strict=True)
    ]
    paragraphs = questions.data.paragraphs.tolist()
    slices = np.stack([one.members for one in content.dimensions], axis=1).tolist()
    gold = _gold(questions, maps)
    of_systems = [_answers(questions, one, maps) for one in content.systems]
    rows = sorted({row for seen in content.inspected for row in seen})
    return {
        "systems": [one.name for one in content.systems],
        "dimensions": [[one.name, one.labels] for one in content.dimensions],
        "titles": list(titles),
        "contexts": listed,
        "questions": [
            [name, text, paragraph, answers, places, [some[row] for some in of_systems]]
            for row, (name, text, paragraph, answers, places) in enumerate(
                zip(questions.ids, questions.texts, paragraphs, gold, slices, strict=True)
            )
        ],
        "inspected": {
            row: [_inspected(seen.get(row)) for seen in content.inspected] for row in rows
        },
        "tokens": {
            paragraph: maps[paragraph].spans(token_spans(questions, paragraph))
            for paragraph in sorted({paragraphs[row] for row in rows})
        },
        "words": {
            row: _words(questions, row)
            for row in rows
            if any(seen[row].attention is not None for seen in content.inspected if row in seen)
        },
    }


def token_spans(questions: Questions, text: int) -> NDArray[np.int64]:
    """Return the (C, 2) characters of a text's tokens; contexts come first, then questions."""
    tokens = questions.data.tokens
    begin, end = tokens.bounds[text : text + 2]
    return tokens.offset_mapping[begin:end].astype(np.int64)


def digits(values: NDArray[np.floating[Any]]) -> str:
    """Write values from 0 to 1 as one character each."""
    places = np.rint(np.clip(values, 0, 1) * (len(DIGITS) - 1)).astype(np.int64)
    return "".join(np.array(list(DIGITS))[places.ravel()].tolist())


class _Utf16:
    """Places of a text as JavaScript counts them.

    Args:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        self.is_same = text.isascii() or max(text) <= "\uffff"
        if not self.is_same:
            wide = np.fromiter((character > "\uffff" for character in text), bool, len(text))
            self.places = np.concatenate([[0], np.cumsum(1 + wide)])

    def __call__(self, place: int) -> int:
        return place if self.is_same else int(self.places[place])

    def spans(self, spans: NDArray[np.int64]) -> list[int]:
        """Return the begins and ends of spans, one after the other, each less the one before."""
        flat = spans.ravel() if self.is_same else self.places[spans.ravel()]
        return np.diff(flat, prepend=0).tolist()


def _gold(questions: Questions, maps: Sequence[_Utf16]) -> list[list[Any]]:
    """The distinct given answers of each question: their characters, or a text without a place."""
    found = []
    starts = questions.data.answer_starts.to_pylist()
    for row, paragraph in enumerate(questions.data.paragraphs.tolist()):
        context, place = questions.contexts[paragraph], maps[paragraph]
        some: dict[Any, None] = {}
        for text, start in zip(questions.references[row], starts[row], strict=True):
            is_there = start >= 0 and bool(text) and context.startswith(text, start)
            some[(place(start), place(start + len(text))) if is_there else text] = None
        found.append([list(one) if isinstance(one, tuple) else one for one in some])
    return found


def _answers(questions: Questions, scored: ScoredSystem, maps: Sequence[_Utf16]) -> list[Any]:
    """A system's answers to each question."""
    found = []
    spans, f1 = scored.spans.tolist(), np.rint(100 * scored.f1).astype(int).tolist()
    right = scored.exact_match.astype(int).tolist()
    for row, name in enumerate(questions.ids):
        paragraph = int(questions.data.paragraphs[row])
        context, place = questions.contexts[paragraph], maps[paragraph]
        some = scored.system.answers.get(name, ())
        places = [spans[row], *((one.start, one.end) for one in some[1:])]
        listed = [
            _answer(one, start, end, context, place)
            for one, (start, end) in zip(some, places, strict=False)
        ]
        found.append([right[row], f1[row], listed])
    return found


def _answer(one: Answer, start: int, end: int, context: str, place: "_Utf16") -> list[Any]:
    probability = round(999 * min(1.0, one.probability)) if one.probability >= 0 else -1
    if start >= 0 and context[start:end] == one.text:
        return [probability, place(start), place(end)]
    return [probability, one.text]


def _inspected(one: Inspected | None) -> Mapping[str, Any] | None:
    if one is None:
        return None
    found: dict[str, Any] = {"start": digits(one.start), "end": digits(one.end)}
    if one.attention is not None:
        found["attention"] = digits(one.attention)
    if one.contributions is not None:
        groups = one.contributions
        found["groups"] = [
            [name, round(value, 3), round(groups.other[name], 3)]
            for name, value in groups.chosen.items()
        ]
        found["rival"] = [groups.rival, groups.rival_is_gold]
    return found


def _words(questions: Questions, row: int) -> list[str]:
    """The texts of a question's tokens."""
    text = questions.texts[row]
    spans = token_spans(questions, len(questions.contexts) + row)
    return [text[start:end] for start, end in spans.tolist()]
