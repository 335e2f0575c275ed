"""Measured results: one JSON file a run, and README's table of them beside the published rows.

`python -m squadqa.evaluation.results`, in the repository, brings README's table up to date.
"""

import json
import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any

from squadqa.errors import DataError, SquadQAError, did_you_mean
from squadqa.files import write_atomic

BEGIN = "<!-- results:begin -->"
END = "<!-- results:end -->"
FOLDER = "results"
SQUAD_DEV_QUESTIONS = 10_570  # in dev-v1.1.json, which every published row is measured on

NAME = re.compile(r"\w[\w.-]*")
"""What a run may be called: its name is its file's."""

_NUMBER = (int, float)
_KINDS: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a text"),
    int: ((int,), "a whole number, 0 or more"),
    float: (_NUMBER, "a number, 0 or more"),
    float | None: ((*_NUMBER, type(None)), "a number, 0 or more, or null"),
}


@dataclass(frozen=True)
class Result:
    """What one run measured, and all that is needed to measure it again.

    Args:
        name: The row's name, and its file's: letters, digits, ".", "_" and "-".
        config: The configuration file it ran from.
        data: The data source, such as "squad".
        split: The part of it that was scored, such as "dev".
        total: Number of questions scored.
        seed: The run's random seed.
        commit: The code's commit, as `commit` gives it.
        hardware: The machine, as `hardware` gives it.
        device: What the model ran on, such as "cpu".
        vectors: The word vectors' source; empty without any.
        budget_minutes: The training time allowed, in minutes, or None.
        minutes: Training time in minutes, preparation left out.
        epochs: Passes over the training data, a part of one counted as such.
        examples_per_second: Training rate, in questions.
        parameters: Number of trained parameters.
        exact_match: Official exact match, in percent.
        f1: Official F1, in percent.
        notes: Whatever else a reader of the table should know; may be empty.

    Raises:
        DataError: A field is of another type or out of its range.
    """

    name: str
    config: str
    data: str
    split: str
    total: int
    seed: int
    commit: str
    hardware: str
    device: str
    vectors: str
    budget_minutes: float | None
    minutes: float
    epochs: float
    examples_per_second: float
    parameters: int
    exact_match: float
    f1: float
    notes: str

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            types, expected = _KINDS[field.type]
            if (
                not isinstance(value, types)
                or isinstance(value, bool)
                or (isinstance(value, _NUMBER) and not 0 <= value < math.inf)
            ):
                raise DataError(f'"{field.name}" is {value!r}', hint=f"It should be {expected}.")
        for name in ("exact_match", "f1"):
            if getattr(self, name) > 100:
                raise DataError(f'"{name}" is {getattr(self, name)}', hint="It is in percent.")
        if not NAME.fullmatch(self.name):
            raise DataError(f'"name" is "{self.name}"', hint="It should serve as a file name.")


@dataclass(frozen=True)
class PublishedResult:
    """A row from the literature, measured on SQuAD v1.1 dev.

    Args:
        name: The system.
        exact_match: Exact match in percent, where one was published.
        f1: F1 in percent, where one was published.
        source: Where it was published.
    """

    name: str
    exact_match: float | None
    f1: float | None
    source: str


PUBLISHED = (
    PublishedResult("BiLSTM pointer", None, None, "student projects report an F1 of 27 to 60"),
    PublishedResult("Random constituent", 1.1, 4.1, "Rajpurkar et al. 2016, arXiv 1606.05250"),
    PublishedResult("Sliding window", 13.2, 20.2, "Rajpurkar et al. 2016, arXiv 1606.05250"),
    PublishedResult("Logistic regression", 40.0, 51.0, "Rajpurkar et al. 2016, arXiv 1606.05250"),
    PublishedResult("Match-LSTM, boundary", 61.1, 71.2, "Wang and Jiang 2016, arXiv 1608.07905"),
    PublishedResult(
        "Match-LSTM, bidirectional pointer", 64.1, 73.9, "Wang and Jiang 2016, arXiv 1608.07905"
    ),
    PublishedResult("DCN", 65.4, 75.6, "Xiong et al. 2016, arXiv 1611.01604"),
    PublishedResult("BiDAF", 67.7, 77.3, "Seo et al. 2016, arXiv 1611.01603"),
    PublishedResult("DrQA reader", 69.5, 78.8, "Chen et al. 2017, arXiv 1704.00051"),
    PublishedResult("R-Net", 71.1, 79.5, "Microsoft Research Asia 2017, technical report"),
    PublishedResult("Human", 80.3, 90.5, "Rajpurkar et al. 2016, arXiv 1606.05250"),
)


def write_result(folder: str | Path, result: Result) -> Path:
    """Write a result as NAME.json.

    Args:
        folder: The folder of results.
        result: What was measured.

    Returns:
        The file.

    Raises:
        OutputError: The file cannot be written.
    """
    path = Path(folder) / f"{result.name}.json"
    with write_atomic(path) as file:
        file.write(json.dumps(asdict(result), indent=2) + "\n")
    return path


def read_results(folder: str | Path) -> list[Result]:
    """Read every result of a folder, in the order of their names.

    Args:
        folder: The folder of results.

    Raises:
        DataError: The folder is missing, or a file in it is no result: not JSON, a field missing,
            unknown, of another type or out of its range, or a name other than the file's.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(
            f'there is no folder of results "{folder}"', next_step="Name a folder that exists."
        )
    return [_read_result(path) for path in sorted(folder.glob("*.json"))]


def results_table(results: Iterable[Result]) -> str:
    """Show results as GitHub markdown, a table for each part of data and each budget of minutes.

    Args:
        results: What was measured. Those on the whole of SQuAD v1.1 dev come first, in bold among
            the published rows.

    Returns:
        Tables sorted by F1, the best last, each under a line that names its data.
    """
    rows = [(_scored_on(result), result.f1, _our_row(result)) for result in results]
    rows += [(_SQUAD_DEV, one.f1 or 0.0, _published_row(one)) for one in PUBLISHED]
    return "\n\n".join(
        f"On {data}:\n\n" + "\n".join([*_HEAD, *(row for _, _, row in some)])
        for data, some in groupby(
            sorted(rows, key=lambda row: (not row[0].startswith(_SQUAD_DEV), *row)),
            key=lambda row: row[0],
        )
    )


def replace_table(text: str, results: Iterable[Result]) -> str:
    """Put the table of results between README's two markers.

    Args:
        text: README's text.
        results: What was measured.

    Raises:
        DataError: The text has not each marker once, in order.
    """
    parts = re.split(f"({BEGIN}|{END})", text)
    if parts[1::2] != [BEGIN, END]:
        raise DataError(
            "the text has no place for the table of results",
            next_step=f'Put "{BEGIN}" and "{END}" on lines of their own, once each.',
        )
    before, begin, _, end, after = parts
    return f"{before}{begin}\n{results_table(results)}\n{end}{after}"


def update_readme(readme_path: str | Path, results_folder: str | Path) -> None:
    """Rewrite README's table from the results.

    Args:
        readme_path: The README, which has the two markers.
        results_folder: The folder of results.

    Raises:
        DataError: README cannot be read or lacks the markers, or a result is none.
        OutputError: README cannot be written.
    """
    path = Path(readme_path)
    results = read_results(results_folder)
    try:
        old = path.read_text(encoding="utf-8")
        new = replace_table(old, results)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f'cannot read "{path}": {error}', next_step="Run this in the repository's folder."
        ) from error
    except DataError as error:
        raise DataError(f'"{path}": {error.what}', next_step=error.next_step) from error
    if new != old:
        with write_atomic(path) as file:
            file.write(new)


def hardware() -> str:
    """Describe this machine: CPU model, cores this process may use, memory."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    cpu = found[1] if found else platform.processor() or platform.machine()
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # outside Linux
        cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu}, {cores} cores, {memory:.0f} GiB"


def commit(folder: str | Path) -> str:
    """Name the commit of a working tree.

    Args:
        folder: A folder in it.

    Returns:
        The commit's hash, with "-dirty" behind it when tracked files differ from it; "unknown"
        outside git.
    """
    git = ["git", "-C", str(folder), "--no-optional-locks"]
    try:
        head, changes = (
            subprocess.run([*git, *command], check=True, capture_output=True, text=True).stdout
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.strip() + ("-dirty" if changes else "")


_SQUAD_DEV = f"SQuAD v1.1 dev ({SQUAD_DEV_QUESTIONS:,} questions)"
_HEAD = (
    "| system | EM | F1 | parameters | minutes | epochs | questions/s | how |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
)


def _read_result(path: Path) -> Result:
    try:
        values = json.loads(path.read_bytes())
        if not isinstance(values, dict):
            raise DataError("not a JSON object")
        known = [field.name for field in fields(Result)]
        for name in values:
            if name not in known:
                raise DataError(f'unknown field "{name}"', hint=did_you_mean(name, known))
        missing = [f'"{name}"' for name in known if name not in values]
        if missing:
            raise DataError(f"without {', '.join(missing)}")
        result = Result(**values)
        if result.name != path.stem:
            raise DataError(f'"name" is "{result.name}"', hint="It should be the file's name.")
    except DataError as error:
        raise DataError(f'result "{path}": {error.what}', hint=error.hint) from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f'result "{path}" cannot be read as JSON: {error}') from error
    return result


def _scored_on(result: Result) -> str:
    is_dev = result.total == SQUAD_DEV_QUESTIONS
    data = _SQUAD_DEV if is_dev else f"{result.data} {result.split} ({result.total:,} questions)"
    budget = result.budget_minutes
    return data if budget is None else f"{data}, trained for {budget:g} minutes"


def _our_row(result: Result) -> str:
    how = [
        f"`{result.config}`",
        result.vectors,
        f"seed {result.seed}",
        result.hardware if result.device == "cpu" else f"{result.device}, {result.hardware}",
        "commit " + re.sub(r"^(\w{7})\w*", r"\1", result.commit),
        result.notes,
    ]
    return _row(
        f"**[{result.name}]({FOLDER}/{result.name}.json)**",
        f"**{result.exact_match:.1f}**",
        f"**{result.f1:.1f}**",
        f"{result.parameters:,}",
        f"{result.minutes:,.1f}",
        f"{result.epochs:,.1f}",
        f"{result.examples_per_second:,.0f}",
        "; ".join(part for part in how if part),
    )


def _published_row(result: PublishedResult) -> str:
    scores = ["" if one is None else f"{one:.1f}" for one in (result.exact_match, result.f1)]
    return _row(result.name, *scores, "", "", "", "", result.source)


def _row(*cells: str) -> str:
    texts = (" ".join(cell.replace("|", "\\|").split()) for cell in cells)
    return "| " + " | ".join(texts) + " |"


if __name__ == "__main__":
    try:
        update_readme("README.md", FOLDER)
    except SquadQAError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
