"""Make run folders: what is checked before the work, and what is written behind it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from squadqa.errors import OutputError
from squadqa.evaluation.predictions import write_predictions
from squadqa.evaluation.results import NAME, Result
from squadqa.files import output_error, write_atomic

RESULTS = "results.json"
PREDICTIONS = "predictions.json"


def require_new(folder: Path, *, next_step: str) -> None:
    """Make sure that there is no such run folder yet.

    Args:
        folder: The run folder.
        next_step: What to do if there is.

    Raises:
        OutputError: There is.
    """
    if folder.exists():
        raise OutputError(f'the run folder "{folder}" exists', next_step=next_step)


def require_name(folder: Path) -> None:
    """Make sure that a run's results can be told by its folder's name: it shows before the work.

    Args:
        folder: The run folder.

    Raises:
        OutputError: They cannot.
    """
    if NAME.fullmatch(folder.name):
        return
    raise OutputError(
        f'the run folder cannot be called "{folder.name}"',
        hint='Its name is that of a file of results: letters, digits, ".", "_" and "-".',
        next_step="Name another with --run.",
    )


def require_writable(folder: Path) -> None:
    """Make a folder and remove it again: a mistake in its name shows before the work.

    Args:
        folder: The folder, which does not exist.

    Raises:
        OutputError: It cannot be made.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True)
        for path in missing:
            path.rmdir()
    except OSError as error:
        raise output_error(folder, error) from error


def write_scored(folder: Path, result: Result | None, predictions: Mapping[str, str]) -> None:
    """Write what a run answered and what that scored.

    Args:
        folder: The run folder.
        result: What was measured; None where the data has no answers to score against.
        predictions: The predicted text by question id.

    Raises:
        OutputError: A file cannot be written.
    """
    if result:
        with write_atomic(folder / RESULTS) as file:
            json.dump(asdict(result), file, indent=1)
    write_predictions(folder / PREDICTIONS, predictions)
