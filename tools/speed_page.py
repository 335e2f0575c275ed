"""The tables of docs/speed.md, from the benchmarks and timed trainings of results/.

`python tools/speed_page.py` brings the page up to date: what stands between its two markers is made
of results/speed/*.json, which `squadqa bench --output` writes, and of the results that
`squadqa train --until-f1` wrote. The rest of the page is written by hand.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from made_pages import markdown_table, replace_between, rewrite, run

from squadqa.benchmark.record import PHASES, Benchmark, Latency, ModelSpeed, read_benchmark
from squadqa.errors import DataError
from squadqa.evaluation.results import FOLDER, Result, read_results

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path("docs/speed.md")
BENCHMARKS = Path(FOLDER, "speed")
BEGIN = "<!-- speed:begin -->"
END = "<!-- speed:end -->"


@dataclass(frozen=True)
class Anchor:
    """A figure of others, or of an earlier version, to compare ours with.

    Args:
        what: What was measured.
        figure: The figure with its unit.
        where: The device.
        source: Who measured it.
    """

    what: str
    figure: str
    where: str
    source: str


ANCHORS = (
    Anchor(
        "training to dev F1 75",
        "18.8 min",
        "one GTX 1080 Ti",
        "FastFusionNet, Wu et al. 2019, arXiv 1902.11291, the record of DAWNBench",
    ),
    Anchor("training to dev F1 80", "70 min", "one GTX 1080 Ti", "FastFusionNet, as above"),
    Anchor(
        "training of DrQA",
        "13 questions/s",
        "two cores of an AMD EPYC",
        "a public PyTorch implementation, measured by us",
    ),
)


def speed_tables(benchmarks: Iterable[Benchmark], results: Iterable[Result]) -> str:
    """Show benchmarks, timed trainings and the figures of others as GitHub markdown.

    Args:
        benchmarks: The benchmarks, in order.
        results: Measured results; those of trainings to a score are shown.
    """
    parts = [_benchmark(one) for one in benchmarks] or ["Nothing has been measured yet."]
    timed = sorted((one for one in results if one.until_f1 is not None), key=lambda one: one.name)
    parts.append("## Time to a score")
    if timed:
        head = ("training", "F1", "seconds", "questions/s", "machine", "command")
        parts.append(markdown_table(head, "lrrrll", map(_timed, timed)))
    else:
        parts.append("No training has been timed to a score yet.")
    parts.append("## Figures of others")
    rows = [(one.what, one.figure, one.where, one.source) for one in ANCHORS]
    parts.append(markdown_table(("what", "figure", "device", "source"), "lrll", rows))
    return "\n\n".join(parts)


def replace_tables(text: str, tables: str) -> str:
    """Put tables between the page's two markers.

    Args:
        text: The page's text.
        tables: The tables.

    Raises:
        DataError: The text has not each marker once, in order.
    """
    lacks = "the page has no place for the tables of speed"
    return replace_between(text, BEGIN, END, f"\n{tables}\n", lacks=lacks)


def page(root: Path) -> str:
    """Give the page as it should be.

    Args:
        root: The repository's folder.

    Raises:
        DataError: The page cannot be read or lacks the markers, or a file of results/ is something
            else.
    """
    benchmarks = [read_benchmark(path) for path in sorted((root / BENCHMARKS).glob("*.json"))]
    try:
        text = (root / PAGE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'cannot read "{root / PAGE}": {error}') from error
    return replace_tables(text, speed_tables(benchmarks, read_results(root / FOLDER)))


def _benchmark(one: Benchmark) -> str:
    machine = one.hardware if one.device == "cpu" else f"{one.device}, {one.hardware}"
    facts = [
        f"{machine}; {one.threads} thread(s); torch {one.torch}; commit {one.commit[:7]}"
        + ("-dirty" if one.commit.endswith("-dirty") else ""),
        f"`{one.command}`",
        one.notes,
        *dict.fromkeys(speed.notes for speed in one.models),
    ]
    head = ["model", "batch", "training", "of bare RNN", *PHASES, "idle"]
    head += ["evaluation", "one question, ms", "one answer, ms", "memory, GiB"]
    rows = map(_speed, one.models)
    title = f"## {one.device if one.device != 'cpu' else 'CPU'}, {one.data}"
    shown = "; ".join(fact.rstrip(".") for fact in facts if fact)
    return f"{title}\n\n{shown}.\n\n" + markdown_table(head, "l" + "r" * (len(head) - 1), rows)


def _speed(speed: ModelSpeed) -> Sequence[str]:
    memory = [speed.memory_gib, speed.device_memory_gib]
    return (
        speed.model,
        f"{speed.batch_size}" + ("" if speed.precision == "32-true" else f", {speed.precision}"),
        f"{speed.training_per_second:,.0f}",
        f"{100 * speed.of_bare_rnn:,.0f} %",
        *(f"{100 * speed.shares[phase]:.0f} %" for phase in PHASES),
        f"{100 * speed.idle:.0f} %",
        f"{speed.evaluation_per_second:,.0f}",
        _latency(speed.reading),
        _latency(speed.answering),
        " + GPU ".join(f"{gib:.1f}" for gib in memory if gib is not None),
    )


def _latency(latency: Latency | None) -> str:
    return "" if latency is None else f"{latency.median_ms:.1f} ({latency.slow_ms:.1f})"


def _timed(result: Result) -> Sequence[str]:
    seconds, rate = result.seconds_to_f1, result.examples_per_second
    return (
        f"[{result.name}](../{FOLDER}/{result.name}.json)",
        f"{result.until_f1:g}",
        "not reached" if seconds is None else f"{seconds:,.0f}",
        "" if rate is None else f"{rate:,.0f}",
        result.hardware if result.device == "cpu" else f"{result.device}, {result.hardware}",
        f"`{result.command}`",
    )


def main() -> int:
    """Bring this repository's page up to date."""
    return run(lambda root: rewrite({root / PAGE: page(root)}), ROOT)


if __name__ == "__main__":
    sys.exit(main())
