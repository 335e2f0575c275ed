"""A check of data before training: what is in it, what limits would lose, what looks wrong.

Letters: N questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from squadqa.data.alignment import Alignment
from squadqa.data.candidates.generators import CandidateGenerator
from squadqa.data.prepare import PreparedData
from squadqa.data.summary import Summary, summarize
from squadqa.evaluation.candidate_recall import CandidateRecall, measure_generators
from squadqa.evaluation.questions import tokens_of
from squadqa.scoring import normalize_answer
from squadqa.spans import characters_of

PERCENTILES = (50, 90, 95, 99, 100)
"""Percentiles of lengths that are told."""

ANSWER_LIMITS = (10, 15, 17, 20, 30)
"""Limits of an answer's tokens, as of `max_span_length`."""

CONTEXT_LIMITS = (200, 300, 400, 600)
"""Limits of a context's tokens, as of `data.max_context_tokens`."""

SHOWN = 3
"""Examples of each kind."""


@dataclass(frozen=True)
class Lengths:
    """Percentiles of lengths, in tokens.

    Args:
        name: What has these lengths.
        percentiles: The length by percentile, of `PERCENTILES`.
    """

    name: str
    percentiles: dict[int, int]


@dataclass(frozen=True)
class Limit:
    """What a limit would lose.

    Args:
        name: What is limited.
        tokens: The limit.
        lost: Questions whose answer it cuts off.
        share: The same in percent of the questions with an answer.
    """

    name: str
    tokens: int
    lost: int
    share: float


@dataclass(frozen=True)
class Misalignment:
    """A given answer that is not exactly some tokens.

    Args:
        id: The question.
        kind: Name of the `Alignment`, in lower case.
        answer: The given answer.
        found: The tokens that cover it, or what is at its `answer_start`.
    """

    id: str
    kind: str
    answer: str
    found: str


@dataclass(frozen=True)
class Overlap:
    """What two parts share.

    Args:
        other: The other part.
        paragraphs: Paragraphs that both have.
        questions: Questions of this part about those.
        same: Questions that both have about the same paragraph.
    """

    other: str
    paragraphs: int
    questions: int
    same: int


@dataclass(frozen=True)
class DataCheck:
    """A check of one part.

    Args:
        counts: Counts, alignment and coverage of vectors.
        without_answers: Questions without a given answer.
        several_answers: Questions with more than one distinct answer, after normalisation.
        repeated_paragraphs: Paragraphs whose text was there before.
        repeated_questions: Questions that were asked of the same text before.
        lengths: Percentiles of contexts, questions and first answers.
        limits: What limits would lose.
        misaligned: Examples of answers that are not exactly some tokens.
        best_exact_match: Exact match in percent, by limit of an answer's tokens, if each question
            got the best span of at most so many.
        overlap: What it shares with another part; None if none was named.
        candidates: What choosing among the candidates of a scorer could reach; None if they were
            not asked for.
    """

    counts: Summary
    without_answers: int
    several_answers: int
    repeated_paragraphs: int
    repeated_questions: int
    lengths: tuple[Lengths, ...]
    limits: tuple[Limit, ...]
    misaligned: tuple[Misalignment, ...]
    best_exact_match: dict[int, float]
    overlap: Overlap | None
    candidates: CandidateRecall | None

    @property
    def advice(self) -> list[str]:
        """What to do about it, in sentences."""
        return _advice(self)


def check_data(
    data: PreparedData,
    *,
    vectors: Sequence[str] = (),
    against: PreparedData | None = None,
    generator: CandidateGenerator | None = None,
) -> DataCheck:
    """Check a part.

    Args:
        data: The prepared source.
        vectors: The sources of word vectors that it was prepared with.
        against: Another part, to look for paragraphs that both have.
        generator: Proposes candidates, which needs a parse; None leaves them out.
    """
    tokens, known = data.tokens, data.start_positions >= 0
    sizes = np.diff(tokens.bounds)
    num_contexts = len(data.contexts)
    ends = data.end_positions[known].astype(np.int64)
    answer_lengths = ends - data.start_positions[known] + 1
    lengths = [
        ("context", sizes[:num_contexts]),
        ("question", sizes[num_contexts:]),
        ("first answer", answer_lengths),
    ]
    limits = [
        *(_limit("answer", most, answer_lengths > most) for most in ANSWER_LIMITS),
        *(_limit("context", most, ends >= most) for most in CONTEXT_LIMITS),
    ]
    references = data.answer_texts.to_pylist()
    distinct = [len({normalize_answer(text) for text in some}) for some in references]
    contexts = data.contexts.to_pylist()
    asked = _asked(data, contexts)
    return DataCheck(
        counts=summarize(data, vectors=vectors),
        without_answers=sum(not some for some in references),
        several_answers=sum(count > 1 for count in distinct),
        repeated_paragraphs=num_contexts - len(set(contexts)),
        repeated_questions=len(asked) - len(set(asked)),
        lengths=tuple(_lengths(name, some) for name, some in lengths if len(some)),
        limits=tuple(limits),
        misaligned=_misaligned(data, contexts),
        best_exact_match=_best_exact_match(data, contexts, references),
        overlap=None if against is None else _overlap(data, contexts, asked, against),
        candidates=measure_generators(data, [generator])[0].recall if generator else None,
    )


def _lengths(name: str, some: NDArray[np.integer]) -> Lengths:
    found = np.percentile(some, PERCENTILES, method="inverted_cdf").astype(int).tolist()
    return Lengths(name, dict(zip(PERCENTILES, found, strict=True)))


def _limit(name: str, tokens: int, lost: NDArray[np.bool_]) -> Limit:
    return Limit(name, tokens, int(lost.sum()), 100.0 * float(lost.mean()) if len(lost) else 0.0)


def _asked(data: PreparedData, contexts: Sequence[str]) -> list[tuple[str, str]]:
    """Each question's context and text, without white space at the ends and in lower case."""
    pairs = zip(data.paragraphs.tolist(), data.questions.to_pylist(), strict=True)
    return [(contexts[paragraph], text.strip().lower()) for paragraph, text in pairs]


def _overlap(
    data: PreparedData,
    contexts: Sequence[str],
    asked: Sequence[tuple[str, str]],
    against: PreparedData,
) -> Overlap:
    others = against.contexts.to_pylist()
    shared = set(others) & set(contexts)
    known = set(_asked(against, others))
    return Overlap(
        other=against.source,
        paragraphs=sum(text in shared for text in contexts),
        questions=sum(text in shared for text, _ in asked),
        same=sum(one in known for one in asked),
    )


def _misaligned(data: PreparedData, contexts: Sequence[str]) -> tuple[Misalignment, ...]:
    found = []
    for kind in (Alignment.MISPLACED, Alignment.LOST, Alignment.EXPANDED):
        for row in np.flatnonzero(data.alignment == kind)[:SHOWN].tolist():
            text = data.answer_texts[row].as_py()[0]
            start = data.answer_starts[row].as_py()[0]
            context = contexts[int(data.paragraphs[row])]
            there = context[max(0, start) : max(0, start) + len(text)]
            if kind == Alignment.EXPANDED:
                begin = int(data.tokens.bounds[data.paragraphs[row]])
                first, last = int(data.start_positions[row]), int(data.end_positions[row])
                offsets = data.tokens.offset_mapping[begin:]
                there = context[int(offsets[first, 0]) : int(offsets[last, 1])]
            found.append(Misalignment(str(data.ids[row]), kind.name.lower(), text, there))
    return tuple(found)


def _best_exact_match(
    data: PreparedData, contexts: Sequence[str], references: Sequence[Sequence[str]]
) -> dict[int, float]:
    """Exact match that the tokens of the given answers allow, by limit of their number."""
    counts = np.array([len(some) for some in references], np.int64)
    rows = np.repeat(np.arange(len(references)), counts)
    paragraphs = data.paragraphs[rows].astype(np.int64)
    texts = [text for some in references for text in some]
    starts = data.answer_starts.flatten().to_numpy().astype(np.int64)
    spans = np.stack([starts, starts + [len(text) for text in texts]], axis=1).reshape(-1, 2)
    first, last = tokens_of(data, paragraphs, spans)
    begin, end = characters_of(data.tokens.offset_mapping, first, np.maximum(first, last))
    normalized = [{normalize_answer(text) for text in some} for some in references]
    right = [
        start >= 0 and normalize_answer(contexts[paragraph][left:right]) in normalized[row]
        for row, paragraph, start, left, right in zip(
            rows.tolist(), paragraphs.tolist(), starts.tolist(), begin, end, strict=True
        )
    ]
    lengths = np.where(np.array(right, bool), last - first + 1, np.iinfo(np.int64).max)
    fewest = np.full(len(references), np.iinfo(np.int64).max)
    np.minimum.at(fewest, rows, lengths)
    return {most: 100.0 * float((fewest <= most).mean()) for most in ANSWER_LIMITS}


def _advice(check: DataCheck) -> list[str]:
    counts, said = check.counts, []
    total = counts.questions
    if check.without_answers == total:
        return ["No question has an answer: this can be predicted on, not trained or scored on."]
    if check.without_answers:
        said.append(
            f"{check.without_answers:,} questions have no answer: training leaves them out with "
            "--data.bad_answers skip."
        )
    if misplaced := counts.alignment["misplaced"]:
        said.append(
            f"{misplaced:,} answers are not at their answer_start: mend the file, or leave them "
            "out with --data.bad_answers skip."
        )
    if unplaced := counts.alignment["unplaced"]:
        said.append(
            f"{unplaced:,} answers are texts without places, which training needs: look them up "
            "with --find-answers first, here too."
        )
    inexact = counts.alignment["expanded"] + counts.alignment["lost"]
    if inexact > 0.03 * total:
        said.append(
            f"{inexact:,} answers begin or end inside a token, which costs exact match: look at "
            "the examples."
        )
    losing = [one for one in check.limits if one.name == "answer" and one.share > 2.5]
    if any(one.tokens == 17 for one in losing):
        enough = next((one.tokens for one in check.limits
                       if one.name == "answer" and one.share <= 1), ANSWER_LIMITS[-1])  # fmt: skip
        said.append(
            f"Answers are long: --model.reader.max_span_length {enough} loses fewer than 17 does."
        )
    if check.repeated_questions:
        said.append(f"{check.repeated_questions:,} questions are asked twice of the same text.")
    if check.overlap and check.overlap.paragraphs:
        said.append(
            f'{check.overlap.paragraphs:,} paragraphs are in "{check.overlap.other}" too: scores '
            "there say little about new texts. Take them out of one of the two."
        )
    covered = counts.vectors
    if covered is not None and covered.together_by_token < 97:
        said.append(
            f"{100 - covered.together_by_token:.1f} % of the tokens have no vector: try larger "
            "word vectors, or a reader with characters (--char-cnn)."
        )
    if total < 1000:
        said.append(
            f"{total:,} questions are few to train from: begin with a run that was trained on "
            "more (--warm-start)."
        )
    return said or ["Nothing looks wrong."]
