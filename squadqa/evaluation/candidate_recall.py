"""Recall of candidates: how many answers they contain, and the best score that they allow.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250), section 5: 77.3 % of dev's answers are
constituents (without punctuation and articles), which limits a model that chooses among
constituents.

One file, as recall and oracle scores count the same words of the same candidates.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from squadqa.data.alignment import align
from squadqa.data.candidates.generators import (
    CandidateGenerator,
    Candidates,
    Ints,
    spans_in_source,
)
from squadqa.data.candidates.parse import Parse, parse_paragraphs, questions_by_paragraph, trimmed
from squadqa.data.prepare import PreparedData, Progress
from squadqa.scoring import normalize_answer

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CandidateRecall:
    """The best result that choosing among candidates can reach, in percent of all questions.

    Args:
        paragraphs: Number of paragraphs.
        questions: Number of questions.
        candidates: Number of candidates of all paragraphs together.
        most_candidates: Number of candidates of the paragraph that has the most.
        recall_first: Questions whose first answer is a candidate (see `found_answers`).
        recall_any: Questions for which any answer is a candidate.
        exact_match: Official exact match if each question gets its best candidate.
        f1: Official F1 if each question gets its best candidate.
    """

    paragraphs: int
    questions: int
    candidates: int
    most_candidates: int
    recall_first: float
    recall_any: float
    exact_match: float
    f1: float


@dataclass(frozen=True)
class MeasuredGenerator:
    """The candidates that a generator proposes for a source, in numbers.

    Args:
        recall: The counts and scores of the candidates.
        dropped: How many spans each limit of the generator left out, by name of the limit.
        seconds: Time to propose the candidates of all paragraphs.
    """

    recall: CandidateRecall
    dropped: dict[str, int]
    seconds: float


def measure_generators(
    data: PreparedData,
    generators: Sequence[CandidateGenerator],
    *,
    progress: Progress | None = None,
) -> list[MeasuredGenerator]:
    """Measure generators of candidates on one source.

    Args:
        data: A prepared source.
        generators: The generators.
        progress: Called before each generator and at the end.

    Returns:
        The measurements of each generator, in the same order.
    """
    parse = parse_paragraphs(data)
    measured = []
    for number, generator in enumerate(generators):
        if progress:
            progress("generators", number, len(generators))
        start = time.perf_counter()
        candidates = generator.generate(data, parse)
        seconds = time.perf_counter() - start
        recall = candidate_recall(data, parse, candidates)
        measured.append(MeasuredGenerator(recall, candidates.dropped, seconds))
    if progress:
        progress("generators", len(generators), len(generators))
    return measured


def candidate_recall(data: PreparedData, parse: Parse, candidates: Candidates) -> CandidateRecall:
    """Measure candidates against all answers of their source.

    Args:
        data: A prepared source.
        parse: Its sentences and trees.
        candidates: Its candidates.
    """
    first, any_answer = found_answers(data, parse, candidates)
    exact_matches, f1s = oracle_scores(data, candidates)
    return CandidateRecall(
        paragraphs=len(data.contexts),
        questions=len(data.ids),
        candidates=len(candidates.spans),
        most_candidates=int(np.diff(candidates.bounds).max()),
        recall_first=100.0 * float(first.mean()),
        recall_any=100.0 * float(any_answer.mean()),
        exact_match=100.0 * float(exact_matches.mean()),
        f1=100.0 * float(f1s.mean()),
    )


def found_answers(data: PreparedData, parse: Parse, candidates: Candidates) -> tuple[Bools, Bools]:
    """Find the answers that are candidates at the same place in the text.

    An answer is found if the shortest token span that covers it, without articles and punctuation
    at both ends, is a candidate of its paragraph. An answer that is not at its `answer_start` is
    not found.

    Args:
        data: A prepared source.
        parse: Its sentences and trees.
        candidates: Its candidates.

    Returns:
        (N,) whether a question's first answer is found, (N,) whether any of its answers is.
    """
    first, last = _answer_tokens(data)
    known = first >= 0
    size = len(parse.heads)
    begin, end = trimmed(parse, first[known], last[known])
    spans = spans_in_source(data, candidates)
    found = np.zeros(len(first), bool)
    found[known] = np.isin(begin * size + end, spans[:, 0] * size + spans[:, 1])
    counts = data.answer_texts.value_lengths().to_numpy()
    edges = np.concatenate([[0], np.cumsum(counts)])
    running = np.concatenate([[0], np.cumsum(found)])
    firsts = np.append(found, False)[edges[:-1]] & (counts > 0)
    return firsts, running[edges[1:]] > running[edges[:-1]]


def oracle_scores(data: PreparedData, candidates: Candidates) -> tuple[Floats, Floats]:
    """Return the official scores of each question's best candidate.

    Args:
        data: A prepared source.
        candidates: Its candidates.

    Returns:
        (N,) exact match, 0 or 1, and (N,) F1, 0 to 1, each of the candidate that is best by that
        score; 0 if there is no candidate or no answer. The scores are exactly those of the official
        script.
    """
    exact_matches, f1s = np.zeros(len(data.ids)), np.zeros(len(data.ids))
    contexts, answers = data.contexts.to_pylist(), data.answer_texts.to_pylist()
    words = _official_words(data, candidates)
    for paragraph, questions in enumerate(questions_by_paragraph(data)):
        begin, end = candidates.bounds[paragraph : paragraph + 2]
        if begin == end:
            continue
        references = {q: {normalize_answer(text) for text in answers[q]} for q in questions}
        wanted = sorted({word for some in references.values() for r in some for word in r.split()})
        counts, lengths = words.count(wanted, paragraph, begin, end)
        rows = {word: row for row, word in enumerate(wanted)}
        offsets = data.tokens.offset_mapping[data.tokens.bounds[paragraph] :]
        for question, some in references.items():
            for reference in some:
                bag = Counter(reference.split())
                needed = np.array(list(bag.values()), np.int64)[:, None]
                shared = np.minimum(counts[[rows[word] for word in bag]], needed).sum(axis=0)
                f1s[question] = max(f1s[question], _best_f1(shared, lengths, bag.total()))
                for same in np.flatnonzero((shared == lengths) & (shared == bag.total())):
                    first, last = candidates.spans[begin + same]
                    text = contexts[paragraph][offsets[first, 0] : offsets[last, 1]]
                    if normalize_answer(text) == reference:
                        exact_matches[question] = 1.0
    return exact_matches, f1s


@dataclass(frozen=True)
class _OfficialWords:
    """The words of each candidate (M) that the official score compares, as ranges of one array.

    Args:
        numbers: (K,) numbers of words, paragraph after paragraph.
        bounds: (P + 1,) paragraph p has the words bounds[p] to bounds[p + 1].
        stretches: (M, 3, 2) the words of a candidate: three half-open ranges of `numbers`.
        vocabulary: The number of each word.
    """

    numbers: Ints
    bounds: Ints
    stretches: Ints
    vocabulary: dict[str, int]

    def count(
        self, wanted: Sequence[str], paragraph: int, begin: int, end: int
    ) -> tuple[Ints, Ints]:
        """Count words in some candidates of one paragraph.

        Args:
            wanted: V words.
            paragraph: The paragraph.
            begin: First of N candidates.
            end: The one after the last.

        Returns:
            (V, N) how often each word occurs in each candidate, and (N,) how many words each has.
        """
        offset, stop = self.bounds[paragraph : paragraph + 2]
        numbers = np.array([self.vocabulary.get(word, -1) for word in wanted], np.int64)
        running = np.zeros((len(wanted), stop - offset + 1), np.int64)
        np.cumsum(self.numbers[offset:stop] == numbers[:, None], axis=1, out=running[:, 1:])
        first, stop = np.moveaxis(self.stretches[begin:end], 2, 0)
        counts = (running[:, stop - offset] - running[:, first - offset]).sum(axis=2)
        return counts, (stop - first).sum(axis=1)


def _official_words(data: PreparedData, candidates: Candidates) -> _OfficialWords:
    """Find the words of all candidates without a loop over candidates.

    A word ends at white space, whatever punctuation is deleted. So a candidate consists of three
    parts: the tokens up to its first white space, the tokens after its last white space, and the
    words in between, which are the same for all candidates that contain them.
    """
    bounds = data.tokens.bounds[: len(data.contexts) + 1]
    size = int(bounds[-1])
    offsets = data.tokens.offset_mapping[:size]
    opens = np.ones(size, bool)  # the token has white space before it
    opens[1:] = offsets[1:, 0] != offsets[:-1, 1]
    opens[bounds[:-1][np.diff(bounds) > 0]] = True
    chunk_first = np.flatnonzero(opens)
    chunk_last = np.append(chunk_first[1:], size) - 1
    chunks = np.cumsum(opens) - 1

    first, last = spans_in_source(data, candidates).T
    left, right = chunks[first], chunks[last]
    heads = first * size + np.minimum(last, chunk_last[left])
    tails = np.maximum(first, chunk_first[right]) * size + last
    cut = np.unique(np.concatenate([heads, tails]))
    unit_first = np.concatenate([chunk_first, cut // size])
    unit_last = np.concatenate([chunk_last, cut % size])
    paragraphs = np.searchsorted(bounds, unit_first, side="right") - 1
    order = np.argsort(paragraphs, kind="stable")
    places = np.empty_like(order)
    places[order] = np.arange(len(order))

    contexts = data.contexts.to_pylist()
    begins, ends = offsets[unit_first[order], 0].tolist(), offsets[unit_last[order], 1].tolist()
    words = [
        normalize_answer(contexts[paragraph][begin:end]).split()
        for paragraph, begin, end in zip(paragraphs[order].tolist(), begins, ends, strict=True)
    ]
    vocabulary: dict[str, int] = {}
    numbers = [vocabulary.setdefault(word, len(vocabulary)) for some in words for word in some]
    edges = np.concatenate([[0], np.cumsum([len(some) for some in words])]).astype(np.int64)

    head, tail = (places[len(chunk_first) + np.searchsorted(cut, keys)] for keys in (heads, tails))
    apart = left < right
    between = places[np.where(apart, left + 1, right)]
    limits = (head, head + 1, between, places[right], tail, tail + apart)
    return _OfficialWords(
        numbers=np.array(numbers, np.int64),
        bounds=edges[np.searchsorted(paragraphs[order], np.arange(len(bounds)))],
        stretches=np.stack([edges[limit] for limit in limits], axis=1).reshape(-1, 3, 2),
        vocabulary=vocabulary,
    )


def _best_f1(shared: Ints, lengths: Ints, reference_length: int) -> float:
    """The best F1 of (N,) candidates, computed in the same steps as the official script."""
    some = shared > 0
    precision, recall = shared[some] / lengths[some], shared[some] / reference_length
    return float((2 * precision * recall / (precision + recall)).max(initial=0.0))


def _answer_tokens(data: PreparedData) -> tuple[Ints, Ints]:
    """First and last token of every answer, numbered over the whole source; -1 if none."""
    contexts = data.contexts.to_pylist()
    texts = data.answer_texts.flatten().to_pylist()
    starts = data.answer_starts.flatten().to_numpy().astype(np.int64)
    paragraphs = np.repeat(data.paragraphs, data.answer_texts.value_lengths().to_numpy())
    stands = [
        contexts[paragraph].startswith(text, start) and start >= 0
        for paragraph, text, start in zip(paragraphs, texts, starts.tolist(), strict=True)
    ]
    # The texts are concatenated, with one character between them.
    ends = np.cumsum(pc.utf8_length(data.contexts).to_numpy() + 1)
    begins = np.concatenate([[0], ends[:-1]])
    bounds = data.tokens.bounds[: len(contexts) + 1]
    offsets = data.tokens.offset_mapping[: bounds[-1]]
    offsets = (offsets + np.repeat(begins, np.diff(bounds))[:, None]).astype(np.int32)
    start = np.where(stands, starts + begins[paragraphs], 0)
    first, last, _ = align(offsets, start, start + np.where(stands, [len(t) for t in texts], 0))
    return first, last
