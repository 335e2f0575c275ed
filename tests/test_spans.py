import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from squadqa.spans import characters_of, tokens_covering


@st.composite
def offset_mappings(draw: st.DrawFn) -> np.ndarray:
    """Tokens in order, with and without gaps."""
    gaps = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), min_size=1, max_size=12))
    offsets, place = [], 0
    for gap, length in gaps:
        offsets.append((place + gap, place + gap + length))
        place += gap + length
    return np.array(offsets, np.int32)


@given(offset_mappings(), st.data())
def test_tokens_to_characters_and_back(offsets: np.ndarray, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(offsets) - 1))
    last = data.draw(st.integers(first, len(offsets) - 1))
    start, end = characters_of(offsets, np.array([first]), np.array([last]))
    assert (start[0], end[0]) == (offsets[first][0], offsets[last][1])
    again = tokens_covering(offsets, start, end)
    assert (again[0][0], again[1][0]) == (first, last)


@given(offset_mappings(), st.data())
def test_tokens_covering_equals_brute_force(offsets: np.ndarray, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, int(offsets[-1][1])))
    end = data.draw(st.integers(start, int(offsets[-1][1]) + 3))
    touched = [
        number for number, (begin, stop) in enumerate(offsets) if begin < end and stop > start
    ]
    first, last = tokens_covering(offsets, np.array([start]), np.array([end]))
    if start == end:  # an empty span is inside a token, or touches none
        assert last[0] - first[0] in (0, -1)
    elif touched:
        assert (first[0], last[0]) == (touched[0], touched[-1])
    else:
        assert first[0] > last[0]
