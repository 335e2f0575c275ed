"""The lock of a folder: one training or ablation at a time, new or resumed."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from squadqa.errors import OutputError
from squadqa.files import OWN, PREFIX, is_locked, locked, output_error, remove_leftovers
from squadqa.run_files import CHECKPOINTS, LOGS, ORIGIN, WANDB
from squadqa.training.processes import is_first_process

LOCK = f"{OWN}.lock"
"""The lock's file. It says who trains, and a killed training leaves it, without a lock on it."""

BEFORE_CONFIG = {LOCK, ORIGIN, LOGS, WANDB}
"""What a training writes before its configuration, which makes a folder a run."""


def is_free(folder: Path) -> bool:
    """Return whether a new run may take a folder.

    That is so if nothing is there, or an empty folder, or only what a training left that was killed
    before it had written its configuration.

    Args:
        folder: The run folder.

    Raises:
        OutputError: The folder cannot be read, or its name is too long.
    """
    try:
        names = set(os.listdir(folder))
    except FileNotFoundError:
        return True
    except OSError as error:
        if isinstance(error, NotADirectoryError) and folder.exists():
            return False
        raise output_error(folder, error) from error
    if not names:
        return True
    return LOCK in names and _are_of_a_start(names) and not is_locked(folder / LOCK)


@contextmanager
def hold_run(folder: Path, *, is_new: bool, next_step: str = "") -> Iterator[None]:
    """Keep other trainings out of a run folder, and remove what killed processes left in it.

    Of several processes of one training, the first one does this. The lock ends with its process,
    however that ends.

    Args:
        folder: The run folder; a new run's is made if missing.
        is_new: Whether a new run begins, which takes only a free folder.
        next_step: The advice if the folder is not free.

    Raises:
        OutputError: The folder is not free, another training holds it, or it cannot be written.
    """
    if not is_first_process() or not (is_new or folder.is_dir()):
        yield
        return
    with hold_folder(folder, next_step="Wait until it ends, stop it, or train another run folder."):
        if is_new:
            _require_new(folder, next_step)
        remove_leftovers(folder, folder / CHECKPOINTS, *folder.glob(f"{LOGS}/*"))
        yield


@contextmanager
def hold_folder(folder: Path, *, next_step: str) -> Iterator[None]:
    """Keep other trainings and ablations out of a folder, which is made if missing.

    The lock ends with its process, however that ends.

    Args:
        folder: The folder.
        next_step: The advice if another process holds it.

    Raises:
        OutputError: Another process holds it, or it cannot be written.
    """
    made: list[Path] = []
    try:
        with ExitStack() as stack:
            try:
                made = [path for path in (folder, *folder.parents) if not path.exists()]
                folder.mkdir(parents=True, exist_ok=True)
                content = f"process {os.getpid()} on {socket.gethostname()}\n"
                stack.enter_context(locked(folder / LOCK, wait=False, content=content))
            except BlockingIOError as error:
                raise OutputError(
                    f'"{folder}" is being trained by {_holder(folder)}', next_step=next_step
                ) from error
            except OSError as error:
                raise output_error(folder, error) from error
            yield
    finally:
        for path in made:  # those that are still empty, as the work could not begin
            with suppress(OSError):
                path.rmdir()


def _require_new(folder: Path, next_step: str) -> None:
    """Remove what a killed training left before it was a run; refuse anything else."""
    try:
        names = set(os.listdir(folder))
        if not _are_of_a_start(names):
            raise OutputError(f'the run folder "{folder}" exists', next_step=next_step)
        for path in (folder / name for name in names & (BEFORE_CONFIG - {LOCK})):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError as error:
        raise output_error(folder, error) from error


def _are_of_a_start(names: set[str]) -> bool:
    return all(name in BEFORE_CONFIG or name.startswith(PREFIX) for name in names)


def _holder(folder: Path) -> str:
    """Return who holds the lock, as far as the lock's file says so."""
    with suppress(OSError, UnicodeDecodeError):
        if text := (folder / LOCK).read_text(encoding="utf-8").strip():
            return " ".join(text.split())[:200]
    return "another process"
