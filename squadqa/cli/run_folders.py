"""Run folders: which one, what is checked before the work, and what is written after it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from squadqa.errors import CheckpointError, OutputError
from squadqa.evaluation.predictions import write_predictions
from squadqa.evaluation.results import NAME, Result, result_json
from squadqa.files import output_error, write_atomic
from squadqa.inference.run_folder import CHECKPOINTS, RUNS_FOLDER
from squadqa.training.processes import is_first_process

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
            file.write(result_json(result))
    write_predictions(folder / PREDICTIONS, predictions)


def choose_run_folder(named: str | None, configs: Sequence[str], *, is_new: bool) -> Path:
    """Choose the folder of a run.

    Args:
        named: The folder that the user named, if any.
        configs: The configuration files; the first one's name is the run's where none is given.
        is_new: Whether the folder is to be made: a number makes its name a new one. Of several
            processes the first one's choice counts, and the others' is never used.

    Raises:
        OutputError: The user named a folder for a new run, and it exists.
    """
    if named is not None:
        folder = Path(named)
        if is_new and is_first_process():
            go_on = f"Go on with it (squadqa train --resume {folder})"
            require_new(folder, next_step=f"{go_on}, or name another.")
        return folder
    name = Path(configs[0]).stem if configs else "run"
    folder, number = Path(RUNS_FOLDER) / name, 1
    while is_new and folder.exists():
        number += 1
        folder = Path(RUNS_FOLDER) / f"{name}-{number}"
    return folder


def find_run_checkpoint(folder: Path, *names: str) -> Path:
    """Find the first of a run's checkpoints that is there.

    Args:
        folder: The run folder.
        names: Names of checkpoints.

    Raises:
        CheckpointError: None of them is there.
    """
    paths = [folder / CHECKPOINTS / name for name in names]
    for path in paths:
        if path.is_file():
            return path
    raise CheckpointError(
        f'there is no checkpoint "{paths[-1]}"',
        next_step="Name the run with --run RUN_FOLDER or a file with --ckpt_path; a new run "
        "starts with fit.",
    )
