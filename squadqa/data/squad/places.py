"""Places of answers that a source gives as text only.

An answer's text stands more than once in its context for one in eight questions of SQuAD, so a
place that was looked up may be the wrong one. Therefore nothing is looked up unasked, and all that
was found is counted.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal, cast

FindAnswers = Literal["error", "first", "all"]
"""What to do with answers without places: refuse data to train on that have only such, or take the
first place in the context where the text stands, or every place."""

NOWHERE = -1
"""The `answer_start` of a reference that has no place in its context, or an unknown one; many files
write it so too."""

FOUND, SEVERAL, OTHER_CASE, NOT_FOUND = (
    "found",
    "of these in several places",
    "of these in other capitals",
    "not in the context",
)
"""What is counted of the answers that were looked up."""


def with_places(
    context: str,
    texts: list[str],
    starts: list[int | None],
    *,
    find: FindAnswers,
    counts: Counter[str],
) -> tuple[list[str], list[int]]:
    """Give each answer a place, as far as it has one.

    Args:
        context: The text.
        texts: The answers.
        starts: Their first characters; None where only the text is given.
        find: Whether missing places are looked up.
        counts: Gets what was looked up, by outcome.

    Returns:
        Texts and first characters, those with a place first; the others have `NOWHERE`. A text that
        was found in other capitals is given as it stands in the context.
    """
    if None not in starts:
        return texts, cast(list[int], starts)
    placed, others = [], []
    for text, start in zip(texts, starts, strict=True):
        if start is not None:
            placed.append((text, start))
        elif find == "error" or not (found := _places(context, text)):
            others.append((text, NOWHERE))
            counts[NOT_FOUND] += find != "error"
        else:
            counts[FOUND] += 1
            counts[SEVERAL] += len(found) > 1
            counts[OTHER_CASE] += text not in context
            placed += [
                (context[begin:end], begin)
                for begin, end in (found if find == "all" else found[:1])
            ]
    together = [*dict.fromkeys(placed), *others]
    return [text for text, _ in together], [start for _, start in together]


def _places(context: str, text: str) -> list[tuple[int, int]]:
    """Find where a text stands: as whole words, else inside of words, else in other capitals."""
    text = text.strip()
    if not text:
        return []
    for pattern in _patterns(text):
        if found := [one.span() for one in pattern.finditer(context)]:
            return found
    return []


def _patterns(text: str) -> Iterator[re.Pattern[str]]:
    plain = re.escape(text)
    before = r"(?<!\w)" if re.match(r"\w", text) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", text) else ""
    for flag in (re.NOFLAG, re.IGNORECASE):
        yield re.compile(f"{before}{plain}{after}", flag)
        yield re.compile(plain, flag)
