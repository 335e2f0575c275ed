import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squadqa.batch import NUM_CHARACTERS
from squadqa.data.lexicon import OWN_IDS, character_ids, most_frequent


def test_long_forms_keep_both_ends() -> None:
    assert character_ids(["abcdefg", "ab"], max_characters=5).tolist() == [
        [ord(c) for c in "abcfg"],
        [ord("a"), ord("b"), 0, 0, 0],
    ]
    assert character_ids(["abc"], max_characters=1).tolist() == [[ord("a")]]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5), st.integers(1, 8))
def test_every_character_has_an_id_and_padding_alone_has_none(
    forms: list[str], longest: int
) -> None:
    ids = character_ids(forms, max_characters=longest)
    assert ids.shape[0] == len(forms)
    for form, row in zip(forms, ids.tolist(), strict=True):
        length = min(len(form), longest)
        assert all(0 < number < NUM_CHARACTERS for number in row[:length])
        assert not any(row[length:])


def test_alphabet_is_fixed() -> None:
    assert character_ids(["é", "\u03ff", "中", "🥐", "\x00"], max_characters=9).tolist() == [
        [0xE9],
        [0x3FF],
        [OWN_IDS + 0x4E2D % 256],
        [OWN_IDS + 0x1F950 % 256],
        [OWN_IDS],
    ]
    together = character_ids(["a\x00b", "naïve"], max_characters=16)
    assert together[0, :3].tolist() == character_ids(["a\x00b"], max_characters=16)[0].tolist()


def test_no_forms() -> None:
    assert character_ids([], max_characters=4).shape == (0, 1)


@pytest.mark.parametrize(
    ("count", "expected"), [(2, ["b", "a"]), (9, ["b", "a", "c", "d"]), (0, [])]
)
def test_most_frequent_first_then_by_alphabet(count: int, expected: list[str]) -> None:
    forms = np.array([1, 1, 1, 2, 0, 2, 0], np.int32)
    assert most_frequent(forms, ["a", "b", "c", "d"], count=count) == expected
