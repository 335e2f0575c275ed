import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from squadqa.data.tokenization import (
    LONGEST_PIECE,
    Tokens,
    join_tokens,
    tokenize,
    tokenizer_fingerprint,
)

# White space, marks, digits and scripts, where rules meet; any character except surrogates.
TEXTS = st.text(
    st.sampled_from("aZé9 \t\n.,-–—()[]/$€°'’\"“s\u200b\u00a0\u2028\x00🥐中")
    | st.characters(exclude_categories=["Cs"]),
    max_size=40,
)


def forms_of(tokens: Tokens, text: int) -> list[str]:
    part = slice(tokens.bounds[text], tokens.bounds[text + 1])
    return [tokens.lexicon[form] for form in tokens.forms[part]]


@given(st.lists(TEXTS, max_size=4))
@example([])
@example([""])
@example(["", " ", "x", ""])
def test_offsets_cut_the_forms_out_of_the_text(texts: list[str]) -> None:
    tokens = tokenize(texts)
    assert len(tokens.bounds) == len(texts) + 1
    assert tokens.bounds[-1] == len(tokens.forms) == len(tokens.offset_mapping)
    assert tokens.lexicon == sorted(set(tokens.lexicon))
    assert set(tokens.forms.tolist()) == set(range(len(tokens.lexicon)))
    for number, text in enumerate(texts):
        offsets = tokens.offset_mapping[tokens.bounds[number] : tokens.bounds[number + 1]]
        assert [text[start:end] for start, end in offsets] == forms_of(tokens, number)
        places = offsets.flatten()
        assert (np.diff(places) >= 0).all()
        assert (offsets[:, 0] < offsets[:, 1]).all()
        # Uncovered characters are white space, and no token is only white space.
        covered = {place for start, end in offsets for place in range(start, end)}
        assert not "".join(c for place, c in enumerate(text) if place not in covered).strip()
        assert all(form.strip() for form in forms_of(tokens, number))


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("in 1854–1855.", ["in", "1854", "–", "1855", "."]),
        ("a million.[note 3]", ["a", "million", ".", "[", "note", "3", "]"]),
        ("A–Z: 1990s (so)", ["A", "–", "Z", ":", "1990", "s", "(", "so", ")"]),
        ("It isn't Ida's $5 boat", ["It", "is", "n't", "Ida", "'s", "$", "5", "boat"]),
        ("a  b\u00a0c\n", ["a", "b", "c"]),
        ("5km 20°C either/both", ["5", "km", "20", "°", "C", "either", "/", "both"]),
    ],
)
def test_splits(text: str, forms: list[str]) -> None:
    assert forms_of(tokenize([text]), 0) == forms


@pytest.mark.parametrize("sign", ["(", "!", ")", "'s", "☃", "5km", "a(", "…\u0301"])
def test_time_grows_with_the_length_of_a_run_not_with_its_square(sign: str) -> None:
    began = time.process_time()
    tokens = tokenize([f"a {sign * (20_000 // len(sign))} Ada"])  # without the limit: minutes
    assert time.process_time() - began < 10
    assert forms_of(tokens, 0)[:: len(tokens.forms) - 1] == ["a", "Ada"]


def test_only_pieces_that_are_too_long_are_cut() -> None:
    word, link = "x" * LONGEST_PIECE, f"see/{'x' * (LONGEST_PIECE - 4)}"
    assert forms_of(tokenize([f"{word} b"]), 0) == [word, "b"]
    assert forms_of(tokenize([f"{word}yz b"]), 0) == [word, "yz", "b"]
    assert forms_of(tokenize([f"{link}, b"]), 0) == ["see", "/", link[4:], ",", "b"]
    text = f"  {'(' * 600}Ada\n{'é' * 1000}"
    tokens = tokenize([text])
    cut = "".join(text[start:end] for start, end in tokens.offset_mapping)
    assert cut == "".join(text.split())


def test_texts_do_not_affect_each_other() -> None:
    texts = ["Ida left.", "The boat, 1902", "Ida left."]
    together = tokenize(texts)
    for number, text in enumerate(texts):
        assert forms_of(together, number) == forms_of(tokenize([text]), 0)


@given(st.lists(st.lists(TEXTS, max_size=2), max_size=4))
@example([])
@example([[], [""], ["x"]])
def test_joined_tokens_are_those_of_all_texts_together(parts: list[list[str]]) -> None:
    joined = join_tokens([tokenize(texts) for texts in parts])
    together = tokenize([text for texts in parts for text in texts])
    for name in ("bounds", "forms", "offset_mapping"):
        assert getattr(joined, name).dtype == getattr(together, name).dtype
        np.testing.assert_array_equal(getattr(joined, name), getattr(together, name))
    assert joined.lexicon == together.lexicon


def test_fingerprint_is_the_same_in_every_process() -> None:
    code = "from squadqa.data.tokenization import *; print(tokenizer_fingerprint())"
    other = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert other.strip() == tokenizer_fingerprint()


def test_fingerprint_follows_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tokenizer_fingerprint()
    monkeypatch.setattr("squadqa.data.tokenization.FURTHER_INFIXES", ("x",))
    assert tokenizer_fingerprint() != before
