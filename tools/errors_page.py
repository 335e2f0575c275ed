"""The tables of docs/errors.md, from the labels of errors in results/details/errors.json.

`python tools/errors_page.py` brings the page up to date: what stands between its two markers is
made of the file, which holds for each error its question's id and place, and what two readings,
which knew nothing of each other, said was its reason. The rest of the page is written by hand.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from made_pages import markdown_table, replace_between, rewrite, run

from squadqa.errors import DataError

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path("docs/errors.md")
LABELS = Path("results/details/errors.json")
BEGIN = "<!-- errors:begin -->"
END = "<!-- errors:end -->"

CATEGORIES = {
    "annotation": "the prediction is as good as the given answers, or these are wrong",
    "boundary": "it overlaps the right answer, with words too many or too few",
    "several sentences": "the answer follows only from two sentences or more, such as a reference",
    "paraphrase": "the answer's sentence says in other words, or by knowledge, what is asked",
    "reasoning": "counting, comparing, ordering in time, or a negation is needed",
    "wrong role": "from the right sentence, something of the right kind, but another one",
    "wrong kind": "something of another kind than asked for, such as a place for a person",
    "wrong sentence": "another sentence, though the right one shares the question's words",
}
"""The categories and their meaning; of several that fit, the first is taken."""


@dataclass(frozen=True)
class Label:
    """What one reading says of an error.

    Args:
        category: One of `CATEGORIES`.
        reason: Why, in own words.
    """

    category: str
    reason: str


@dataclass(frozen=True)
class Labelled:
    """An error with its labels.

    Args:
        question: The question's id.
        place: Its article, and the numbers of its paragraph and of itself, from 1.
        first: The label of the first reading.
        second: That of the second, which did not know the first.
    """

    question: str
    place: str
    first: Label
    second: Label

    @property
    def agrees(self) -> bool:
        """Whether both say the same category."""
        return self.first.category == self.second.category


def read_labels(values: Mapping[str, Any]) -> list[Labelled]:
    """Read the labels of a file's content.

    Raises:
        DataError: A question has no two labels, or one that is no category.
    """
    found = []
    for one in values["labels"]:
        labels = [Label(**one[name]) for name in ("first", "second")]
        for label in labels:
            if label.category not in CATEGORIES or not label.reason.strip():
                raise DataError(
                    f'the label "{label.category}" of {one["id"]} cannot be used',
                    next_step=f"It needs a reason, and one of: {', '.join(CATEGORIES)}.",
                )
        found.append(Labelled(one["id"], one["place"], *labels))
    return found


def kappa(labels: Sequence[Labelled]) -> float:
    """Return Cohen's kappa of two readings: agreement beyond chance, 1 at most (Cohen, 1960)."""
    observed = sum(one.agrees for one in labels) / len(labels)
    first, second = (
        Counter(getattr(one, name).category for one in labels) for name in ("first", "second")
    )
    expected = sum(first[name] * second[name] for name in CATEGORIES) / len(labels) ** 2
    return 1.0 if expected == 1 else (observed - expected) / (1 - expected)


def tables(values: Mapping[str, Any]) -> str:
    """Write the tables of a file's content."""
    labels = read_labels(values)
    agreed = sum(one.agrees for one in labels)
    wrong, questions = values["wrong"], values["questions"]
    counts = markdown_table(
        ("category", "what it is", "first", "second", "both"),
        "llrrr",
        [
            (
                name,
                meaning,
                str(sum(one.first.category == name for one in labels)),
                str(sum(one.second.category == name for one in labels)),
                str(sum(one.agrees and one.first.category == name for one in labels)),
            )
            for name, meaning in CATEGORIES.items()
        ],
    )
    every = markdown_table(
        ("question", "first", "second", "reason"),
        "llll",
        [
            (
                one.place,
                one.first.category,
                "" if one.agrees else one.second.category,
                one.first.reason if one.agrees else f"{one.first.reason} / {one.second.reason}",
            )
            for one in labels
        ],
    )
    return "\n\n".join(
        [
            f"Of {questions:,} held-out questions the run answers {wrong:,} not exactly right; in "
            f"{values['overlap']:,} of these its answer shares words with a given one. Of the wrong"
            f" ones {len(labels)} were drawn and labelled twice. The readings agree on {agreed}; "
            f"Cohen's kappa is {kappa(labels):.2f}.",
            counts,
            "## Every error",
            every,
        ]
    )


def page(root: Path) -> str:
    """Return the page as it should be.

    Raises:
        DataError: The page or the labels cannot be read.
    """
    try:
        text = (root / PAGE).read_text(encoding="utf-8")
        values = json.loads((root / LABELS).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f'cannot read "{root / PAGE}" or "{root / LABELS}": {error}') from error
    return replace_between(text, BEGIN, END, tables(values), lacks=f"no place in {PAGE}")


def main() -> int:
    """Bring this repository's page up to date."""
    return run(lambda root: rewrite({root / PAGE: page(root)}), ROOT)


if __name__ == "__main__":
    sys.exit(main())
