"""Candidate answers: spans of tokens inside a sentence, from its dependency parse.

Reference: Rajpurkar et al., 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text
(arXiv 1606.05250), section 5.1.

Departs from the paper: its candidates are the constituents of a constituency parse. Here they are
runs over a dependency parse, which contain more of the answers (see `DependencyRuns`). Punctuation
and articles do not count in the score, so candidates neither begin nor end with them.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from squadqa.data.candidates.parse import Ints, Parse, entity_spans, noun_chunks, trimmed
from squadqa.data.prepare import PreparedData
from squadqa.errors import require_range

FALLBACK_TOKENS = 5
"""Longest n-gram, in tokens, taken from a sentence that has no parse."""


@dataclass(frozen=True)
class Candidates:
    """Candidate answers (M) of all paragraphs of a source, concatenated.

    Within a paragraph each span occurs once; spans are sorted by first, then by last token.

    Args:
        bounds: (P + 1,) paragraph p has the candidates bounds[p] to bounds[p + 1].
        spans: (M, 2) first and last token in the paragraph, inclusive.
        heads: (M,) token in the paragraph that heads the span in the dependency tree.
        sentences: (M,) sentence, numbered from 0 in each paragraph.
        dropped: How many spans each limit left out, by name of the limit.
    """

    bounds: Ints
    spans: NDArray[np.int32]
    heads: NDArray[np.int32]
    sentences: NDArray[np.int32]
    dropped: dict[str, int]


def spans_in_source(data: PreparedData, candidates: Candidates) -> Ints:
    """Return the tokens of candidates (M), numbered over the whole source.

    Args:
        data: A prepared source.
        candidates: Its candidates.

    Returns:
        (M, 2) first and last tokens, inclusive.
    """
    begins = np.repeat(data.tokens.bounds[: len(data.contexts)], np.diff(candidates.bounds))
    return candidates.spans + begins[:, None]


class CandidateGenerator(ABC):
    """Proposes candidate answers for every paragraph of a source at once.

    Args:
        max_tokens: Longest candidate, in tokens, with punctuation and articles at its ends.
        max_candidates: Most candidates of a paragraph; the longest are left out first.
    """

    def __init__(self, *, max_tokens: int = 20, max_candidates: int = 2000) -> None:
        require_range(1, max_tokens=max_tokens, max_candidates=max_candidates)
        self.max_tokens = max_tokens
        self.max_candidates = max_candidates

    @abstractmethod
    def propose(self, data: PreparedData, parse: Parse) -> tuple[Ints, Ints, int]:
        """Propose spans inside sentences, of at most `max_tokens` tokens.

        Args:
            data: A prepared source.
            parse: Its sentences and trees.

        Returns:
            First and last tokens, inclusive, numbered over the whole source, in any order and
            possibly repeated; and how many spans were too long.
        """

    def generate(self, data: PreparedData, parse: Parse) -> Candidates:
        """Trim the proposed spans, remove repeats, and apply the limits.

        Args:
            data: A prepared source.
            parse: Its sentences and trees.
        """
        first, last, too_long = self.propose(data, parse)
        first, last = trimmed(parse, first, last)
        size = max(1, int(parse.bounds[-1]))
        keys = np.sort(first * size + last)
        keys = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
        first, last = keys // size, keys % size
        paragraphs = np.searchsorted(parse.bounds, first, side="right") - 1
        kept = _shortest(paragraphs, last - first, self.max_candidates)
        dropped = {
            "max_tokens": too_long,
            "max_candidates": len(first) - int(kept.sum()),
        }
        first, last, paragraphs = first[kept], last[kept], paragraphs[kept]
        begin = parse.bounds[paragraphs]
        first_sentences = parse.sentences[np.minimum(begin, size - 1)] if len(begin) else begin
        heads = _shallowest(parse.depths, first, last)
        return Candidates(
            bounds=np.searchsorted(paragraphs, np.arange(len(parse.bounds))),
            spans=np.stack([first - begin, last - begin], axis=1).astype(np.int32),
            heads=(heads - begin).astype(np.int32),
            sentences=(parse.sentences[first] - first_sentences).astype(np.int32),
            dropped=dropped,
        )


class DependencyRuns(CandidateGenerator):
    """Runs of neighbouring units under one head, and entities.

    A head's units are the head itself, and the subtree of each of its children. A run goes from the
    start of one unit to the end of the same or a later one. With `depth` a run may also end inside
    its last unit: after that unit's head, or after a child of that head, and so on downwards. In a
    sentence without a parse the n-grams up to `FALLBACK_TOKENS` are taken.

    Args:
        max_tokens: Longest candidate, in tokens, with punctuation and articles at its ends.
        max_candidates: Most candidates of a paragraph; the longest are left out first.
        depth: How many levels down into its last unit a run may end.
    """

    def __init__(self, *, max_tokens: int = 20, max_candidates: int = 2000, depth: int = 2) -> None:
        super().__init__(max_tokens=max_tokens, max_candidates=max_candidates)
        require_range(0, depth=depth)
        self.depth = depth

    def propose(self, data: PreparedData, parse: Parse) -> tuple[Ints, Ints, int]:
        """Propose the runs of each head, the entities, and n-grams if there is no parse."""
        first, last, too_long = _runs(parse, depth=self.depth, max_tokens=self.max_tokens)
        parts = [(first, last), _unparsed_ngrams(parse, self.max_tokens)]
        if data.annotation is not None:
            parts.append(entity_spans(data.annotation, parse))
        return _shorter(parts, self.max_tokens, too_long)


class NounChunks(CandidateGenerator):
    """Noun chunks, entities, and every single token.

    A noun chunk runs from the first token below a noun (a tag "NN", "NNS", "NNP" or "NNPS") to the
    noun itself: its articles, adjectives and compounds, and nothing after it. Unlike spaCy's noun
    chunks, chunks inside another one ("New York" in "the New York subway") count too; a pronoun is
    a candidate as a single token. In a sentence without a parse the n-grams up to `FALLBACK_TOKENS`
    are taken.
    """

    def propose(self, data: PreparedData, parse: Parse) -> tuple[Ints, Ints, int]:
        """Propose tokens, noun chunks, entities, and n-grams if there is no parse."""
        tokens = np.arange(len(parse.heads))
        parts = [(tokens, tokens), _unparsed_ngrams(parse, self.max_tokens)]
        if data.annotation is not None:
            parts += [noun_chunks(data.annotation, parse), entity_spans(data.annotation, parse)]
        return _shorter(parts, self.max_tokens)


class NGrams(CandidateGenerator):
    """All spans inside a sentence, up to `max_tokens`."""

    def propose(self, data: PreparedData, parse: Parse) -> tuple[Ints, Ints, int]:
        """Propose the n-grams of every sentence; longer ones do not count as left out."""
        return *_ngrams(parse, np.arange(parse.bounds[-1]), self.max_tokens), 0


GENERATORS: dict[str, type[CandidateGenerator]] = {
    generator.__name__: generator for generator in (DependencyRuns, NounChunks, NGrams)
}
"""The generators by name; the first is the default."""


def _runs(parse: Parse, *, depth: int, max_tokens: int) -> tuple[Ints, Ints, int]:
    heads, tokens = parse.heads, np.arange(len(parse.heads))
    children = tokens[heads != tokens]
    # Units, sorted by head and then by place in the text. Each token is a unit twice: as a head and
    # as a child.
    owners = np.concatenate([tokens, heads[children]])
    begins = np.concatenate([tokens, parse.subtrees[children, 0]])
    order = np.lexsort((np.concatenate([tokens, children]), owners))
    begins = begins[order]
    firsts = np.searchsorted(owners[order], tokens)  # place of each head's first unit
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    child_places = np.full(len(tokens), -1)
    child_places[children] = places[len(tokens) :]

    # Ends: a head, the place of one of its units, and the last token of a run that ends in that
    # unit.
    child_ends = (heads[children], child_places[children], parse.subtrees[children, 1])
    ends = [(tokens, places[: len(tokens)], tokens), child_ends]
    right_children = children[heads[children] < children]
    inner = np.concatenate([tokens, heads[right_children]])
    inner_last = np.concatenate([tokens, parse.subtrees[right_children, 1]])
    for _ in range(depth):  # a run below a right child is the end of a run of the child's head
        right = heads[inner] < inner
        inner, inner_last = inner[right], inner_last[right]
        ends.append((heads[inner], child_places[inner], inner_last))
        inner = heads[inner]
    end_owners, end_places, lasts = (np.concatenate(column) for column in zip(*ends, strict=True))

    # A run starts at its last unit or an earlier one; at most max_tokens of these are close enough.
    nearest = np.maximum(firsts[end_owners], end_places - max_tokens + 1)
    counts = end_places - nearest + 1
    steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    first, last = begins[np.repeat(nearest, counts) + steps], np.repeat(lasts, counts)
    short = (first <= last) & (last - first < max_tokens)
    too_long = int((end_places - firsts[end_owners] + 1).sum() - short.sum())
    return first[short], last[short], too_long


def _unparsed_ngrams(parse: Parse, max_tokens: int) -> tuple[Ints, Ints]:
    """Short n-grams of the sentences with more than one root, such as those without a parse."""
    roots = np.flatnonzero(parse.heads == np.arange(len(parse.heads)))
    counts = np.bincount(parse.sentences[roots], minlength=len(parse.sentence_bounds))
    unparsed = np.flatnonzero(counts[parse.sentences] > 1)
    return _ngrams(parse, unparsed, min(FALLBACK_TOKENS, max_tokens))


def _ngrams(parse: Parse, tokens: Ints, longest: int) -> tuple[Ints, Ints]:
    first = np.repeat(tokens, longest)
    last = first + np.tile(np.arange(longest), len(tokens))
    inside = last < parse.sentence_bounds[1:][parse.sentences[first]]
    return first[inside], last[inside]


def _shorter(
    parts: Sequence[tuple[Ints, Ints]], max_tokens: int, too_long: int = 0
) -> tuple[Ints, Ints, int]:
    """Concatenate spans, leave out those that are too long, and add them to the count."""
    first, last = (np.concatenate(column) for column in zip(*parts, strict=True))
    short = last - first < max_tokens
    return first[short], last[short], too_long + len(short) - int(short.sum())


def _shortest(paragraphs: Ints, lengths: Ints, limit: int) -> NDArray[np.bool_]:
    """(M,) True on the `limit` shortest of each paragraph; of equally short ones the first."""
    counts = np.bincount(paragraphs)
    kept = np.ones(len(paragraphs), bool)
    crowded = np.flatnonzero((counts > limit)[paragraphs]) if len(counts) else np.empty(0, int)
    order = crowded[np.lexsort((crowded, lengths[crowded], paragraphs[crowded]))]
    begins = np.searchsorted(paragraphs[order], paragraphs[order])
    kept[order[np.arange(len(order)) - begins >= limit]] = False
    return kept


def _shallowest(depths: Ints, first: Ints, last: Ints) -> Ints:
    """(M,) token of each span that is nearest to the root; of equally near ones the last."""
    size = len(depths)
    keys = depths * (size + 1) + size - np.arange(size)  # smaller: nearer, then further right
    best, longest = np.empty_like(first), last - first + 1
    for level in count():  # keys: the minimum over each 2 ** level tokens in a row
        width = 1 << level
        these = (longest >= width) & (longest < 2 * width)
        best[these] = np.minimum(keys[first[these]], keys[last[these] - width + 1])
        if not (longest >= 2 * width).any():
            break
        keys = np.minimum(keys[:-width], keys[width:])
    return size - best % (size + 1)
