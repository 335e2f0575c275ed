"""Coverage: how much of a text has word vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Coverage:
    """How much of a text has vectors.

    Args:
        sources: Names of the vector sources.
        forms: Number of distinct word forms.
        tokens: Number of tokens.
        by_form: Percent of the forms that each source has.
        by_token: Percent of the tokens that each source has.
        together_by_form: Percent of the forms that any source has.
        together_by_token: Percent of the tokens that any source has.
        missing: The most frequent forms that no source has, with their counts.
    """

    sources: tuple[str, ...]
    forms: int
    tokens: int
    by_form: tuple[float, ...]
    by_token: tuple[float, ...]
    together_by_form: float
    together_by_token: float
    missing: tuple[tuple[str, int], ...]

    def describe(self) -> str:
        """Format the figures as a small table, with the most frequent missing words below."""
        rows = list(zip(self.sources, self.by_form, self.by_token, strict=True))
        if len(rows) != 1:
            rows.append(("together", self.together_by_form, self.together_by_token))
        width = max(len(name) for name in ("vectors", *(name for name, _, _ in rows)))
        lines = [
            f"{'vectors':{width}}  {'word forms':>12}  {'tokens':>12}",
            f"{'':{width}}  {self.forms:>12,}  {self.tokens:>12,}",
            *(f"{name:{width}}  {form:>10.2f} %  {token:>10.2f} %" for name, form, token in rows),
        ]
        if self.missing:
            words = ", ".join(f"{form} ({count:,})" for form, count in self.missing)
            lines.append(f"commonest missing: {words}")
        return "\n".join(lines)


def coverage(
    found: NDArray[np.bool_],
    counts: NDArray[np.integer],
    forms: Sequence[str],
    *,
    sources: Sequence[str],
    num_missing: int = 20,
) -> Coverage:
    """Count how much of a text has vectors.

    Args:
        found: (U, S) bool, True if source s has form u.
        counts: (U,) number of occurrences of each form in the text.
        forms: The U word forms.
        sources: Names of the S sources.
        num_missing: How many of the most frequent missing forms to list.

    Returns:
        Coverage by form and by token, in percent; 0 for a text without words.
    """
    known = found.any(axis=1)
    has = np.column_stack([found, known])  # (U, S + 1)
    num_tokens = int(counts.sum())
    by_form = (100.0 * has.sum(axis=0) / max(len(forms), 1)).tolist()
    by_token = (100.0 * (counts @ has) / max(num_tokens, 1)).tolist()
    missing = sorted((-int(counts[i]), forms[i]) for i in np.flatnonzero(~known).tolist())
    return Coverage(
        sources=tuple(sources),
        forms=len(forms),
        tokens=num_tokens,
        by_form=tuple(by_form[:-1]),
        by_token=tuple(by_token[:-1]),
        together_by_form=by_form[-1],
        together_by_token=by_token[-1],
        missing=tuple((form, -count) for count, form in missing[:num_missing]),
    )
