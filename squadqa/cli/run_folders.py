"""Run folders: their choice, checks before the work, and files written after it."""

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
    """Check that a run folder does not exist yet.

    Args:
        folder: The run folder.
        next_step: The advice if it exists.

    Raises:
        OutputError: It exists.
    """
    if folder.exists():
        raise OutputError(f'the run folder "{folder}" exists', next_step=next_step)


def require_name(folder: Path) -> None:
    """Check before the work that a run folder's name can also be that of its result.

    Args:
        folder: The run folder.

    Raises:
        OutputError: It cannot.
    """
    if NAME.fullmatch(folder.name):
        return
    raise OutputError(
        f'the run folder cannot be called "{folder.name}"',
        hint='It is also the name of a result: letters, digits, ".", "_" and "-".',
        next_step="Name another folder with --run.",
    )


def require_writable(folder: Path) -> None:
    """Check before the work that a folder can be made: make it and remove it again.

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
    """Write a run's answers and their scores.

    Args:
        folder: The run folder.
        result: The result; None if the data has no answers to score against.
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
        configs: The configuration files; the first one's name is the default name of the run.
        is_new: Whether to make a new folder, with a number if the name is taken. With several
            processes only the first one's choice is used.

    Raises:
        OutputError: The user named a folder for a new run, and it exists.
    """
    if named is not None:
        folder = Path(named)
        if is_new and is_first_process():
            can_resume = (folder / CHECKPOINTS / "last.ckpt").is_file()
            choice = f"Resume it (squadqa train --resume {folder})" if can_resume else "Remove it"
            require_new(folder, next_step=f"{choice}, or name another.")
        return folder
    name = Path(configs[0]).stem if configs else "run"
    folder, number = Path(RUNS_FOLDER) / name, 1
    while is_new and folder.exists():
        number += 1
        folder = Path(RUNS_FOLDER) / f"{name}-{number}"
    return folder


def find_run_checkpoint(
    folder: Path,
    *names: str,
    next_step: str = "Name the run with --run RUN_FOLDER or a file with --ckpt_path; a new run "
    "starts with fit.",
) -> Path:
    """Find the first of a run's checkpoints that exists.

    Args:
        folder: The run folder.
        names: Names of checkpoints.
        next_step: What the user can do if there is none.

    Raises:
        CheckpointError: None of them exists.
    """
    paths = [folder / CHECKPOINTS / name for name in names]
    for path in paths:
        if path.is_file():
            return path
    raise CheckpointError(f'there is no checkpoint "{paths[-1]}"', next_step=next_step)
