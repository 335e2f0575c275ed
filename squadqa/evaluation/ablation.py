"""Ablations of feature groups: the record of measured and published scores, and its JSON file.

`squadqa.evaluation.ablation_report` makes a table and a plot of it.

Reference: Rajpurkar et al. 2016 (arXiv 1606.05250), table 6.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from squadqa.errors import DataError, OutputError
from squadqa.evaluation.results import require_fields
from squadqa.files import OWN, input_error, write_atomic

FILE = "ablation.json"

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


@dataclass(frozen=True)
class Variant:
    """A training without some feature groups, and its scores.

    Args:
        without: The groups left out, in the configuration's order; empty for the whole model.
        exact_match: Official exact match on the test part, in percent.
        f1: Official F1 on the test part, in percent.
        val_f1: F1 of the chosen epoch on the validation questions, in percent.
        total: Number of test questions.
        parameters: Number of trained parameters.
        training_minutes: Time of the training steps, in minutes.
        minutes: Time of everything, in minutes; for the first variant this includes reading the
            data.
        commit: The code's commit, as `squadqa.provenance.commit` gives it.
        hardware: The machine, as `squadqa.provenance.hardware` gives it.
        device: The device that the model ran on, such as "cpu".

    Raises:
        DataError: A field is of another type.
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

    def __post_init__(self) -> None:
        require_fields(self)

    @property
    def name(self) -> str:
        """The groups left out, in words."""
        return variant_name(self.without)

    @property
    def published_f1(self) -> float | None:
        """The paper's F1 without the same groups, in percent; None if the paper has none."""
        return PUBLISHED_F1.get(frozenset(self.without))


@dataclass(frozen=True)
class Ablation:
    """The variants of a configuration that have been trained so far.

    Args:
        config_files: The configuration's files, as the user named them.
        config: Its content, by section.
        data: The sources of train and test questions.
        seed: The random seed, the same for all variants.
        variants: The variants, in the order of their training.

    Raises:
        DataError: A field is of another type.
    """

    config_files: str
    config: dict[str, Any]
    data: str
    seed: int
    variants: tuple[Variant, ...] = ()

    def __post_init__(self) -> None:
        require_fields(self)

    def with_variant(self, variant: Variant) -> "Ablation":
        """Return the ablation with one more variant."""
        return replace(self, variants=(*self.variants, variant))

    @property
    def done(self) -> set[frozenset[str]]:
        """The groups left out by each variant that has been trained."""
        return {frozenset(variant.without) for variant in self.variants}

    @property
    def ranked(self) -> list[Variant]:
        """The variants: the whole model first, then by how much F1 each costs."""
        return sorted(self.variants, key=lambda variant: (bool(variant.without), variant.f1))

    def change(self, variant: Variant) -> float | None:
        """A variant's F1 minus that of the whole model, in points.

        Args:
            variant: One of the variants.

        Returns:
            The difference; None for the whole model, or if that has not been trained.
        """
        whole = next((one.f1 for one in self.variants if not one.without), None)
        return variant.f1 - whole if whole is not None and variant.without else None


def variant_name(without: tuple[str, ...]) -> str:
    """The groups left out, in words.

    Args:
        without: Their names.
    """
    return " + ".join(without) or "nothing"


def write_ablation(folder: Path, ablation: Ablation) -> None:
    """Write the measurements and the figures derived from them as `ablation.json`.

    Args:
        folder: The ablation's folder.
        ablation: The measurements.

    Raises:
        OutputError: It cannot be written.
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


def read_ablation(folder: Path) -> Ablation:
    """Read the measurements so far.

    Args:
        folder: The ablation's folder.

    Raises:
        DataError: Its `ablation.json` cannot be read, or is none.
    """
    path = folder / FILE
    names = [field.name for field in fields(Variant)]
    next_step = "Remove it to start again, or name another folder with --output."
    try:
        values = json.loads(path.read_bytes())
        variants = [
            Variant(**{name: _as_tuple(row[name]) for name in names})
            for row in values.pop("variants")
        ]
        return Ablation(**values, variants=tuple(variants))
    except OSError as error:
        raise input_error(path, error) from error
    except DataError as error:
        raise DataError(f'"{path}": {error.what}', hint=error.hint, next_step=next_step) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(
            f'"{path}" is not an ablation: {type(error).__name__} {error}', next_step=next_step
        ) from error


def _as_tuple(value: Any) -> Any:
    """Return a value with a tuple where JSON, which has none, has a list."""
    return tuple(value) if isinstance(value, list) else value


def open_ablation(folder: Path, ablation: Ablation) -> Ablation:
    """Continue the ablation of a folder, if it is one of the same configuration.

    Args:
        folder: The ablation's folder, which need not exist.
        ablation: The ablation to make, without variants.

    Returns:
        The measurements so far.

    Raises:
        DataError: The folder's `ablation.json` cannot be read.
        OutputError: The folder contains another configuration's ablation, or other files.
    """
    next_step = "Name another folder with --output."
    if not (folder / FILE).exists():
        if folder.exists() and (not folder.is_dir() or _holds_files(folder)):
            raise OutputError(f'"{folder}" exists and is not an ablation', next_step=next_step)
        return ablation
    found = read_ablation(folder)
    if found.config != ablation.config:
        there, here = _flat(found.config), _flat(ablation.config)
        key = next(key for key in {**here, **there} if there.get(key) != here.get(key))
        raise OutputError(
            f'"{folder}" is the ablation of another configuration',
            hint=f"{key} is {there.get(key)} there and {here.get(key)} here.",
            next_step=next_step,
        )
    return found


def _holds_files(folder: Path) -> bool:
    """Return whether a folder has files besides what a killed ablation left before its first."""
    return any(not path.name.startswith(OWN) for path in folder.iterdir())


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of nested sections by their dotted names."""

    def walk(name: str, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                yield from walk(f"{name}.{key}" if name else key, inner)
        else:
            yield name, value

    return dict(walk("", values))
