"""The entities of the made paragraphs: those of train and those of dev share nothing."""

import random
import re
import tomllib
from collections.abc import Callable, Sequence
from typing import Any

from handwritten import read, read_articles

SEED = 20160616
SPLITS = ("train", "dev")
DEV_EVERY = 5  # one in so many names, years and numbers is dev's
FIRST_YEAR, LAST_YEAR = 1601, 1988

# The type of each sort of value: values of one type can be taken for one another.
TYPES = {
    "person": "person",
    "place": "place",
    "river": "place",
    "year": "year",
    "count": "number",
    "few": "number",
    "money": "money",
    "goods": "goods",
    "reason": "reason",
}

_ONES = ("", "-one", "-two", "-three", "-four", "-five", "-six", "-seven", "-eight", "-nine")
_TENS = ("twenty", "thirty", "forty", "fifty")


class Entities:
    """Gives the entities of one split; within a paragraph, each word of them only once.

    Args:
        split: "train" or "dev".
        rng: Where choices come from.
    """

    def __init__(self, split: str, *, rng: random.Random) -> None:
        self._lists: dict[str, Any] = tomllib.loads(read("names.toml"))
        self._split = split
        self._rng = rng
        self._used: set[str] = set()
        self._foreign = _words_by_hand([other for other in SPLITS if other != split])
        self._pronouns = {name: "she" for name in self._names("women")}
        self._pronouns |= {name: "he" for name in self._names("men")}
        self._surnames = self._names("surnames") + self._joined("surname")
        self._places = self._joined("place")
        self._rivers = self._joined("river")
        self._goods = [self._ours(self._lists[name].split()) for name in ("looks", "goods")]
        self._titles = [self._names("title_looks"), self._names("titles")]
        self._ships = [self._names("ship_looks"), self._names("ships")]
        self._currencies = self._lists[f"{split}_currencies"].split()
        self._years = self._fresh([str(year) for year in range(FIRST_YEAR, LAST_YEAR + 1)])
        self._few = self._fresh([str(number) for number in range(20, 60)])
        self._few += self._fresh([tens + ones for tens in _TENS for ones in _ONES])
        self._counts = self._fresh([f"{n:,}" for n in (*range(61, 1000), *range(1010, 9990, 10))])
        self._reasons = [
            f"the {subject} {predicate}"
            for table in self._lists["reasons"].values()
            for subject in self._ours(_entries(table["subjects"]))
            for predicate in self._ours(_entries(table["predicates"]))
        ]

    def start_paragraph(self) -> None:
        """Allow every word to be used again."""
        self._used.clear()

    def person(self) -> tuple[str, str]:
        """Give a full name and the pronoun for its bearer."""
        given = self._new([*self._pronouns])
        return f"{given} {self.surname()}", self._pronouns[given]

    def surname(self) -> str:
        """Give a family name."""
        return self._new(self._surnames)

    def place(self) -> str:
        """Give a town."""
        return self._new(self._places)

    def title(self) -> str:
        """Give a work's title."""
        return f"The {self._pair(self._titles)}"

    def ship(self) -> str:
        """Give a ship's name, without article."""
        return self._pair(self._ships)

    def years(self, number: int) -> list[str]:
        """Give so many years in their order."""
        free = [year for year in self._years if year not in self._used]
        first = self._rng.randrange(len(free) - 6 * number)
        chosen = sorted(self._rng.sample(free[first : first + 6 * number], number))
        self._used.update(chosen)
        return chosen

    def value(self, sort: str) -> str:
        """Give a value of a sort that TYPES names, "year" excepted."""
        makers: dict[str, Callable[[], str]] = {
            "person": lambda: self.person()[0],
            "place": self.place,
            "river": lambda: self._new(self._rivers),
            "goods": lambda: self._pair(self._goods),
            "count": lambda: self._new(self._counts),
            "few": lambda: self._new(self._few),
            "money": lambda: f"{self._new(self._counts)} {self._rng.choice(self._currencies)}",
            "reason": lambda: self._new(self._reasons),
        }
        return makers[sort]()

    def _pair(self, lists: Sequence[Sequence[str]]) -> str:
        return " ".join(self._new(words) for words in lists)

    def _new(self, words: Sequence[str]) -> str:
        word = self._rng.choice([word for word in words if word not in self._used])
        self._used.add(word)
        return word

    def _names(self, name: str) -> list[str]:
        return self._fresh(self._lists[name].split())

    def _joined(self, name: str) -> list[str]:
        starts, ends = (self._lists[f"{name}_{part}"].split() for part in ("starts", "ends"))
        joined = [start + end for start in starts for end in ends]
        return self._fresh([name for name in joined if not re.search(r"(.)\1\1", name)])

    def _fresh(self, entries: Sequence[str]) -> list[str]:
        """Keep what is ours and stands in no paragraph that was written by hand for the other."""
        return [entry for entry in self._ours(entries) if entry not in self._foreign]

    def _ours(self, entries: Sequence[str]) -> list[str]:
        """Keep this split's share of a list, chosen by a shuffle that never changes."""
        shuffled = [*entries]
        random.Random(SEED).shuffle(shuffled)
        dev = set(shuffled[::DEV_EVERY])
        return [entry for entry in entries if (entry in dev) == (self._split == "dev")]


def _words_by_hand(splits: Sequence[str]) -> set[str]:
    return {
        word
        for split in splits
        for article in read_articles(split)
        for paragraph in article.paragraphs
        for word in re.findall(r"[\w,-]*\w", paragraph.context)
    }


def _entries(text: str) -> list[str]:
    return [" ".join(entry.split()) for entry in text.split(",")]
