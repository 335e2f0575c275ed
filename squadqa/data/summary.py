"""Counts of what a prepared source holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from squadqa.data.alignment import Alignment
from squadqa.data.prepare import PreparedData

if TYPE_CHECKING:
    from squadqa.data.vectors.coverage import Coverage


@dataclass(frozen=True)
class Summary:
    """Counts of what a prepared source holds.

    Args:
        source: Where the data came from.
        articles: Number of distinct articles.
        paragraphs: Number of paragraphs.
        questions: Number of questions.
        tokens: Number of tokens of paragraphs and questions together.
        forms: Number of distinct word forms.
        annotated: Whether the source was prepared with annotation.
        alignment: How many first answers have each `Alignment`, by its name in lower case.
        skipped: How many questions were left out, by reason.
        found: How many answers were looked up in their contexts, by outcome.
        vectors: How much of the text has word vectors; None if it was prepared without vectors.
    """

    source: str
    articles: int
    paragraphs: int
    questions: int
    tokens: int
    forms: int
    annotated: bool
    alignment: dict[str, int]
    skipped: dict[str, int]
    found: dict[str, int]
    vectors: "Coverage | None"


def summarize(data: PreparedData, *, vectors: Sequence[str] = ()) -> Summary:
    """Count what a prepared source holds.

    Args:
        data: A prepared source.
        vectors: The sources of word vectors that it was prepared with, in the same order.
    """
    tokens = data.tokens
    covered = None
    if data.vectors_found is not None:
        from squadqa.data.vectors.coverage import coverage

        counts = np.bincount(tokens.forms, minlength=len(tokens.lexicon))
        covered = coverage(data.vectors_found, counts, tokens.lexicon, sources=vectors)
    return Summary(
        source=data.source,
        articles=len(set(data.titles.to_pylist())),
        paragraphs=len(data.contexts),
        questions=len(data.ids),
        tokens=len(tokens.forms),
        forms=len(tokens.lexicon),
        annotated=data.annotation is not None,
        alignment={kind.name.lower(): int((data.alignment == kind).sum()) for kind in Alignment},
        skipped=data.skipped,
        found=data.found,
        vectors=covered,
    )
