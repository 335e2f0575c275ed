"""Ablations of feature groups: what was measured, beside what was published.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250), table 6.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from squadqa.errors import DataError, OutputError
from squadqa.files import write_atomic

FILE = "ablation.json"
TABLE = "ablation.md"
PLOT = "ablation.png"

LEXICAL_PAIR = ("lexicalized", "dependency_paths")
"""The two groups that the paper also leaves out together."""

PUBLISHED_F1: dict[frozenset[str], float] = {
    frozenset(without): f1
    for without, f1 in (
        ((), 51.0),
        (LEXICAL_PAIR, 35.8),
        (("lexicalized",), 45.4),
        (("dependency_paths",), 46.4),
        (("matching_words",), 48.1),
        (("tag_sequence",), 49.7),
        (("matching_bigrams",), 50.3),
        (("constituent_label",), 50.4),
        (("lengths",), 50.5),
        (("span_words",), 50.5),
        (("root_match",), 50.6),
    )
}
"""The paper's F1 on SQuAD v1.1 dev, in percent, by the groups left out."""

COLUMNS = ("left out", "EM", "F1", "change", "paper's F1", "paper's change")


@dataclass(frozen=True)
class Variant:
    """What a training without some feature groups came to.

    Args:
        without: The groups left out, in the configuration's order; empty for the whole model.
        exact_match: Official exact match on the test part, in percent.
        f1: Official F1 on the test part, in percent.
        val_f1: F1 of the chosen epoch on the validation questions, in percent.
        total: Number of test questions.
        parameters: Number of trained parameters.
        training_minutes: What its training steps took.
        minutes: What all of it took; for the variant that came first, with reading the data.
        commit: The code's commit, as `squadqa.evaluation.results.commit` gives it.
        hardware: The machine, as `squadqa.evaluation.results.hardware` gives it.
        device: What the model ran on, such as "cpu".
    """

    without: tuple[str, ...]
    exact_match: float
    f1: float
    val_f1: float
    total: int
    parameters: int
    training_minutes: float
    minutes: float
    commit: str
    hardware: str
    device: str

    @property
    def name(self) -> str:
        """The groups left out, in words."""
        return variant_name(self.without)

    @property
    def published_f1(self) -> float | None:
        """The paper's F1 without the same groups, in percent, if it has one."""
        return PUBLISHED_F1.get(frozenset(self.without))


@dataclass(frozen=True)
class Ablation:
    """The variants of a configuration that are trained so far.

    Args:
        config_files: The configuration's files, as they were named.
        config: Its content, by section.
        data: The sources of train and test questions.
        seed: The random seed, the same for all variants.
        variants: What came of each variant.
    """

    config_files: str
    config: dict[str, Any]
    data: str
    seed: int
    variants: tuple[Variant, ...] = ()

    def with_variant(self, variant: Variant) -> "Ablation":
        """Add what came of one more variant."""
        return replace(self, variants=(*self.variants, variant))

    @property
    def done(self) -> set[frozenset[str]]:
        """The groups left out by each variant that is trained."""
        return {frozenset(variant.without) for variant in self.variants}

    @property
    def ranked(self) -> list[Variant]:
        """The whole model first, then what costs most when it is left out."""
        return sorted(self.variants, key=lambda variant: (bool(variant.without), variant.f1))

    def change(self, variant: Variant) -> float | None:
        """Give a variant's F1 less that of the whole model, in points; None without the latter."""
        whole = next((one.f1 for one in self.variants if not one.without), None)
        return variant.f1 - whole if whole is not None and variant.without else None


def variant_name(without: tuple[str, ...]) -> str:
    """Say which groups are left out.

    Args:
        without: Their names.
    """
    return " + ".join(without) or "nothing"


def write_ablation(folder: Path, ablation: Ablation) -> None:
    """Write the figures, as `ablation.json`, and the table, as `ablation.md`.

    Args:
        folder: The ablation's folder.
        ablation: What was measured.

    Raises:
        OutputError: They cannot be written.
    """
    derived = [
        {
            **asdict(variant),
            "change": ablation.change(variant),
            "published_f1": variant.published_f1,
        }
        for variant in ablation.ranked
    ]
    with write_atomic(folder / FILE) as file:
        json.dump({**asdict(ablation), "variants": derived}, file, indent=1)
    with write_atomic(folder / TABLE) as file:
        file.write(markdown(ablation))


def read_ablation(folder: Path) -> Ablation:
    """Read what is measured so far.

    Args:
        folder: The ablation's folder.

    Raises:
        DataError: Its `ablation.json` cannot be read.
    """
    path = folder / FILE
    names = [field.name for field in fields(Variant)]
    try:
        values = json.loads(path.read_bytes())
        variants = [
            Variant(**{name: row[name] for name in names} | {"without": tuple(row["without"])})
            for row in values.pop("variants")
        ]
        return Ablation(**values, variants=tuple(variants))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f'"{path}" holds no ablation: {type(error).__name__} {error}',
            next_step="Remove it to start again, or name another folder with --output.",
        ) from error


def open_ablation(folder: Path, ablation: Ablation) -> Ablation:
    """Go on with the ablation of a folder, if it holds one of the same configuration.

    Args:
        folder: The ablation's folder, which need not exist.
        ablation: What is to be measured, without variants.

    Returns:
        What is measured so far.

    Raises:
        DataError: The folder's `ablation.json` cannot be read.
        OutputError: The folder holds another configuration's ablation, or other files.
    """
    next_step = "Name another folder with --output."
    if not (folder / FILE).exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f'"{folder}" exists and holds no ablation', next_step=next_step)
        return ablation
    found = read_ablation(folder)
    if found.config != ablation.config:
        there, here = _flat(found.config), _flat(ablation.config)
        key = next(key for key in {**here, **there} if there.get(key) != here.get(key))
        raise OutputError(
            f'"{folder}" holds the ablation of another configuration',
            hint=f"{key} is {there.get(key)} there and {here.get(key)} here.",
            next_step=next_step,
        )
    return found


def rows(ablation: Ablation) -> list[tuple[str, ...]]:
    """Lay an ablation out as a table's rows of cells, the heading first.

    Args:
        ablation: What was measured.
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
    """Show an ablation as a page of GitHub markdown.

    Args:
        ablation: What was measured.
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


def plot(path: Path, ablation: Ablation) -> None:
    """Draw a bar of F1 for each variant, the published one beside it.

    Args:
        path: The PNG file to write.
        ablation: What was measured.

    Raises:
        OutputError: The file cannot be written.
    """
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
    axes.margins(x=0.08)  # for the numbers behind the bars
    axes.set_xlabel("F1 in percent")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    with write_atomic(path, mode="wb") as file:
        figure.savefig(file, dpi=150, format="png")


def _points(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}"


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of nested sections by their dotted names."""

    def walk(name: str, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                yield from walk(f"{name}.{key}" if name else key, inner)
        else:
            yield name, value

    return dict(walk("", values))
