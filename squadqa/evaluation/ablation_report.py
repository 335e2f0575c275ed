"""Table and plot of an ablation of feature groups, with the published figures."""

import re
from importlib.util import find_spec
from pathlib import Path

from squadqa.errors import ConfigError
from squadqa.evaluation.ablation import PUBLISHED_F1, Ablation
from squadqa.files import write_atomic

TABLE = "ablation.md"
PLOT = "ablation.png"

COLUMNS = ("left out", "EM", "F1", "change", "paper's F1", "paper's change")


def rows(ablation: Ablation) -> list[tuple[str, ...]]:
    """Return an ablation as the rows of a table, the heading first.

    Args:
        ablation: The measurements.
    """
    whole = PUBLISHED_F1[frozenset()]
    lines: list[tuple[str, ...]] = [COLUMNS]
    for variant in ablation.ranked:
        published = variant.published_f1
        lines.append(
            (
                variant.name,
                f"{variant.exact_match:.1f}",
                f"{variant.f1:.1f}",
                _points(ablation.change(variant)),
                "-" if published is None else f"{published:.1f}",
                _points(published - whole if published and variant.without else None),
            )
        )
    return lines


def markdown(ablation: Ablation) -> str:
    """Return an ablation as a page of GitHub markdown.

    Args:
        ablation: The measurements.
    """
    head, *body = ("| " + " | ".join(row) + " |" for row in rows(ablation))
    rule = "| --- |" + " ---: |" * (len(COLUMNS) - 1)
    minutes = sum(variant.minutes for variant in ablation.variants)
    totals = " or ".join(sorted({f"{variant.total:,}" for variant in ablation.variants}))
    commits = sorted({re.sub(r"^(\w{7})\w*", r"\1", one.commit) for one in ablation.variants})
    machines = sorted({variant.hardware for variant in ablation.variants})
    notes = (
        f"`{ablation.config_files}` on {ablation.data}: {totals} test questions, scored by the "
        f"official rule, in percent. Each variant is trained anew with seed {ablation.seed}; "
        f"{minutes:.0f} minutes for all. {'; '.join(machines)}; commit "
        f"{', '.join(commits)}.\n\n"
        "The paper's F1 is that of Rajpurkar et al. 2016, table 6, on SQuAD v1.1 dev; - where it "
        "leaves no such group out."
    )
    return "\n".join([head, rule, *body]) + f"\n\n{notes}\n"


def write_table(folder: Path, ablation: Ablation) -> None:
    """Write the page as `ablation.md`.

    Args:
        folder: The ablation's folder.
        ablation: The measurements.

    Raises:
        OutputError: It cannot be written.
    """
    with write_atomic(folder / TABLE) as file:
        file.write(markdown(ablation))


def require_plots() -> None:
    """Check that `write_plot` can draw, before there is anything to draw.

    Raises:
        ConfigError: matplotlib, which is an extra, is not installed.
    """
    if find_spec("matplotlib") is None:
        raise ConfigError(
            "the plot of an ablation needs matplotlib, which is not installed",
            next_step='Install it: pip install "squadqa[plots]"',
        )


def write_plot(folder: Path, ablation: Ablation) -> None:
    """Draw the F1 of each variant and the published one as bars, in `ablation.png`.

    Args:
        folder: The ablation's folder.
        ablation: The measurements.

    Raises:
        ConfigError: matplotlib is not installed.
        OutputError: It cannot be written.
    """
    require_plots()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ranked = ablation.ranked
    published = [variant.published_f1 for variant in ranked]
    figure = Figure(figsize=(8, 1.4 + 0.5 * len(ranked)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    ours = axes.barh(
        [place - 0.2 for place in range(len(ranked))],
        [variant.f1 for variant in ranked],
        height=0.38,
        color="#2b6ca3",
        label="squadqa",
    )
    axes.bar_label(ours, fmt="%.1f", padding=3, fontsize=9)
    theirs = axes.barh(
        [place + 0.2 for place, f1 in enumerate(published) if f1 is not None],
        [f1 for f1 in published if f1 is not None],
        height=0.38,
        color="#c9c9c9",
        label="Rajpurkar et al. 2016, SQuAD v1.1 dev",
    )
    axes.bar_label(theirs, fmt="%.1f", padding=3, fontsize=9, color="#666666")
    names = [f"without {variant.name}" if variant.without else "all groups" for variant in ranked]
    axes.set_yticks(range(len(ranked)), names)
    axes.invert_yaxis()
    axes.margins(x=0.08)  # for the numbers at the ends of the bars
    axes.set_xlabel("F1 in percent")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    with write_atomic(folder / PLOT, mode="wb") as file:
        figure.savefig(file, dpi=150, format="png")


def _points(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}"
