"""Measured results: the record of a result and its JSON file.

One file, as a record and its file have the same fields.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from squadqa import provenance
from squadqa.errors import DataError, did_you_mean, shown
from squadqa.files import write_atomic

FOLDER = "results"
"""Folder of measured results, in a checkout."""

NAME = re.compile(r"\w[\w.-]*")
"""Pattern of a result's name, which is also the name of its file."""

OPTIONAL = ("until_f1", "seconds_to_f1", "v2")
"""Fields that only the files of some results have."""


@dataclass(frozen=True)
class Result:
    """The measurements of one run, and everything needed to repeat them.

    Args:
        name: Name of the row and of its file: letters, digits, ".", "_" and "-".
        configs: The configuration files, as the user named them, in order; empty if there are none.
        overrides: Further changes to the configuration: values by dotted name, as plain JSON
            values.
        command: The command line that repeats the measurement.
        data: The data source, such as "squad".
        split: The part of it that was scored, such as "dev".
        total: Number of questions scored.
        seed: The run's random seed.
        commit: The code's commit, as `squadqa.provenance.commit` gives it.
        hardware: The machine, as `squadqa.provenance.hardware` gives it.
        device: The device that the model ran on, such as "cpu".
        vectors: The source of the word vectors; empty without vectors.
        budget_minutes: The training time allowed, in minutes; None without a limit.
        minutes: Training time in minutes, without preparation; for an ensemble the sum over its
            members. None if nothing was trained.
        epochs: Passes over the training data, with fractions; None if nothing was trained.
        examples_per_second: Training rate, in questions per second; None if nothing was trained.
        parameters: Number of trained parameters.
        exact_match: Official exact match, in percent.
        f1: Official F1, in percent.
        notes: Anything else that a reader of the row should know; may be empty.
        until_f1: The F1 on dev, in percent, at which training was to end; None without one. Only
            files of such trainings have this field and the next.
        seconds_to_f1: Seconds from the first step to the evaluation that reached it, evaluations
            included; None if none did.
        v2: Of a run that may abstain: its scores by the rule of SQuAD v2.0, under the official
            names, which `exact_match` and `f1` repeat; its "threshold", and further scores. Empty
            for any other run, and then not in its file.

    Raises:
        DataError: A field is of another type or out of its range.
    """

    name: str
    configs: tuple[str, ...]
    overrides: dict[str, Any]
    command: str
    data: str
    split: str
    total: int
    seed: int
    commit: str
    hardware: str
    device: str
    vectors: str
    budget_minutes: float | None
    minutes: float | None
    epochs: float | None
    examples_per_second: float | None
    parameters: int
    exact_match: float
    f1: float
    notes: str
    until_f1: float | None = None
    seconds_to_f1: float | None = None
    v2: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_fields(self)
        for name in ("exact_match", "f1", "until_f1"):
            if (getattr(self, name) or 0) > 100:
                raise DataError(f'"{name}" is {getattr(self, name)}', hint="It is in percent.")
        if not NAME.fullmatch(self.name):
            raise DataError(f'"name" is "{self.name}"', hint="It should serve as a file name.")


def measured(
    name: str,
    *,
    command: str,
    data: str,
    total: int,
    seed: int,
    device: str,
    parameters: int,
    exact_match: float,
    f1: float,
    split: str = "dev",
    configs: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    vectors: str = "",
    budget_minutes: float | None = None,
    minutes: float | None = None,
    epochs: float | None = None,
    examples_per_second: float | None = None,
    notes: str = "",
    until_f1: float | None = None,
    seconds_to_f1: float | None = None,
    v2: Mapping[str, float] | None = None,
    commit: str | None = None,
    hardware: str | None = None,
) -> Result:
    """Make the result of a measurement that was just made.

    The other arguments are the fields of `Result` with the same names; leave out minutes, epochs
    and rate if nothing was trained.

    Args:
        name: The row's name.
        commit: The code's commit at the beginning of the work; None takes the current one.
        hardware: The machine at the beginning of the work; None takes this one.

    Raises:
        DataError: A value is of another type or out of its range.
    """
    return Result(
        name=name,
        configs=tuple(configs),
        overrides=dict(overrides or {}),
        command=command,
        data=data,
        split=split,
        total=total,
        seed=seed,
        commit=provenance.commit() if commit is None else commit,
        hardware=provenance.hardware() if hardware is None else hardware,
        device=device,
        vectors=vectors,
        budget_minutes=budget_minutes,
        minutes=minutes,
        epochs=epochs,
        examples_per_second=examples_per_second,
        parameters=parameters,
        exact_match=exact_match,
        f1=f1,
        notes=notes,
        until_f1=until_f1,
        seconds_to_f1=seconds_to_f1,
        v2=dict(v2 or {}),
    )


def require_fields(record: Any) -> None:
    """Check the fields of a record that becomes a result, or a part of one.

    Args:
        record: A data class. Fields whose types are none of those of `Result` are not checked.

    Raises:
        DataError: A field is of another type or out of its range.
    """
    for each in fields(record):
        value = getattr(record, each.name)
        is_valid, expected = _CHECKS.get(each.type, _ANYTHING)
        if not is_valid(value):
            raise DataError(f'"{each.name}" is {shown(value)}', hint=f"It should be {expected}.")


def result_json(result: Result) -> str:
    """Return a result as the text of its JSON file, one field per line.

    Args:
        result: The result.
    """
    values = asdict(result)
    absent = [] if result.until_f1 is not None else ["until_f1", "seconds_to_f1"]
    absent += [] if result.v2 else ["v2"]
    values = {name: value for name, value in values.items() if name not in absent}
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def write_result(folder: str | Path, result: Result) -> Path:
    """Write a result as NAME.json.

    Args:
        folder: The folder of results.
        result: The result.

    Returns:
        The file.

    Raises:
        OutputError: The file cannot be written.
    """
    path = Path(folder) / f"{result.name}.json"
    with write_atomic(path) as file:
        file.write(result_json(result))
    return path


def read_result(path: str | Path) -> Result:
    """Read a result.

    Args:
        path: Its JSON file, which may have any name.

    Raises:
        DataError: The file is not a result: it is not JSON, or a field is missing, unknown, of
            another type or out of its range.
    """
    try:
        return _parsed(json.loads(Path(path).read_bytes()))
    except DataError as error:
        raise DataError(f'result "{path}": {error.what}', hint=error.hint) from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f'result "{path}" cannot be read as JSON: {error}') from error


def read_results(folder: str | Path) -> list[Result]:
    """Read every result of a folder, in the order of their names.

    Args:
        folder: The folder of results.

    Raises:
        DataError: The folder is missing, or a file in it is not a result or has another name than
            its result.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(
            f'there is no folder of results "{folder}"', next_step="Name a folder that exists."
        )
    results = {path: read_result(path) for path in sorted(folder.glob("*.json"))}
    for path, result in results.items():
        if result.name != path.stem:
            raise DataError(
                f'result "{path}": "name" is "{result.name}"', hint="It should be the file's name."
            )
    return list(results.values())


def _parsed(values: Any) -> Result:
    if not isinstance(values, dict):
        raise DataError("not a JSON object")
    known = [each.name for each in fields(Result)]
    for name in values:
        if name not in known:
            raise DataError(f'unknown field "{name}"', hint=did_you_mean(name, known))
    missing = [f'"{name}"' for name in known if name not in values and name not in OPTIONAL]
    if missing:
        raise DataError(f"without {', '.join(missing)}")
    if isinstance(configs := values["configs"], list):  # JSON has no tuples
        values = {**values, "configs": tuple(configs)}
    return Result(**values)


def _is_text(value: Any) -> bool:
    """Return whether a value is a text that a file can hold: without half surrogate pairs."""
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 <= value < math.inf


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value)


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(_is_text(one) and one for one in value)


def _are_plain_values(value: Any) -> bool:
    """Return whether JSON keeps the values unchanged, and their names have no white space."""
    if not isinstance(value, dict):
        return False
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        same: bool = json.loads(text.encode()) == value
    except (TypeError, ValueError, RecursionError):
        return False
    return same and all(name and name == "".join(name.split()) for name in value)


_ANYTHING: tuple[Callable[[Any], bool], str] = (lambda value: True, "")

_CHECKS: dict[Any, tuple[Callable[[Any], bool], str]] = {
    str: (_is_text, "a text"),
    int: (_is_count, "a whole number, 0 or more"),
    float: (_is_number, "a number, 0 or more"),
    float | None: (_is_number_or_none, "a number, 0 or more, or null"),
    tuple[str, ...]: (_are_texts, "a list of file names"),
    dict[str, Any]: (_are_plain_values, "values as JSON has them, by dotted name"),
}
