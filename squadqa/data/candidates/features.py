"""The inputs of the feature groups: hashes and weights of tokens, spans and questions.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250), table 4.

Departs from the paper: candidates are not constituents, so a "constituent label" comes from a
candidate's head, extent and entity type (`constituent_labels`).

One file, as all of these are hashes of the same tokens by the same functions.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from squadqa.data.annotation import DEPENDENCIES, ENTITIES, TAGS
from squadqa.data.candidates.generators import CandidateGenerator, Candidates, spans_in_source
from squadqa.data.candidates.parse import Parse, climb, entity_spans, parse_paragraphs, trimmed
from squadqa.data.candidates.statistics import Hashes, Ints, hash_bigrams, hash_words, mix
from squadqa.data.candidates.tree_paths import arc_hashes, path_hashes
from squadqa.data.prepare import PreparedData
from squadqa.scoring import normalize_answer

WH_WORDS = ("what", "who", "whom", "whose", "which", "when", "where", "why", "how")

QUESTION_TYPES = ("", *WH_WORDS, "how much")
"""Types of questions: without a wh-word, by wh-word, or "how" with a measure."""

MAX_ARCS = 8
"""Longest path in a question that has its own hash, in arcs on its longer side."""

TAG_HASHES = hash_words(TAGS).view(np.int64)
DEPENDENCY_HASHES = hash_words(DEPENDENCIES).view(np.int64)

_OF_PREPOSITIONS = [DEPENDENCIES.index(label) for label in ("pobj", "pcomp")]

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2 ** 64
_INVERSE = np.uint64(pow(int(_BASE), -1, 1 << 64))


@dataclass(frozen=True)
class SourceFeatures:
    """The features of a source's tokens (T), sentences (S), candidates (M) and questions (N).

    Nothing here depends on train, or on a pair of a question and a candidate.

    Args:
        parse: Sentences and trees of the paragraphs.
        candidates: Their candidate answers.
        words: (T,) hash of each token's word.
        bigrams: (T,) hash of each token's word with the next one; 0 if the sentence ends here.
        constituents: (M, 4) hashes of each candidate's labels.
        tags: (M,) hash of each candidate's sequence of parts of speech.
        texts: (M,) hash of each candidate's text as the official score compares it.
        sentence_roots: (S,) lemma of each sentence's root.
        question_roots: (N,) lemma of each question's root.
        question_kinds: (N, 3) hashes of each question's wh-phrase.
        question_types: (N,) number of each question's wh-word.
        question_paths: (T,) hash of the path from the wh-word to each question token.
    """

    parse: Parse
    candidates: Candidates
    words: Hashes
    bigrams: Hashes
    constituents: Hashes
    tags: Hashes
    texts: Hashes
    sentence_roots: Ints
    question_roots: Ints
    question_kinds: Hashes
    question_types: Ints
    question_paths: Ints


def extract(data: PreparedData, generator: CandidateGenerator) -> SourceFeatures:
    """Propose a source's candidates, and extract the features.

    Args:
        data: A prepared source.
        generator: Proposes the candidates.
    """
    parse = parse_paragraphs(data)
    candidates = generator.generate(data, parse)
    first, last = spans_in_source(data, candidates).T
    words = word_hashes(data)
    sentence_roots, question_roots = root_lemmas(data, parse)
    wh_tokens = find_wh_tokens(data)
    return SourceFeatures(
        parse=parse,
        candidates=candidates,
        words=words,
        bigrams=bigram_hashes(words, joined_tokens(data, parse)),
        constituents=constituent_labels(data, parse, candidates, first, last),
        tags=tag_sequences(data, first, last),
        texts=text_hashes(data, first, last),
        sentence_roots=sentence_roots,
        question_roots=question_roots,
        question_kinds=question_kinds(data, words, wh_tokens),
        question_types=question_types(data, wh_tokens),
        question_paths=question_paths(data, wh_tokens),
    )


def word_hashes(data: PreparedData) -> Hashes:
    """(T,) hash of each token's word: its lemma, or its lower-cased form without annotation."""
    if data.annotation is not None:
        return hash_words(data.annotation.lemma_lexicon)[data.annotation.lemmas]
    return hash_words([form.lower() for form in data.tokens.lexicon])[data.tokens.forms]


def bigram_hashes(words: Hashes, joined: NDArray[np.bool_]) -> Hashes:
    """(T,) hash of each token's word with the next one, 0 if the two make no bigram.

    Args:
        words: (T,) hashes of words.
        joined: (T,) True on a token that makes a bigram with the next one.
    """
    return np.where(joined, hash_bigrams(words), np.uint64(0))


def joined_tokens(data: PreparedData, parse: Parse) -> NDArray[np.bool_]:
    """(T,) True on all tokens except the last of a paragraph's sentence or of a question."""
    joined = np.ones(len(data.tokens.forms), bool)
    joined[parse.sentence_bounds[1:] - 1] = False
    questions = data.tokens.bounds[len(data.contexts) + 1 :]
    joined[questions[questions > 0] - 1] = False
    return joined


def span_hashes(
    values: Hashes, counted: NDArray[np.bool_] | None, first: Ints, last: Ints
) -> Hashes:
    """Hash the sequences of values in spans: a polynomial hash, from running sums.

    Args:
        values: (T,) a hash for each token.
        counted: (T,) True on tokens that belong to the sequences; None takes all.
        first: (M,) first tokens.
        last: (M,) last tokens, inclusive.
    """
    counted = np.ones(len(values), bool) if counted is None else counted
    ranks = np.concatenate([[0], np.cumsum(counted)])
    powers, inverses = (
        np.cumprod(np.concatenate([[np.uint64(1)], np.full(len(values), base)]))
        for base in (_BASE, _INVERSE)
    )
    terms = np.where(counted, values * powers[ranks[:-1]], np.uint64(0))
    sums = np.concatenate([[np.uint64(0)], np.cumsum(terms, dtype=np.uint64)])
    return mix((sums[last + 1] - sums[first]) * inverses[ranks[first]])


def tag_sequences(data: PreparedData, first: Ints, last: Ints) -> Hashes:
    """(M,) hash of the parts of speech in spans."""
    if data.annotation is None:
        return np.zeros(len(first), np.uint64)
    tags = hash_words(TAGS)[data.annotation.tags]
    return span_hashes(tags, None, first, last)


def text_hashes(data: PreparedData, first: Ints, last: Ints) -> Hashes:
    """(M,) hash of spans' words as the official score compares them."""
    normalized = [normalize_answer(form) for form in data.tokens.lexicon]
    said = np.array([bool(word) for word in normalized], bool)
    forms = data.tokens.forms
    return span_hashes(hash_words(normalized)[forms], said[forms], first, last)


def constituent_labels(
    data: PreparedData, parse: Parse, candidates: Candidates, first: Ints, last: Ints
) -> Hashes:
    """Label candidates by head, by extent and by entity type.

    Args:
        data: A prepared source.
        parse: Its sentences and trees.
        candidates: Its candidates.
        first: (M,) their first tokens, numbered over the whole source.
        last: (M,) their last tokens, inclusive.

    Returns:
        (M, 4) hashes: dependency label and part of speech of the head; the same dependency label,
        and whether the span begins and ends with the head's subtree; entity type of the head, and
        whether the span is that entity, a part of it, or more; dependency label of the head with
        its preposition, if it has one.
    """
    if data.annotation is None:
        return np.zeros((len(first), 4), np.uint64)
    annotation = data.annotation
    heads = candidates.heads + (first - candidates.spans[:, 0])
    dependencies = annotation.dependencies[heads].astype(np.int64)
    whole_first, whole_last = trimmed(parse, *parse.subtrees.T)
    extent = 2 * (whole_first[heads] == first) + (whole_last[heads] == last)

    entity_first, entity_last = entity_spans(annotation, parse)
    entity_type = annotation.entities[entity_first].astype(np.int64)
    entity_first, entity_last = trimmed(parse, entity_first, entity_last)
    near = np.searchsorted(entity_first, heads, side="right") - 1
    within = (near >= 0) & (heads <= np.append(entity_last, -1)[near])
    begins = first - np.append(entity_first, 0)[near]
    ends = last - np.append(entity_last, 0)[near]
    kind = np.select([(begins == 0) & (ends == 0), (begins >= 0) & (ends <= 0)], [1, 2], 3)
    entity = np.where(within, np.append(entity_type, 0)[near] + len(ENTITIES) * kind, 0)

    prepositions = hash_words(annotation.lemma_lexicon)[annotation.lemmas[parse.heads[heads]]]
    hangs = np.isin(annotation.dependencies[heads], _OF_PREPOSITIONS)
    labels = [
        dependencies * len(TAGS) + annotation.tags[heads],
        dependencies * 4 + extent,
        entity,
        dependencies,
    ]
    salted = [label + (number << 32) for number, label in enumerate(labels, start=1)]
    hashes = np.stack(salted, axis=1).astype(np.uint64)
    hashes[:, 3] ^= np.where(hangs, prepositions, np.uint64(0))
    return mix(hashes)


def find_wh_tokens(data: PreparedData) -> Ints:
    """(N,) token of each question's first wh-word; -1 if there is none."""
    bounds = data.tokens.bounds[len(data.contexts) :]
    asks = np.array([form.lower() in WH_WORDS for form in data.tokens.lexicon], bool)
    wh = _next(np.flatnonzero(asks[data.tokens.forms]), bounds[:-1])
    return np.where(wh < bounds[1:], wh, -1)


def question_kinds(data: PreparedData, words: Hashes, wh_tokens: Ints) -> Hashes:
    """Classify questions by their wh-phrase.

    Args:
        data: A prepared source.
        words: (T,) hashes of its words.
        wh_tokens: (N,) its questions' wh-words.

    Returns:
        (N, 3) hashes: of the first wh-word (0 if there is none); of the wh-word with the next word;
        of the wh-word with the next noun.
    """
    bounds = data.tokens.bounds[len(data.contexts) :]
    begin, end = bounds[:-1], bounds[1:]
    asked = wh_tokens >= 0
    following = np.where(asked, wh_tokens + 1, begin)
    if data.annotation is None:
        noun = end
    else:
        nouns = np.char.startswith(np.array(TAGS), "NN")[data.annotation.tags]
        noun = _next(np.flatnonzero(nouns), following)
    padded = np.append(words, np.uint64(0))
    wh_word = np.where(asked, padded[wh_tokens], np.uint64(0))

    def with_word(place: Ints, salt: int) -> Hashes:
        word = np.where(place < end, padded[np.minimum(place, len(words))], np.uint64(0))
        return mix(wh_word * np.uint64(3) + word + np.uint64(salt))

    return np.stack([wh_word, with_word(following, 1), with_word(noun, 2)], axis=1)


def question_types(data: PreparedData, wh_tokens: Ints) -> Ints:
    """(N,) number of the wh-word in `QUESTION_TYPES`, 0 if there is none.

    "How" before an adjective or adverb ("how many", "how often") asks for a measure.
    """
    types = {word: number for number, word in enumerate(QUESTION_TYPES)}
    of_form = np.array([types.get(form.lower(), 0) for form in data.tokens.lexicon])
    asked = np.where(wh_tokens >= 0, of_form[data.tokens.forms[wh_tokens]], 0)
    if data.annotation is None:
        return asked
    measures = np.isin(np.array(TAGS), ("JJ", "RB"))[np.append(data.annotation.tags, 0)]
    followed = wh_tokens + 1 < data.tokens.bounds[len(data.contexts) + 1 :]
    how_much = (asked == types["how"]) & followed & measures[wh_tokens + 1]
    return np.where(how_much, types["how much"], asked)


def question_paths(data: PreparedData, wh_tokens: Ints) -> Ints:
    """(T,) hash of the path from the wh-word to each token of the questions; 0 on contexts.

    Without a wh-word, paths start from the question's first token.
    """
    bounds = data.tokens.bounds[len(data.contexts) :]
    hashes = np.zeros(bounds[-1], np.int64)
    if data.annotation is None:
        return hashes
    lengths = np.diff(bounds)
    tags = TAG_HASHES[data.annotation.tags[bounds[0] :]]
    labels = DEPENDENCY_HASHES[data.annotation.dependencies[bounds[0] :]]
    heads = data.annotation.heads[bounds[0] :] + np.repeat(bounds[:-1] - bounds[0], lengths)
    start = np.where(wh_tokens >= 0, wh_tokens, bounds[:-1]) - bounds[0]
    found = path_hashes(
        torch.from_numpy(arc_hashes(labels, tags)),
        torch.from_numpy(tags),
        torch.from_numpy(heads),
        torch.from_numpy(climb(heads)[0]),
        start=torch.from_numpy(np.repeat(start, lengths)),
        end=torch.arange(len(heads)),
        max_arcs=MAX_ARCS,
    )
    hashes[bounds[0] :] = found.numpy()
    return hashes


def root_lemmas(data: PreparedData, parse: Parse) -> tuple[Ints, Ints]:
    """Find the lemma of the root of each sentence and of each question's first sentence.

    Args:
        data: A prepared source.
        parse: Its sentences and trees.

    Returns:
        (S,) and (N,) lemma numbers; without a parse, -1 for a question and -2 for a sentence.
    """
    begin, end = (
        data.tokens.bounds[len(data.contexts) : -1],
        data.tokens.bounds[len(data.contexts) + 1 :],
    )
    if data.annotation is None:
        return np.full(len(parse.sentence_bounds) - 1, -2), np.full(len(begin), -1)
    lemmas = np.append(data.annotation.lemmas, -1).astype(np.int64)
    roots = np.flatnonzero(parse.heads == np.arange(len(parse.heads)))
    sentence_roots = _next(roots, parse.sentence_bounds[:-1])
    offsets = np.repeat(begin, end - begin)
    asked = np.arange(len(parse.heads), len(data.tokens.forms))
    own_head = data.annotation.heads[len(parse.heads) :] + offsets == asked
    question_roots = _next(asked[own_head], begin)
    question_lemmas = np.where(
        question_roots < end, lemmas[np.minimum(question_roots, len(lemmas) - 1)], -1
    )
    return lemmas[sentence_roots], question_lemmas


def _next(places: Ints, start: Ints) -> Ints:
    """The first of ascending places that is at or after each start; far beyond if there is none."""
    return np.append(places, np.iinfo(np.int64).max)[np.searchsorted(places, start)]
