"""The page of a report: one HTML file that needs no network and opens from disk.

Texts come from outside, so the template escapes all of them, the script sets texts and never
markup, and the page's own policy lets nothing run but that one script.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from squadqa.evaluation.question_slices import SliceScores
from squadqa.evaluation.reliability import gold_lengths, predicted_lengths, reliability_of
from squadqa.evaluation.resampling import Estimate, mean_estimates
from squadqa.evaluation.systems import OUTCOMES, ScoredSystem
from squadqa.files import write_atomic
from squadqa.report.content import PLAIN, ReportContent
from squadqa.report.curves import curves_picture
from squadqa.report.payload import packed
from squadqa.report.plots import calibration_plot, intervals, lengths_plot
from squadqa.version import __version__

TEMPLATES = Path(__file__).parent / "templates"
AROUND = 70
"""Characters of the context shown on each side of an answer."""


@dataclass(frozen=True)
class _Row:
    """One system in the summary."""

    name: str
    exact_match: Estimate
    f1: Estimate
    probability: float | None
    error: float | None
    outcomes: tuple[int, ...]
    length: float | None
    description: str


@dataclass(frozen=True)
class _Piece:
    """A part of a context around an answer; `is_answer` is the answer itself."""

    text: str
    is_answer: bool


def write_report(path: Path, content: ReportContent) -> None:
    """Write the page of a report.

    Args:
        path: The file to write.
        content: What it shows.

    Raises:
        OutputError: It cannot be written.
    """
    text = report_page(content)
    with write_atomic(path) as file:
        file.write(text)


def report_page(content: ReportContent) -> str:
    """Return a report as HTML."""
    script = _asset("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    systems = content.systems
    calibrations = [(one.name, reliability_of(one)) for one in systems]
    lengths = [(one.name, predicted_lengths(one)) for one in systems]
    known_calibrations = [(name, one) for name, one in calibrations if one]
    known_lengths = [(name, one) for name, one in lengths if one]
    return _template().render(
        version=__version__,
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
        style=Markup(_asset("report.css")),  # noqa: S704
        script=Markup(script),  # noqa: S704
        content=content,
        outcomes=OUTCOMES,
        rows=_rows(content),
        curves=[
            (one.name, curves_picture(log, one.name), log.best)
            for one, log in zip(systems, content.logs, strict=True)
            if log is not None
        ],
        calibration=calibration_plot(known_calibrations) if known_calibrations else None,
        lengths=lengths_plot(gold_lengths(content.questions), known_lengths)
        if known_lengths
        else None,
        slices=[(name, list(some)) for name, some in groupby(content.slices, _dimension)],
        intervals=intervals,
        plain=_plain(content),
        payload=packed(content),
    )


def _dimension(one: SliceScores) -> str:
    return one.dimension


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["p_value"] = lambda value: "< 0.001" if value < 0.001 else f"{value:.3f}"
    environment.filters["signed"] = _signed
    return environment.get_template("report.html")


@cache
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _signed(value: float, digits: int) -> str:
    """Write a difference with its sign, as typesetters do."""
    return f"{value:+.{digits}f}".replace("-", "−")


def _rows(content: ReportContent) -> list[_Row]:
    import numpy as np

    columns = [100 * column for one in content.systems for column in (one.exact_match, one.f1)]
    estimates = mean_estimates(np.stack(columns, axis=1))
    rows = []
    for place, one in enumerate(content.systems):
        found, lengths = reliability_of(one), predicted_lengths(one)
        known = one.probabilities[~np.isnan(one.probabilities)]
        rows.append(
            _Row(
                name=one.name,
                exact_match=estimates[2 * place],
                f1=estimates[2 * place + 1],
                probability=100 * float(known.mean()) if len(known) else None,
                error=found.error if found else None,
                outcomes=tuple(np.bincount(one.outcomes, minlength=len(OUTCOMES)).tolist()),
                length=lengths.mean if lengths else None,
                description=one.system.description,
            )
        )
    return rows


def _plain(content: ReportContent) -> list[tuple[str, list[dict[str, Any]]]]:
    """The questions that are readable without JavaScript, by article, in the data's order."""
    questions = content.questions
    titles = questions.data.titles.to_pylist()
    paragraphs = questions.data.paragraphs.tolist()
    gold = questions.gold_spans.tolist()
    shown = []
    for row in sorted(content.chosen[:PLAIN]):
        context = questions.context_of(row)
        start, end = gold[row]
        shown.append(
            {
                "title": titles[paragraphs[row]],
                "question": questions.texts[row],
                "gold": list(dict.fromkeys(questions.references[row])),
                "around": _around(context, start, end) if start >= 0 else [],
                "answers": [_answer(one, row) for one in content.systems],
            }
        )
    return [(title, list(some)) for title, some in groupby(shown, lambda one: one["title"])]


def _answer(system: ScoredSystem, row: int) -> dict[str, Any]:
    probability = float(system.probabilities[row])
    return {
        "name": system.name,
        "text": system.texts[row],
        "outcome": OUTCOMES[int(system.outcomes[row])],
        "f1": 100 * float(system.f1[row]),
        "probability": None if probability != probability else 100 * probability,
    }


def _around(context: str, start: int, end: int) -> Sequence[_Piece]:
    """The text around an answer, with the answer marked."""
    before, after = context[max(0, start - AROUND) : start], context[end : end + AROUND]
    left = "…" if start > AROUND else ""
    right = "…" if end + AROUND < len(context) else ""
    return [
        _Piece(left + before, False),
        _Piece(context[start:end], True),
        _Piece(after + right, False),
    ]
