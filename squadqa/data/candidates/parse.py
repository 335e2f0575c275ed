"""Sentences and dependency trees of a source's paragraphs, and spans derived from them."""

import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from squadqa.data.annotation import TAGS, Annotation
from squadqa.data.prepare import PreparedData
from squadqa.data.tokenization import Tokens
from squadqa.scoring import normalize_answer

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Parse:
    """Sentences and dependency trees of all paragraphs of a source, tokens (T) concatenated.

    Args:
        bounds: (P + 1,) paragraph p holds the tokens bounds[p] to bounds[p + 1].
        sentence_bounds: (S + 1,) the same for sentences; no sentence crosses a paragraph's end.
        sentences: (T,) sentence of each token.
        heads: (T,) head of each token, in the same sentence; the head of a root is the root itself.
        depths: (T,) arcs from each token to its root.
        subtrees: (T, 2) first and last token, inclusive, of each token's subtree.
        silent: (T,) True on articles and punctuation, which do not count in the official score.
    """

    bounds: Ints
    sentence_bounds: Ints
    sentences: Ints
    heads: Ints
    depths: Ints
    subtrees: Ints
    silent: NDArray[np.bool_]


def parse_paragraphs(data: PreparedData) -> Parse:
    """Read sentences and trees from a source's annotation.

    Without annotation a sentence ends after ".", "!" or "?", and every token is a root.

    Args:
        data: A prepared source.
    """
    bounds = data.tokens.bounds[: len(data.contexts) + 1]
    tokens = np.arange(bounds[-1])
    begins = _sentence_begins(data.tokens, data.annotation, len(tokens))
    begins[bounds[:-1][np.diff(bounds) > 0]] = True
    sentences = np.cumsum(begins) - 1
    heads = tokens
    if data.annotation is not None:
        heads = data.annotation.heads[: len(tokens)] + np.repeat(bounds[:-1], np.diff(bounds))
        heads = np.where(sentences[heads] == sentences, heads, tokens)
    sentence_bounds = np.append(np.flatnonzero(begins), len(tokens))
    depths, subtrees = climb(heads)
    return Parse(
        bounds=bounds,
        sentence_bounds=sentence_bounds,
        sentences=sentences,
        heads=heads,
        depths=depths,
        subtrees=subtrees,
        silent=silent_tokens(data.tokens)[: len(tokens)],
    )


def silent_tokens(tokens: Tokens) -> NDArray[np.bool_]:
    """(T,) True on the articles and punctuation of a source's contexts and questions."""
    return np.array([_is_silent(form) for form in tokens.lexicon], bool)[tokens.forms]


def trimmed(parse: Parse, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Leave out articles and punctuation at both ends of spans.

    Args:
        parse: The paragraphs that contain the spans.
        first: (K,) first tokens, numbered over the whole source.
        last: (K,) last tokens, inclusive, each in its first token's paragraph.

    Returns:
        (K,) first and (K,) last tokens; a span that would become empty is unchanged.
    """
    places = np.flatnonzero(~parse.silent)
    edges = np.concatenate([[-1], places, [len(parse.silent)]])
    begin = edges[1:][np.searchsorted(places, first)]
    end = edges[np.searchsorted(places, last, side="right")]
    left = begin <= end
    return np.where(left, begin, first), np.where(left, end, last)


def questions_by_paragraph(data: PreparedData) -> list[list[int]]:
    """Return the questions of each paragraph of a source."""
    order = np.argsort(data.paragraphs, kind="stable")
    edges = np.searchsorted(data.paragraphs[order], np.arange(1, len(data.contexts)))
    return [questions.tolist() for questions in np.split(order, edges)]


def noun_chunks(annotation: Annotation, parse: Parse) -> tuple[Ints, Ints]:
    """Return first and last tokens, inclusive, of the noun chunks in the paragraphs."""
    is_noun = np.char.startswith(np.array(TAGS), "NN")[annotation.tags[: len(parse.heads)]]
    nouns = np.flatnonzero(is_noun)
    return parse.subtrees[nouns, 0], nouns


def entity_spans(annotation: Annotation, parse: Parse) -> tuple[Ints, Ints]:
    """Return first and last tokens, inclusive, of the entities in the paragraphs."""
    size = int(parse.bounds[-1])
    inside = annotation.entities[:size] > 0
    begins = inside & annotation.entity_begins[:size]
    stops = ~inside | begins
    stops[parse.sentence_bounds[:-1]] = True
    first, stop = np.flatnonzero(begins), np.append(np.flatnonzero(stops), size)
    return first, stop[np.searchsorted(stop, first, side="right")] - 1


def _sentence_begins(tokens: Tokens, annotation: Annotation | None, size: int) -> NDArray[np.bool_]:
    if annotation is not None:
        return annotation.sentence_begins[:size].copy()
    ending = np.array([form in (".", "!", "?") for form in tokens.lexicon], bool)
    begins = np.zeros(size, bool)
    begins[1:] = ending[tokens.forms[: max(0, size - 1)]]
    return begins


def climb(heads: Ints) -> tuple[Ints, Ints]:
    """(T,) arcs to the root, and (T, 2) first and last token of each token's subtree."""
    tokens = np.arange(len(heads))
    first, last, depths = tokens.copy(), tokens.copy(), np.zeros_like(tokens)
    climbing, ancestors = tokens[heads != tokens], heads[heads != tokens]
    while len(climbing):  # one arc per round, for all tokens that are not yet at their root
        depths[climbing] += 1
        np.minimum.at(first, ancestors, climbing)
        np.maximum.at(last, ancestors, climbing)
        above = heads[ancestors]
        further = above != ancestors
        climbing, ancestors = climbing[further], above[further]
    return depths, np.stack([first, last], axis=1)


def _is_silent(form: str) -> bool:
    """Whether the score's normalisation deletes a token, or it is punctuation of any script."""
    return not normalize_answer(form) or all(unicodedata.category(c)[0] == "P" for c in form)
