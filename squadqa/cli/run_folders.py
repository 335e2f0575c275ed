"""Run folders: their choice, checks before the work, and files written after it."""

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from squadqa.errors import CheckpointError, OutputError
from squadqa.evaluation.predictions import write_predictions
from squadqa.evaluation.results import NAME, Result, result_json
from squadqa.files import output_error, write_atomic
from squadqa.inference.resuming import names_to_trust
from squadqa.inference.run_folder import read_config
from squadqa.run_files import (
    BEST,
    CHECKPOINTS,
    CONFIG,
    LAST,
    ORIGIN,
    PREDICTIONS,
    RESULTS,
    RUNS_FOLDER,
)
from squadqa.training.processes import is_first_process


def require_new(folder: Path, *, next_step: str) -> None:
    """Check that a new run may take a folder (see `squadqa.training.run_lock.is_free`).

    Args:
        folder: The run folder.
        next_step: The advice if it exists.

    Raises:
        OutputError: It may not, or the folder cannot be read.
    """
    from squadqa.training.run_lock import is_free

    if not is_free(folder):
        raise OutputError(f'the run folder "{folder}" exists', next_step=next_step)


def require_name(folder: Path, *, next_step: str = "Name another folder with --run.") -> None:
    """Check before the work that a run folder's name can also be that of its result.

    Args:
        folder: The run folder.
        next_step: The advice if it cannot.

    Raises:
        OutputError: It cannot.
    """
    if NAME.fullmatch(folder.name):
        return
    raise OutputError(
        f'the run folder cannot be called "{folder.name}"',
        hint='It is also the name of a result: letters, digits, ".", "_" and "-".',
        next_step=next_step,
    )


def require_writable(folder: Path) -> None:
    """Check before the work that files can be made in a folder; leave nothing there.

    Args:
        folder: The folder, which is made and removed again if it does not exist.

    Raises:
        OutputError: It cannot be made, or no file in it.
    """
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
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
        configs: The configuration files; the first one's name is the default name of the run. If it
            is a run's, that run is meant, and a new one is named after it.
        is_new: Whether to make a new folder, with a number if the name is taken. With several
            processes only the first one's choice is used.

    Raises:
        OutputError: The user named a folder for a new run, and it exists.
    """
    if named is not None:
        folder = Path(named)
        if is_new and is_first_process():
            require_new(folder, next_step=resume_or_other(folder))
        return folder
    from squadqa.training.run_lock import is_free

    first = Path(configs[0]) if configs else Path("run")
    name = first.stem
    if first.name == CONFIG and (first.parent / CHECKPOINTS).is_dir():
        if not is_new:
            return first.parent
        name = first.resolve().parent.name
    folder, number = Path(RUNS_FOLDER) / name, 1
    while is_new and not is_free(folder):
        number += 1
        folder = Path(RUNS_FOLDER) / f"{name}-{number}"
    return folder


def resume_or_other(folder: Path) -> str:
    """Return the advice about a run folder that exists."""
    return f"Resume it (squadqa train --resume {folder}), or name another by --run FOLDER."


def resume_line(folder: Path) -> str:
    """Write the command that resumes a training, with what needs the user's word each time.

    Args:
        folder: The folder of a run that this process has trained.
    """
    line = ["squadqa", "train", "--resume", str(folder), *trust_options(folder)]
    if read_config(folder / CONFIG).get("wandb") == "online":
        line += ["--wandb", "online"]
    return shlex.join(line)


def trust_options(folder: Path) -> list[str]:
    """List the options `--trust NAME` that a run needs which this process has trained."""
    return [word for name in names_to_trust(folder) for word in ("--trust", name)]


def find_last_checkpoint(folder: Path) -> Path | None:
    """Find the checkpoint to resume a run from.

    Args:
        folder: The run folder.

    Returns:
        The checkpoint; None if the training was killed before it had saved one, so that it begins
        again with its first step.

    Raises:
        CheckpointError: There is none, though there was one.
    """
    from squadqa.training.run_lock import LOCK

    kept = folder / CHECKPOINTS
    has_begun = (folder / ORIGIN).is_file() and not (folder / RESULTS).exists()
    was_killed = (folder / LOCK).exists() or not (kept / BEST).exists()
    if has_begun and was_killed and not (kept / LAST).exists():
        return None
    return find_run_checkpoint(folder, LAST)


def find_run_checkpoint(folder: Path, *names: str) -> Path:
    """Find the first of a run's checkpoints that exists.

    Args:
        folder: The run folder.
        names: Names of checkpoints.

    Raises:
        CheckpointError: None of them exists.
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
