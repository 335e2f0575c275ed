"""The tables of measured results: README's short one, and all rows in results/README.md.

`python tools/results_table.py` brings both up to date with the files of results/.
One file, as both tables choose among the same rows and write the same cells.
"""

import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from made_pages import markdown_table, replace_between, rewrite, run

from squadqa.errors import DataError
from squadqa.evaluation.results import FOLDER, Result, read_results

ROOT = Path(__file__).resolve().parents[1]
README = "README.md"
BEGIN = "<!-- results:begin -->"
END = "<!-- results:end -->"
SQUAD_DEV_QUESTIONS = 10_570  # in dev-v1.1.json, which every published row is measured on
FULL_EPOCHS = 4.0  # a training that was given minutes is a full one, too, if it made so many


@dataclass(frozen=True)
class Published:
    """A row from the literature, measured on SQuAD v1.1 dev.

    Args:
        name: The system, as people know it.
        system: Our system of the same kind, as `system_of` names it; empty where there is none.
        exact_match: Exact match in percent, where one was published.
        f1: F1 in percent, where one was published.
        source: Where it was published.
    """

    name: str
    system: str
    exact_match: float | None
    f1: float | None
    source: str


_RAJPURKAR = "Rajpurkar et al. 2016, arXiv 1606.05250"
_WANG_JIANG = "Wang and Jiang 2016, arXiv 1608.07905"
HUMAN = Published("Human", "", 80.3, 90.5, _RAJPURKAR)
PUBLISHED = (
    HUMAN,
    Published("FastFusionNet", "house", 73.6, 82.4, "Wu et al. 2019, arXiv 1902.11291"),
    Published("R-Net", "rnet", 71.1, 79.5, "Microsoft Research Asia 2017, technical report"),
    Published("DrQA reader", "drqa", 69.5, 78.8, "Chen et al. 2017, arXiv 1704.00051"),
    Published("BiDAF", "bidaf", 67.7, 77.3, "Seo et al. 2016, arXiv 1611.01603"),
    Published("DCN", "dcn", 65.4, 75.6, "Xiong et al. 2016, arXiv 1611.01604"),
    Published("Match-LSTM, bidirectional pointer", "match_lstm", 64.1, 73.9, _WANG_JIANG),
    Published("Match-LSTM, boundary", "match_lstm", 61.1, 71.2, _WANG_JIANG),
    Published("Logistic regression", "logistic_paper", 40.0, 51.0, _RAJPURKAR),
    Published("Sliding window", "baseline", 13.2, 20.2, _RAJPURKAR),
    Published("Random constituent", "baseline", 1.1, 4.1, _RAJPURKAR),
    Published("BiLSTM pointer", "bilstm", None, None, "student projects report F1 from 27 to 60"),
)


def system_of(result: Result) -> str:
    """Name the kind of system that a result measured.

    Args:
        result: What was measured.

    Returns:
        Its first configuration's name, such as "drqa"; without one the name of the command, such
        as "ensemble".
    """
    if result.configs:
        return Path(result.configs[0]).stem
    return shlex.split(result.command)[1]


def readme_table(results: Iterable[Result]) -> str:
    """Show the best row of each system as GitHub markdown, the best first.

    Args:
        results: What was measured. Of those on the whole of SQuAD v1.1 dev, fully trained and
            without looking at dev, the best of each system stands there, in bold; beside them the
            best published row of the same systems, and what people score.
    """
    ours: dict[str, Result] = {}
    for result in _best_first(results):
        is_full = not _limit(result) and result.until_f1 is None
        if _is_squad_dev(result) and is_full and result.parameters:
            ours.setdefault(system_of(result), result)
    theirs: dict[str, Published] = {}
    for row in PUBLISHED:
        if row is HUMAN or (row.system in ours and row.f1 is not None):
            theirs.setdefault(row.system, row)
    rows = [
        (
            result.f1,
            f"**{result.name}**",
            f"**{result.exact_match:.1f}**",
            f"**{result.f1:.1f}**",
            _minutes(result.minutes),
            f"[{_made_of(result)}]({FOLDER}/{result.name}.json)",
        )
        for result in ours.values()
    ]
    rows += [
        (row.f1 or 0.0, row.name, _score(row.exact_match), _score(row.f1), "", row.source)
        for row in theirs.values()
    ]
    rows.sort(key=lambda row: -row[0])
    head = ("system", "EM", "F1", "minutes", "configuration")
    return markdown_table(head, "lrrrl", [cells for _, *cells in rows])


def results_page(results: Iterable[Result]) -> str:
    """Write the page that shows every row, by data and by the minutes allowed, the best first.

    Args:
        results: What was measured. Those on the whole of SQuAD v1.1 dev come first, in bold among
            the published rows.
    """
    ordered = sorted(_best_first(results), key=_group)  # which keeps the best first in each
    groups = {group: list(some) for group, some in groupby(ordered, key=_group)}
    groups.setdefault(_SQUAD_DEV, [])
    parts = [_INTRODUCTION]
    for group, some in sorted(groups.items()):
        rows = [(one.f1, _our_row(one)) for one in some]
        if group == _SQUAD_DEV:
            rows += [(row.f1 or 0.0, _published_row(row)) for row in PUBLISHED]
        rows.sort(key=lambda row: -row[0])
        parts.append(
            f"## {_title(group)}\n\n" + markdown_table(_COLUMNS, "lrrrrrrl", [r for _, r in rows])
        )
    return "\n\n".join(parts) + "\n"


def replace_table(text: str, table: str) -> str:
    """Put a table between README's two markers.

    Args:
        text: README's text.
        table: The table.

    Raises:
        DataError: The text has not each marker once, in order.
    """
    lacks = "the text has no place for the table of results"
    return replace_between(text, BEGIN, END, table, lacks=lacks)


def pages(root: Path) -> dict[Path, str]:
    """Give the two files that show results, as they should be.

    Args:
        root: The repository's folder.

    Raises:
        DataError: README cannot be read or lacks the markers, or a file of results/ is no result.
    """
    results = read_results(root / FOLDER)
    path = root / README
    try:
        readme = replace_table(path.read_text(encoding="utf-8"), readme_table(results))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'cannot read "{path}": {error}') from error
    except DataError as error:
        raise DataError(f'"{path}": {error.what}', next_step=error.next_step) from error
    return {path: readme, root / FOLDER / README: results_page(results)}


def update(root: Path) -> list[Path]:
    """Rewrite what is out of date of the two files that show results.

    Args:
        root: The repository's folder.

    Returns:
        The files that were rewritten.

    Raises:
        DataError: As for `pages`.
        OutputError: A file cannot be written.
    """
    return rewrite(pages(root))


_INTRODUCTION = f"""\
# Measured results

Exact match (EM) and F1 in percent, by the official rule, every question counted. A bold row is ours
and links to its file, which holds each figure in full; the others are published. Minutes, epochs
and questions/s are of training, and an ensemble's minutes are its members'. [details/](details)
holds scores by type of answer and counts of candidates and features, [ablations/](ablations) the
logistic regression without each of its feature groups.

`python tools/results_table.py` writes this page, and the table of [{README}](../{README})."""

_COLUMNS = ("system", "EM", "F1", "parameters", "minutes", "epochs", "questions/s", "how")

Group = tuple[bool, str, str, int, float]
"""Rows that compare: whether on other data than SQuAD dev; data, part, questions; minutes."""

_SQUAD_DEV: Group = (False, "SQuAD v1.1", "dev", SQUAD_DEV_QUESTIONS, 0.0)


def _is_squad_dev(result: Result) -> bool:
    return result.total == SQUAD_DEV_QUESTIONS


def _best_first(results: Iterable[Result]) -> list[Result]:
    return sorted(results, key=lambda result: (-result.f1, result.name))


def _limit(result: Result) -> float:
    """Return the minutes that kept a training from being a full one, 0 if none did."""
    return 0.0 if (result.epochs or 0.0) >= FULL_EPOCHS else result.budget_minutes or 0.0


def _group(result: Result) -> Group:
    minutes = _limit(result)
    if _is_squad_dev(result):
        return (*_SQUAD_DEV[:-1], minutes)
    return (True, result.data, result.split, result.total, minutes)


def _title(group: Group) -> str:
    _, data, part, total, minutes = group
    scored = data.rpartition(", ")[2]  # after what it was trained on
    title = f"{scored}, {part} ({total:,} questions)"
    return f"{title}, trained for {minutes:g} minutes" if minutes else title


def _made_of(result: Result) -> str:
    """The configurations' names and what was changed; without configurations the command."""
    if not result.configs:
        return f"`{result.command}`"
    names = [Path(name).stem for name in result.configs]
    changed = [f"`{name} {value}`" for name, value in result.overrides.items()]
    return " + ".join(names + changed)


def _our_row(result: Result) -> Sequence[str]:
    how = (
        f"`{result.command}`",
        result.vectors,
        f"seed {result.seed}",
        result.hardware if result.device == "cpu" else f"{result.device}, {result.hardware}",
        "commit " + re.sub(r"^(\w{7})\w*", r"\1", result.commit),
        _time_to_f1(result),
        result.notes,
    )
    return (
        f"**[{result.name}]({result.name}.json)**",
        f"**{result.exact_match:.1f}**",
        f"**{result.f1:.1f}**",
        f"{result.parameters:,}",
        _minutes(result.minutes),
        _figure(result.epochs, "{:,.1f}".format),
        _figure(result.examples_per_second, "{:,.0f}".format),
        "; ".join(part for part in how if part),
    )


def _time_to_f1(result: Result) -> str:
    if result.until_f1 is None:
        return ""
    aim = f"F1 {result.until_f1:g} on the questions that are scored"
    if result.seconds_to_f1 is None:
        return f"did not reach {aim}"
    return f"stopped at {aim}, {result.seconds_to_f1:,.0f} s after its first step"


def _published_row(row: Published) -> Sequence[str]:
    return (row.name, _score(row.exact_match), _score(row.f1), "", "", "", "", row.source)


def _score(percent: float | None) -> str:
    return _figure(percent, "{:.1f}".format)


def _minutes(minutes: float | None) -> str:
    digits = 2 if (minutes or 0) < 1 else 1 if (minutes or 0) < 10 else 0
    return _figure(minutes, lambda value: f"{value:,.{digits}f}")


def _figure(value: float | None, show: Callable[[float], str]) -> str:
    """A figure as it is shown; an empty cell where there is none."""
    return "" if value is None else show(value)


if __name__ == "__main__":
    sys.exit(run(update, ROOT))
