"""What is known of each question before any system answers it: lengths, place, kind, overlap.

Letters: N questions, T tokens of the source.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from squadqa.data.candidates.parse import parse_paragraphs, silent_tokens
from squadqa.data.prepare import PreparedData
from squadqa.evaluation.answer_types import answer_types
from squadqa.spans import tokens_covering

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

QUESTION_WORDS = (
    "what", "who", "when", "where", "which", "why", "how many", "how", "other",
)  # fmt: skip
"""Kinds of questions by their question word; "how many" is also "how much"."""

_WORDS = {
    **{word: word for word in ("what", "who", "when", "where", "which", "why", "how")},
    **{"whom": "who", "whose": "who", "whats": "what", "whatever": "what"},
}

# fmt: off
FUNCTION_WORDS = frozenset((
    "am", "and", "are", "as", "at", "be", "been", "by", "can", "could", "did", "do", "does",
    "for", "from", "had", "has", "have", "her", "his", "how", "if", "in", "is", "it", "its",
    "may", "might", "must", "of", "on", "or", "shall", "should", "so", "than", "that", "their",
    "them", "there", "they", "this", "to", "was", "were", "what", "when", "where", "which", "who",
    "whom", "whose", "why", "will", "with", "would",
))
# fmt: on
"""Lower-cased words of a question that do not count in its overlap with a sentence."""


@dataclass(frozen=True)
class Questions:
    """The questions of a source, as columns of a table.

    Args:
        data: The prepared source.
        question_words: (N,) index in `QUESTION_WORDS`: the question's first question word.
        answer_types: (N,) index in `ANSWER_TYPES`; None without annotation.
        answer_lengths: (N,) tokens of the first reference; 0 where it is not in the context.
        context_lengths: (N,) tokens of the context.
        positions: (N,) where in the context the first reference begins, 0 (its first token) to 1;
            NaN where it is not in the context.
        overlaps: (N,) share of the question's words that the sentence of the first reference has;
            NaN without such a sentence or such words.
        gold_spans: (N, 2) characters of the first reference, half-open; -1 where unknown.
    """

    data: PreparedData
    question_words: Ints
    answer_types: Ints | None
    answer_lengths: Ints
    context_lengths: Ints
    positions: Floats
    overlaps: Floats
    gold_spans: Ints

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def ids(self) -> list[str]:
        """The questions' identifiers."""
        return self.data.ids.to_pylist()

    @cached_property
    def texts(self) -> list[str]:
        """The questions' texts."""
        return self.data.questions.to_pylist()

    @cached_property
    def references(self) -> list[list[str]]:
        """The given answers of each question."""
        return self.data.answer_texts.to_pylist()

    @cached_property
    def contexts(self) -> list[str]:
        """The text of each paragraph; `data.paragraphs` says which one a question is about."""
        return self.data.contexts.to_pylist()

    def context_of(self, row: int) -> str:
        """Return the context of a question."""
        return self.contexts[int(self.data.paragraphs[row])]


def describe_questions(data: PreparedData, *, with_types: bool | None = None) -> Questions:
    """Make the table of a source's questions.

    Args:
        data: A prepared source.
        with_types: Whether to tell types of answers, which needs annotation; None does so if there
            is a parse.

    Raises:
        DataError: Types are asked for, and the source was prepared without annotation.
    """
    if with_types is None:
        with_types = data.annotation is not None and bool(data.annotation.dependencies.any())
    bounds = data.tokens.bounds
    known = data.start_positions >= 0
    lengths = np.where(known, data.end_positions - data.start_positions + 1, 0).astype(np.int64)
    context_lengths = np.diff(bounds)[data.paragraphs]
    positions = np.full(len(data.ids), np.nan)
    last = np.maximum(context_lengths - 1, 1)
    positions[known] = data.start_positions[known] / last[known]
    return Questions(
        data=data,
        question_words=_question_words(data),
        answer_types=answer_types(data) if with_types else None,
        answer_lengths=lengths,
        context_lengths=context_lengths,
        positions=positions,
        overlaps=_overlaps(data),
        gold_spans=_gold_spans(data, known),
    )


def span_lengths(data: PreparedData, spans: Ints) -> Ints:
    """Count the tokens of predicted spans.

    Args:
        data: A prepared source.
        spans: (N, 2) characters of each question's context, half-open; -1 where unknown.

    Returns:
        (N,) tokens that a span touches; -1 where it is unknown.
    """
    first, last = tokens_of(data, data.paragraphs.astype(np.int64), spans)
    return np.where(spans[:, 0] < 0, -1, np.maximum(last - first + 1, 0))


def tokens_of(data: PreparedData, paragraphs: Ints, spans: Ints) -> tuple[Ints, Ints]:
    """Find the tokens that character spans of several paragraphs touch.

    Args:
        data: A prepared source.
        paragraphs: (K,) the paragraph of each span.
        spans: (K, 2) characters, half-open.

    Returns:
        (K,) first and (K,) last tokens, inclusive, numbered over the whole source and inside it; a
        span that touches none has a first token after the last one.
    """
    num_contexts = len(data.contexts)
    bounds = data.tokens.bounds[: num_contexts + 1]
    keys = np.repeat(np.arange(num_contexts, dtype=np.int64) << 32, np.diff(bounds))
    offsets = data.tokens.offset_mapping[: bounds[-1]] + keys[:, None]
    places = spans + (paragraphs << 32)[:, None]
    first, last = tokens_covering(offsets, places[:, 0], places[:, 1])
    return np.minimum(first, bounds[-1] - 1), last


def _question_words(data: PreparedData) -> Ints:
    """(N,) index in `QUESTION_WORDS` of each question's first question word."""
    bounds, forms = data.tokens.bounds[len(data.contexts) :], data.tokens.forms
    lower = [form.lower() for form in data.tokens.lexicon]
    kinds = np.array([QUESTION_WORDS.index(_WORDS.get(form, "other")) for form in lower], np.int64)
    amounts = np.array([form in ("many", "much") for form in lower], bool)
    begin, end = int(bounds[0]), int(bounds[-1])
    of_token = kinds[forms[begin:end]]
    after = np.append(amounts[forms[begin + 1 : end]], False)
    of_token = np.where(
        (of_token == QUESTION_WORDS.index("how")) & after,
        QUESTION_WORDS.index("how many"),
        of_token,
    )
    other = QUESTION_WORDS.index("other")
    places = np.append(np.flatnonzero(of_token != other), len(of_token))
    first = places[np.searchsorted(places, bounds[:-1] - begin)]
    inside = first < bounds[1:] - begin
    return np.where(inside, np.append(of_token, other)[first], other)


def _overlaps(data: PreparedData) -> Floats:
    """(N,) share of a question's distinct words that are in the first reference's sentence."""
    count, num_contexts = len(data.ids), len(data.contexts)
    parse = parse_paragraphs(data)
    bounds, forms = data.tokens.bounds, data.lower[data.tokens.forms].astype(np.int64)
    known = np.flatnonzero(data.start_positions >= 0)
    sentence_of = np.full(count, -1, np.int64)
    gold = parse.bounds[data.paragraphs[known]] + data.start_positions[known]
    sentence_of[known] = parse.sentences[gold]

    is_function = np.zeros(int(data.lower.max(initial=-1)) + 1, bool)
    named = [
        place for place, form in enumerate(data.tokens.lexicon) if form.lower() in FUNCTION_WORDS
    ]
    is_function[data.lower[named]] = True
    begin = int(bounds[num_contexts])
    question = np.repeat(np.arange(count), np.diff(bounds[num_contexts:]))
    counts_here = ~silent_tokens(data.tokens)[begin:] & ~is_function[forms[begin:]]
    counts_here &= sentence_of[question] >= 0
    width = len(is_function)
    pairs = np.unique(question[counts_here] * width + forms[begin:][counts_here])
    asked = pairs // width
    in_sentences = np.unique(parse.sentences * width + forms[:begin])
    found = np.isin(sentence_of[asked] * width + pairs % width, in_sentences)
    words = np.bincount(asked, minlength=count)
    with np.errstate(invalid="ignore"):
        return np.bincount(asked[found], minlength=count) / np.where(words, words, np.nan)


def _gold_spans(data: PreparedData, known: NDArray[np.bool_]) -> Ints:
    spans = np.full((len(known), 2), -1, np.int64)
    counts = data.answer_texts.value_lengths().to_numpy()
    firsts = (np.cumsum(counts) - counts)[known]
    starts = data.answer_starts.flatten().to_numpy()[firsts]
    texts = data.answer_texts.flatten().take(firsts).to_pylist()
    spans[known, 0] = starts
    spans[known, 1] = starts + np.array([len(text) for text in texts], np.int64)
    return spans
