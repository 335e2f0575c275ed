"""Columns of a pack: tokens and annotation as few small numbers, and back again without loss.

What follows from something else is not stored: a word form is the text between its token's first
and last character, and most lemmas are their lower-cased forms.

Shape letters: N texts, T tokens, U word forms, L lemmas, K pairs of a form and a lemma.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from squadqa.data.annotation import DEPENDENCIES, ENTITIES, TAGS, Annotation
from squadqa.data.tokenization import Tokens

Columns = dict[str, NDArray[Any]]

LABELS = {"tags": TAGS, "entities": ENTITIES, "dependencies": DEPENDENCIES}
"""Columns of labels, and their inventories."""

FLAGS = ("entity_begins", "sentence_begins")
"""Columns of true and false."""


WIDTHS = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.int64)
"""Types of whole numbers, from the smallest."""


def smallest(values: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers in the smallest type that holds them all."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    fits = (one for one in WIDTHS if np.iinfo(one).min <= low and high <= np.iinfo(one).max)
    return values.astype(next(fits))


# Tokens


def token_columns(tokens: Tokens) -> Columns:
    """Return the number of tokens of each text, and each token's distance and length.

    Args:
        tokens: The tokens of N texts.

    Returns:
        `token_counts` (N,); `token_gaps` (T,), the characters since the end of the token before it
        or the begin of its text; `token_lengths` (T,), its own characters.
    """
    start, end = tokens.offset_mapping.T
    before = np.zeros_like(end)
    before[1:] = end[:-1]
    counts = np.diff(tokens.bounds)
    before[tokens.bounds[:-1][counts > 0]] = 0
    return {
        "token_counts": smallest(counts),
        "token_gaps": smallest(start - before),
        "token_lengths": smallest(end - start),
    }


def tokens_of(columns: Mapping[str, NDArray[Any]], texts: Sequence[str]) -> Tokens:
    """Make the tokens of texts from their columns.

    Args:
        columns: What `token_columns` returned.
        texts: The N texts.

    Raises:
        ValueError: The columns are not of these texts.
    """
    counts = _whole(columns["token_counts"], "token_counts")
    gaps, lengths = (_whole(columns[name], name) for name in ("token_gaps", "token_lengths"))
    if len(counts) != len(texts) or int(counts.min(initial=1)) < 1:
        raise ValueError("the numbers of tokens do not fit the texts")
    bounds = np.concatenate([[0], np.cumsum(counts)])  # (N + 1,)
    if not len(gaps) == len(lengths) == bounds[-1]:
        raise ValueError("there are not as many tokens as the texts have")
    if min(gaps.min(initial=0), lengths.min(initial=1) - 1) < 0:
        raise ValueError("tokens overlap")
    ends = np.cumsum(gaps + lengths)
    text_begins = np.concatenate([[0], ends])[bounds[:-1]]  # (N,)
    offsets = ends - np.repeat(text_begins, counts)  # (T,) the end of each token in its text
    strings = pa.array(texts, pa.string())
    sizes = pc.utf8_length(strings).to_numpy().astype(np.int64)  # (N,) characters
    if (offsets[bounds[1:] - 1] > sizes).any():
        raise ValueError("a token reaches beyond its text")
    forms, lexicon = _forms(strings, sizes, counts, offsets - lengths, offsets)
    return Tokens(
        bounds=bounds,
        forms=forms,
        offset_mapping=np.stack([offsets - lengths, offsets], axis=1).astype(np.int32),
        lexicon=lexicon,
    )


def _forms(
    strings: pa.StringArray,
    sizes: NDArray[np.int64],
    counts: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> tuple[NDArray[np.int32], list[str]]:
    """Cut the tokens (T,) out of the texts (N,), and number their distinct forms."""
    content = np.frombuffer(
        strings.buffers()[2], np.uint8, int(pc.sum(pc.binary_length(strings)).as_py())
    )
    begins = np.concatenate([[0], np.cumsum(sizes)])  # (N + 1,) first character of each text
    is_first = (content & 0xC0) != 0x80  # of a character's bytes
    byte_of = np.append(np.flatnonzero(is_first), len(content))  # (characters + 1,)
    shift = np.repeat(begins[:-1], counts)
    first, stop = byte_of[starts + shift], byte_of[ends + shift]  # (T,)
    edges = np.stack([first, stop], axis=1).reshape(-1)
    runs = np.diff(np.concatenate([[0], edges, [len(content)]]))  # between tokens, a token, ...
    inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    offsets = np.concatenate([[0], np.cumsum(stop - first)]).astype(np.int32)
    tokens = pa.StringArray.from_buffers(
        len(first), pa.py_buffer(offsets), pa.py_buffer(content[inside])
    ).dictionary_encode()
    found: list[str] = tokens.dictionary.to_pylist()
    order = sorted(range(len(found)), key=found.__getitem__)
    rank = np.empty(len(found), np.int32)
    rank[order] = np.arange(len(found), dtype=np.int32)
    return rank[tokens.indices.to_numpy()], [found[index] for index in order]


# Annotation


@dataclass(frozen=True)
class Lemmas:
    """The lemmas of T tokens.

    Args:
        codes: (T,) which of its form's lemmas each token has; 0 is the form's most frequent one.
        choices: (U,) how many lemmas each form has.
        are_forms: (K,) whether a form's lemma is the lower-cased form itself; the lemmas of a form
            follow each other.
        others: The lemmas that are not.
    """

    codes: NDArray[Any]
    choices: NDArray[Any]
    are_forms: NDArray[np.bool_]
    others: list[str]


def annotation_columns(annotation: Annotation, tokens: Tokens) -> tuple[Columns, list[str]]:
    """Return the columns of an annotation, and the lemmas that are no lower-cased forms.

    Args:
        annotation: The annotation.
        tokens: Its tokens.
    """
    lemmas = _coded(annotation, tokens)
    places = np.arange(len(tokens.forms)) - _text_begins(tokens)
    return {
        **{name: getattr(annotation, name) for name in (*LABELS, *FLAGS)},
        "heads": smallest(annotation.heads - places),
        "lemma_codes": smallest(lemmas.codes),
        "lemma_choices": smallest(lemmas.choices),
        "lemmas_are_forms": lemmas.are_forms,
    }, lemmas.others


def annotation_of(
    columns: Mapping[str, NDArray[Any]], others: list[str], tokens: Tokens
) -> Annotation:
    """Make an annotation from its columns.

    Args:
        columns: What `annotation_columns` returned.
        others: The lemmas that are no lower-cased forms.
        tokens: The tokens.

    Raises:
        ValueError: The columns do not fit the tokens.
    """
    size = len(tokens.forms)
    for name in (*LABELS, *FLAGS, "heads", "lemma_codes"):
        if len(columns[name]) != size:
            raise ValueError(f"{name} has {len(columns[name]):,} rows for {size:,} tokens")
    for name, inventory in LABELS.items():
        if columns[name].dtype != np.uint8 or columns[name].max(initial=0) >= len(inventory):
            raise ValueError(f"{name} has a number that stands for no label")
    for name in (*FLAGS, "lemmas_are_forms"):
        if columns[name].dtype != np.bool_:
            raise ValueError(f"{name} is not true or false")
    lemmas = Lemmas(
        codes=_whole(columns["lemma_codes"], "lemma_codes"),
        choices=_whole(columns["lemma_choices"], "lemma_choices"),
        are_forms=columns["lemmas_are_forms"],
        others=others,
    )
    numbers, lexicon = _decoded(lemmas, tokens)
    return Annotation(
        **{name: columns[name] for name in (*LABELS, *FLAGS)},
        heads=_heads(_whole(columns["heads"], "heads"), tokens),
        lemmas=numbers,
        lemma_lexicon=lexicon,
    )


def _coded(annotation: Annotation, tokens: Tokens) -> Lemmas:
    width = max(1, len(annotation.lemma_lexicon))
    keys = tokens.forms.astype(np.int64) * width + annotation.lemmas
    pairs, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    forms, lemmas = pairs // width, pairs % width  # (K,), sorted by form
    order = np.lexsort((-counts, forms))  # the most frequent lemma of a form first
    choices = np.bincount(forms, minlength=len(tokens.lexicon))
    code = np.empty(len(pairs), np.int64)
    code[order] = np.arange(len(pairs)) - np.repeat(np.cumsum(choices) - choices, choices)
    spelled = [annotation.lemma_lexicon[lemma] for lemma in lemmas[order].tolist()]
    lower = [tokens.lexicon[form].lower() for form in forms[order].tolist()]
    are_forms = np.array([a == b for a, b in zip(spelled, lower, strict=True)], bool)
    return Lemmas(
        codes=code[inverse.reshape(-1)],
        choices=choices,
        are_forms=are_forms,
        others=[text for text, is_form in zip(spelled, are_forms, strict=True) if not is_form],
    )


def _decoded(lemmas: Lemmas, tokens: Tokens) -> tuple[NDArray[np.int32], list[str]]:
    choices, others = lemmas.choices, lemmas.others
    if len(choices) != len(tokens.lexicon) or int(choices.min(initial=1)) < 1:
        raise ValueError("the lemmas do not fit the word forms")
    total = int(choices.sum())
    if total != len(lemmas.are_forms) or len(others) != total - int(lemmas.are_forms.sum()):
        raise ValueError("there are not as many lemmas as the word forms have")
    codes = lemmas.codes
    if ((codes < 0) | (codes >= choices[tokens.forms])).any():
        raise ValueError("a token has a lemma that its form has not")
    form_of = np.repeat(np.arange(len(choices)), choices).tolist()
    rest = iter(others)
    spelled = [
        tokens.lexicon[form].lower() if is_form else next(rest)
        for form, is_form in zip(form_of, lemmas.are_forms.tolist(), strict=True)
    ]
    lexicon = sorted(set(spelled))
    number = {lemma: index for index, lemma in enumerate(lexicon)}
    of_pair = np.array([number[lemma] for lemma in spelled], np.int32)
    return of_pair[(np.cumsum(choices) - choices)[tokens.forms] + codes], lexicon


def _heads(relative: NDArray[np.int64], tokens: Tokens) -> NDArray[np.int32]:
    """(T,) heads as tokens of their text, from their distances; each tree has a root."""
    begins = _text_begins(tokens)
    heads = np.arange(len(relative)) + relative  # in the whole source
    sizes = np.repeat(np.diff(tokens.bounds), np.diff(tokens.bounds))
    if ((heads < begins) | (heads >= begins + sizes)).any():
        raise ValueError("a token's head is outside its text")
    above = heads
    for _ in range(int(sizes.max(initial=1)).bit_length()):
        above = above[above]  # twice as many arcs up each time
    if (heads[above] != above).any():
        raise ValueError("heads go round in a circle")
    return (heads - begins).astype(np.int32)


def _text_begins(tokens: Tokens) -> NDArray[np.int64]:
    """(T,) first token of each token's text."""
    return np.repeat(tokens.bounds[:-1], np.diff(tokens.bounds))


def _whole(values: NDArray[Any], name: str) -> NDArray[np.int64]:
    """Widen whole numbers of at most four bytes, so that their sums do not overflow."""
    if values.dtype.kind not in "ui" or values.dtype.itemsize > 4:
        raise ValueError(f"{name} is of type {values.dtype}")
    return values.astype(np.int64)
