"""Questions without an answer, made of others: each with another paragraph of its article.

The paragraph does not hold the answer, but much of the question: one that shares no word with the
question would teach a model to look for shared words only.

Reference: Clark and Gardner, 2018, Simple and Effective Multi-Paragraph Reading Comprehension
(arXiv 1710.10723), which also draws among the paragraphs that are most similar by TF-IDF.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from squadqa.data.annotation import ANNOTATION_COLUMNS, Annotation
from squadqa.data.prepared import PreparedData
from squadqa.data.tokenization import Tokens
from squadqa.errors import DataError
from squadqa.scoring import normalize_answer

CLOSEST = 4
"""How many of the paragraphs that hold most of a question one is drawn from."""

VAL_SEED = 0
"""Seed of the negatives of validation questions, whatever that of the training."""

SUFFIX = "-negative"
"""Ends the id of a question that was made."""

Ints = NDArray[np.int64]


def with_negatives(
    data: PreparedData, rows: Ints, *, share: float, seed: int
) -> tuple[PreparedData, Ints]:
    """Add questions without an answer to a source, after its own.

    Args:
        data: A prepared source.
        rows: The questions to make others of.
        share: The share of these questions that get one, from 0 to 1. Which ones depends only on
            the seed and on each question's id; so does the paragraph.
        seed: Another seed draws other questions and paragraphs.

    Returns:
        The source with the questions added, and (K,) the question that each one was made of.

    Raises:
        DataError: None could be made, as no article has another paragraph without the answer.
    """
    ids = [str(data.ids[row]) for row in rows.tolist()]
    drawn = np.array([_draw(seed, name) for name in ids]).reshape(-1, 2)
    is_drawn = (drawn[:, 0] < share) & ~data.unanswerable[rows]
    chosen, places = rows[is_drawn], drawn[is_drawn, 1]
    pairs = list(_pairs(data, chosen, places))
    if not pairs and share > 0:
        raise DataError(
            f'"{data.source}": no question could be paired with a paragraph that does not hold its '
            f"answer ({len(chosen):,} were tried)",
            hint="It has to be another paragraph of the same article.",
            next_step="Leave out --data.negatives, or name data whose articles have several "
            "paragraphs.",
        )
    origin, paragraphs = np.array(pairs, np.int64).reshape(-1, 2).T
    return _extended(data, origin, paragraphs), origin


def _draw(seed: int, name: str) -> tuple[float, float]:
    """Two numbers from 0 to 1 that depend only on a seed and an id."""
    digest = hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest()
    return tuple(int.from_bytes(part, "little") / 2**32 for part in (digest[:4], digest[4:]))  # type: ignore[return-value]


def _pairs(
    data: PreparedData, rows: Ints, places: NDArray[np.float64]
) -> Iterator[tuple[int, int]]:
    """Yield questions with the paragraphs that they are paired with, article by article."""
    _, articles = np.unique(np.array(data.titles.to_pylist()), return_inverse=True)
    of_question = articles[data.paragraphs[rows]]
    weights = _rarity(data)
    order = np.argsort(of_question, kind="stable")
    bounds = np.flatnonzero(np.diff(of_question[order], prepend=-1, append=-1))
    for begin, end in zip(bounds[:-1], bounds[1:], strict=True):
        group = order[begin:end]
        paragraphs = np.flatnonzero(articles == of_question[group[0]])
        if len(paragraphs) < 2:
            continue
        texts = [_spaced(data.contexts[int(paragraph)].as_py()) for paragraph in paragraphs]
        overlaps = _overlaps(data, rows[group], paragraphs, weights)
        for row, place, overlap in zip(rows[group], places[group], overlaps, strict=True):
            answers = [_spaced(text) for text in data.answer_texts[int(row)].as_py()]
            own = data.contexts[int(data.paragraphs[row])]
            closest: list[int] = []
            for one in np.argsort(-overlap, kind="stable"):
                holds = any(answer in texts[one] for answer in answers)
                if not holds and data.contexts[int(paragraphs[one])] != own:
                    closest.append(int(paragraphs[one]))
                    if len(closest) == CLOSEST:
                        break
            if closest:
                yield int(row), closest[int(place * len(closest))]


def _spaced(text: str) -> str:
    """Return the words of a text as the official score compares them, each between spaces."""
    return f" {normalize_answer(text)} "


def _rarity(data: PreparedData) -> NDArray[np.float64]:
    """(U,) weight of each lower-cased form by its number: log(paragraphs / those that have it)."""
    count = len(data.contexts)
    tokens = data.tokens.bounds[count]
    paragraph = np.repeat(np.arange(count), np.diff(data.tokens.bounds[: count + 1]))
    forms = data.lower[data.tokens.forms[:tokens]].astype(np.int64)
    size = int(data.lower.max(initial=0)) + 1
    distinct = np.unique(paragraph * size + forms)
    frequency = np.bincount(distinct % size, minlength=size)
    weights: NDArray[np.float64] = np.log(count / np.maximum(frequency, 1))
    return weights


def _overlaps(
    data: PreparedData, rows: Ints, paragraphs: Ints, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(K, P) weight of the words that each of K questions shares with each of P paragraphs."""
    bounds, size = data.tokens.bounds, len(weights)

    def held(texts: Ints) -> NDArray[np.bool_]:
        found = np.zeros((len(texts), size), bool)
        for number, text in enumerate(texts):
            found[number, data.lower[data.tokens.forms[bounds[text] : bounds[text + 1]]]] = True
        return found

    in_paragraphs = held(paragraphs)
    used = np.flatnonzero(in_paragraphs.any(axis=0))  # few of a source's words
    asked = held(len(data.contexts) + rows)[:, used] * weights[used]
    overlaps: NDArray[np.float64] = asked @ in_paragraphs[:, used].T.astype(np.float64)
    return overlaps


def _extended(data: PreparedData, origin: Ints, paragraphs: Ints) -> PreparedData:
    """Return the source with a copy of each question, which has no answer, of another paragraph."""
    count = len(origin)
    tokens, texts = data.tokens, len(data.contexts) + origin
    lengths = np.diff(tokens.bounds)[texts]
    ends = np.cumsum(lengths)
    copied = np.arange(int(lengths.sum())) + np.repeat(
        tokens.bounds[texts] - (ends - lengths), lengths
    )

    def longer(values: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([values, values[copied]])

    annotation = data.annotation and Annotation(
        **{name: longer(getattr(data.annotation, name)) for name in ANNOTATION_COLUMNS},
        lemma_lexicon=data.annotation.lemma_lexicon,
    )

    def joined(values: pa.Array, more: Sequence[Any]) -> pa.Array:
        return pa.concat_arrays([values, pa.array(more, values.type)])

    def filled(values: NDArray[Any], value: int) -> NDArray[Any]:
        return np.concatenate([values, np.full(count, value, values.dtype)])

    return replace(
        data,
        ids=joined(data.ids, [f"{data.ids[int(row)]}{SUFFIX}" for row in origin]),
        questions=joined(data.questions, [data.questions[int(row)].as_py() for row in origin]),
        paragraphs=np.concatenate([data.paragraphs, paragraphs.astype(data.paragraphs.dtype)]),
        answer_texts=joined(data.answer_texts, [[]] * count),
        answer_starts=joined(data.answer_starts, [[]] * count),
        start_positions=filled(data.start_positions, -1),
        end_positions=filled(data.end_positions, -1),
        alignment=filled(data.alignment, 0),
        tokens=Tokens(
            bounds=np.concatenate([tokens.bounds, tokens.bounds[-1] + ends]),
            forms=longer(tokens.forms),
            offset_mapping=longer(tokens.offset_mapping),
            lexicon=tokens.lexicon,
        ),
        annotation=annotation,
    )
