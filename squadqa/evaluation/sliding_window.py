"""Choosing a candidate without learning: at random, and by the sliding window.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250), section 5.1, after Richardson et al. 2013,
MCTest: A Challenge Dataset for the Open-Domain Machine Comprehension of Text, section 4.1. Of the
candidates whose sentence, without the candidate, shares most words with the question, the one with
the best window is taken. The window covers only the candidate's sentence.

Departs from the papers: candidates come from a dependency parse. Neither paper says what a word is,
which stop words the distance ignores, and which of equal candidates is taken. Here words are the
lower-cased tokens that contain a letter or digit, the stop words are `STOP_WORDS`, and of equal
candidates the first is taken.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from squadqa.data.candidates.generators import Candidates, Ints, spans_in_source
from squadqa.data.candidates.parse import Parse, questions_by_paragraph
from squadqa.data.prepare import PreparedData, Progress
from squadqa.spans import characters_of

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

# fmt: off
STOP_WORDS = frozenset((
    "a", "about", "above", "after", "again", "against", "all", "also", "am", "an", "and", "any",
    "are", "as", "at", "be", "because", "been", "before", "being", "below", "between", "both",
    "but", "by", "can", "could", "did", "do", "does", "doing", "down", "during", "each", "few",
    "for", "from", "further", "had", "has", "have", "having", "he", "her", "here", "hers",
    "herself", "him", "himself", "his", "how", "i", "if", "in", "into", "is", "it", "its", "itself",
    "just", "me", "more", "most", "my", "myself", "no", "nor", "not", "now", "of", "off", "on",
    "once", "only", "or", "other", "our", "ours", "ourselves", "out", "over", "own", "same", "she",
    "should", "so", "some", "such", "than", "that", "the", "their", "theirs", "them", "themselves",
    "then", "there", "these", "they", "this", "those", "through", "to", "too", "under", "until",
    "up", "very", "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom",
    "whose", "why", "will", "with", "would", "you", "your", "yours", "yourself", "yourselves", "'s",
))
# fmt: on
"""Words that say nothing about the topic of a question."""


def choose_at_random(data: PreparedData, candidates: Candidates, *, seed: int = 1) -> Ints:
    """Choose a random candidate of the paragraph, all with the same probability.

    Args:
        data: A prepared source.
        candidates: Its candidates (M).
        seed: Seed of the choice.

    Returns:
        (N,) the candidate of each question, numbered through the source; -1 if there is none.
    """
    begin, end = candidates.bounds[data.paragraphs], candidates.bounds[data.paragraphs + 1]
    drawn = np.random.default_rng(seed).random(len(data.ids))
    return np.where(begin < end, begin + (drawn * (end - begin)).astype(np.int64), -1)


def choose_by_sliding_window(
    data: PreparedData,
    parse: Parse,
    candidates: Candidates,
    *,
    distance: bool = False,
    progress: Progress | None = None,
) -> Ints:
    """Choose the candidate whose sentence shares most words with the question.

    A sentence's overlap is the number of distinct words and of distinct pairs of neighbouring words
    that it shares with the question outside the candidate. Of the candidates with maximal overlap,
    the one with the best window is chosen. The window of a candidate is as long as the set of the
    question's and the candidate's words. It slides over the sentence; its score is the sum of log(1
    + 1 / count in the paragraph) over its words in that set.

    Args:
        data: A prepared source.
        parse: Its sentences and trees.
        candidates: Its candidates (M).
        distance: Subtract from the window's score the smallest number of steps between a word of
            the question and another word of the candidate, as a share of the sentence's length;
            stop words are ignored.
        progress: Called from time to time.

    Returns:
        (N,) the candidate of each question, numbered through the source; -1 if there is none.
    """
    words, ranks = _words(data, parse)
    texts = ranks[data.tokens.bounds]
    tokens = spans_in_source(data, candidates)
    spans = ranks[tokens + [0, 1]]
    sentences = parse.sentences[tokens[:, 0]]
    sentence_edges = ranks[parse.sentence_bounds]
    limits = np.stack([sentence_edges[sentences], sentence_edges[sentences + 1]], axis=1)
    chosen, done = np.full(len(data.ids), -1), 0
    for paragraph, questions in enumerate(questions_by_paragraph(data)):
        begin, end = candidates.bounds[paragraph : paragraph + 2]
        if begin < end:
            offset = texts[paragraph]
            context = _Context(
                words.part(offset, texts[paragraph + 1]),
                spans=spans[begin:end] - offset,
                limits=limits[begin:end] - offset,
            )
            for question in questions:
                text = len(data.contexts) + question
                asked = words.part(texts[text], texts[text + 1])
                chosen[question] = begin + context.choose(asked, distance=distance)
        done += len(questions)
        if progress:
            progress("questions", done, len(data.ids))
    return chosen


def answer_texts(data: PreparedData, candidates: Candidates, chosen: Ints) -> dict[str, str]:
    """Return the texts of chosen candidates by question id, as predictions.

    Args:
        data: A prepared source.
        candidates: Its candidates (M).
        chosen: (N,) the candidate of each question; -1, for none, gives an empty text.
    """
    known = chosen >= 0
    limits = np.zeros((len(chosen), 2), np.int64)
    first, last = spans_in_source(data, candidates)[chosen[known]].T
    limits[known] = np.stack(characters_of(data.tokens.offset_mapping, first, last), axis=1)
    contexts = data.contexts.to_pylist()
    rows = zip(data.ids.to_pylist(), data.paragraphs.tolist(), limits.tolist(), strict=True)
    return {name: contexts[paragraph][begin:end] for name, paragraph, (begin, end) in rows}


@dataclass(frozen=True)
class _Words:
    """Words (W) of a source's texts, or of one text: the tokens that contain a letter or digit.

    Args:
        numbers: (W,) a number for each word, equal for equal words.
        pairs: (W,) a number for each word with the next one, equal for equal pairs; -1 without a
            next one.
        stops: (W,) True on stop words.
        sentences: (W, 2) first word of each word's sentence, and the one after its last. A question
            is one sentence.
    """

    numbers: Ints
    pairs: Ints
    stops: Bools
    sentences: Ints

    def part(self, begin: int, end: int) -> "_Words":
        """Return a range of words, numbered from its first one."""
        return _Words(
            numbers=self.numbers[begin:end],
            pairs=self.pairs[begin:end],
            stops=self.stops[begin:end],
            sentences=self.sentences[begin:end] - begin,
        )


def _words(data: PreparedData, parse: Parse) -> tuple[_Words, Ints]:
    """The words of a source, and (T + 1,) how many of them come before each token."""
    lexicon, forms = data.tokens.lexicon, data.tokens.forms
    is_word = np.array([any(map(str.isalnum, form)) for form in lexicon], bool)[forms]
    is_stop = np.array([form.lower() in STOP_WORDS for form in lexicon], bool)
    ranks = np.concatenate([[0], np.cumsum(is_word)])
    numbers = data.lower[forms[is_word]].astype(np.int64)
    questions = data.tokens.bounds[len(data.contexts) + 1 :]
    edges = ranks[np.concatenate([parse.sentence_bounds, questions])]
    sentences = np.searchsorted(edges, np.arange(len(numbers)), side="right") - 1
    pairs = numbers * len(lexicon) + np.append(numbers[1:], 0)
    pairs[edges[edges > 0] - 1] = -1
    words = _Words(
        numbers=numbers,
        pairs=pairs,
        stops=is_stop[forms[is_word]],
        sentences=np.stack([edges[sentences], edges[sentences + 1]], axis=1),
    )
    return words, ranks


class _Context:
    """A paragraph's words (C), the distinct ones among them (U), and its candidates (N).

    Args:
        words: The words.
        spans: (N, 2) first word of each candidate, and the one after its last.
        limits: (N, 2) the same for its sentence.
    """

    def __init__(self, words: _Words, *, spans: Ints, limits: Ints) -> None:
        self.words = words
        self.limits = limits
        self.distinct, firsts, self.places, counts = np.unique(
            words.numbers, return_index=True, return_inverse=True, return_counts=True
        )
        self.stops = words.stops[firsts]
        self.rarity = np.log1p(1 / counts)[self.places]
        inside = _occurrences(self.distinct, words.numbers, spans)
        self.inside = inside > 0
        self.outside = _occurrences(self.distinct, words.numbers, limits) > inside
        self.pairs = np.unique(words.pairs[words.pairs >= 0])
        begin, end = spans.T
        touching = np.where(begin < end, np.maximum(begin - 1, limits[:, 0]), end)
        inside = _occurrences(self.pairs, words.pairs, np.stack([touching, end], axis=1))
        self.outside_pairs = _occurrences(self.pairs, words.pairs, limits) > inside

    def choose(self, question: _Words, *, distance: bool) -> int:
        """Choose a candidate.

        Args:
            question: The words of a question.
            distance: Whether to subtract the distance.
        """
        asked = np.isin(self.distinct, question.numbers)
        overlap = self.outside[asked].sum(axis=0)
        overlap += self.outside_pairs[np.isin(self.pairs, question.pairs)].sum(axis=0)
        kept = np.flatnonzero(overlap == overlap.max())
        begin, end = self.limits[kept].T[:, :, None]
        places = np.arange(len(self.places))
        near = (begin <= places) & (places < end)  # (K, C) for the K candidates that are left
        inside = self.inside[:, kept]
        wanted = (asked[:, None] | inside)[self.places].T & near
        running = np.zeros((len(kept), len(places) + 1))
        np.cumsum(np.where(wanted, self.rarity, 0.0), axis=1, out=running[:, 1:])
        new = inside & ~asked[:, None]
        sizes = len(np.unique(question.numbers)) + new.sum(axis=0)
        stops = np.minimum(places + sizes[:, None], len(places))
        sums = np.take_along_axis(running, stops, axis=1) - running[:, :-1]
        scores = sums.max(axis=1, initial=0.0)
        if distance:
            new_words = (new & ~self.stops[:, None])[self.places].T & near
            steps = self._steps_to((asked & ~self.stops)[self.places])
            nearest = np.where(new_words, steps, np.inf).min(axis=1, initial=np.inf)
            share = nearest / np.maximum(end - begin - 1, 1)[:, 0]
            scores -= np.where(np.isfinite(share), share, 1.0)
        # Rounded, so that sums in another order give the same scores.
        return int(kept[scores.round(9).argmax()])

    def _steps_to(self, marked: Bools) -> Floats:
        """(C,) steps from each word to the nearest marked word of its sentence, or infinity."""
        places = np.arange(len(marked))
        begin, end = self.words.sentences.T
        before = np.maximum.accumulate(np.where(marked, places, -1))
        after = np.minimum.accumulate(np.where(marked, places, len(marked))[::-1])[::-1]
        return np.minimum(
            np.where(before >= begin, places - before, np.inf),
            np.where(after < end, after - places, np.inf),
        )


def _occurrences(values: Ints, sequence: Ints, ranges: Ints) -> Ints:
    """(V, N) how often each of V values occurs in each of N half-open ranges of a sequence."""
    running = np.zeros((len(values), len(sequence) + 1), np.int64)
    np.cumsum(sequence == values[:, None], axis=1, out=running[:, 1:])
    return running[:, ranges[:, 1]] - running[:, ranges[:, 0]]
