import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.data.alignment import Alignment, align
from squadqa.data.tokenization import tokenize


def align_one(text: str, start: int, end: int) -> tuple[int, int, Alignment]:
    first, last, kind = align(tokenize([text]).offset_mapping, np.array([start]), np.array([end]))
    return int(first[0]), int(last[0]), Alignment(kind[0])


@given(st.text("ab. -–$1\n", max_size=30), st.data())
def test_shortest_cover(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    offsets = tokenize([text]).offset_mapping
    first, last, kind = align_one(text, start, end)
    if not text[start:end].strip():
        assert (first, last, kind) == (-1, -1, Alignment.LOST)
        return
    assert 0 <= first <= last
    # Each end token holds a character of the answer: it covers, and no shorter span does.
    assert offsets[first][0] <= start + len(text[start:end]) - len(text[start:end].lstrip())
    assert offsets[last][1] >= start + len(text[start:end].rstrip())
    assert offsets[first][1] > start
    assert offsets[last][0] < end
    exact = (offsets[first][0], offsets[last][1]) == (start, end)
    assert kind == (Alignment.EXACT if exact else Alignment.EXPANDED)


@pytest.mark.parametrize(
    ("answer", "tokens", "kind"),
    [
        ("Ida Moss", "Ida Moss", Alignment.EXACT),
        ("da Mo", "Ida Moss", Alignment.EXPANDED),
        (" Moss ", "Moss", Alignment.EXPANDED),
        ("31", "31", Alignment.EXACT),
    ],
)
def test_kinds(answer: str, tokens: str, kind: Alignment) -> None:
    text = "Ida Moss  kept it 31 years"
    start = text.index(answer)
    first, last, found = align_one(text, start, start + len(answer))
    offsets = tokenize([text]).offset_mapping
    assert text[offsets[first][0] : offsets[last][1]] == tokens
    assert found == kind


def test_many_at_once_equal_one_by_one() -> None:
    text = "one two, three-four five"
    offsets = tokenize([text]).offset_mapping
    pairs = [(s, e) for s in range(len(text)) for e in range(s, len(text) + 1)]
    starts, ends = map(np.array, zip(*pairs, strict=True))
    together = np.stack(align(offsets, starts, ends), axis=1).tolist()
    assert together == [list(align_one(text, s, e)) for s, e in pairs]


def test_text_without_tokens() -> None:
    assert align_one("  ", 0, 1) == (-1, -1, Alignment.LOST)
