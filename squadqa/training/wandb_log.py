"""The log of a training at Weights & Biases: one W&B run for each run folder."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning.loggers.logger import Logger, rank_zero_experiment

from squadqa.errors import CheckpointError, OutputError
from squadqa.files import write_atomic
from squadqa.run_files import WANDB, WANDB_RUN_ID

PROJECT = "squadqa"
"""The W&B project of all runs."""

STEP = "trainer/global_step"
"""The name that Lightning gives to the optimiser step, which W&B draws scores over."""

DATA_FOLDER = "WANDB_DATA_DIR"
"""The environment variable with the folder where W&B keeps files until they are uploaded."""

_ID = re.compile(r"(?!\s)[^/\\#?%:\x00-\x1f\x7f]{1,128}")  # what W&B takes for one


class WandbLog(Logger):
    """Logs scores, tables and the configuration to W&B.

    A resumed training goes on in the W&B run of its run folder. W&B's own step is the optimiser
    step, so that a resumed training's rows come after the earlier ones, even if neither are
    uploaded yet.

    Not Lightning's `WandbLogger`: W&B warns of an option that it always passes, and of the
    environment variable that it sets for offline runs.

    Args:
        folder: The run folder.
        mode: Whether to upload at once, or write files in the run folder to upload later.
    """

    def __init__(self, folder: Path, *, mode: Literal["offline", "online"]) -> None:
        super().__init__()
        self._folder = folder
        self._mode = mode
        self._run: Any = None
        self._step = 0  # of the last row: W&B drops rows of earlier steps

    @property
    def name(self) -> str:
        """The W&B project (called by Lightning)."""
        return PROJECT

    @property
    def version(self) -> str | None:
        """The id of the W&B run; None before it has begun (called by Lightning)."""
        return None if self._run is None else str(self._run.id)

    @property
    def save_dir(self) -> str:
        """The run folder (called by Lightning)."""
        return str(self._folder)

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The W&B run, which begins when it is first needed (called by Lightning).

        Raises:
            OutputError: W&B cannot begin it.
            CheckpointError: Its id, in the run folder, cannot be read.
        """
        if self._run is None:
            self._run = self._begin()
        return self._run

    def _begin(self) -> Any:
        import wandb

        self._folder.mkdir(parents=True, exist_ok=True)  # W&B warns of one that is not there
        # W&B's hints and warnings go to its own log. Its errors are shown.
        wandb.setup(settings=wandb.Settings(show_info=False, show_warnings=False))
        known = read_run_id(self._folder)
        try:
            run = wandb.init(
                project=PROJECT,
                name=self._folder.name,
                dir=self._folder,
                id=known,  # W&B draws a new one
                resume="allow",
                mode=self._mode,
                settings=wandb.Settings(console="off"),
            )
        except wandb.errors.Error as error:
            raise OutputError(
                f"Weights & Biases cannot begin its run: {' '.join(str(error).split())}",
                next_step="Log in with `wandb login`, or train with --wandb offline.",
            ) from error
        if run.id != known:
            with write_atomic(self._folder / WANDB / WANDB_RUN_ID) as file:
                file.write(f"{run.id}\n")
        run.define_metric(STEP)
        run.define_metric("*", step_metric=STEP, step_sync=True)
        return run

    @rank_zero_only
    def log_hyperparams(self, params: Any, *_: Any, **__: Any) -> None:
        """Log the configuration (called by Lightning)."""
        plain = json.loads(json.dumps(dict(params), default=_plain))
        self.experiment.config.update(plain, allow_val_change=True)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log scores of an optimiser step (called by Lightning)."""
        named = {} if step is None else {STEP: step}
        self._step = max(self._step, step or 0)
        self.experiment.log({**metrics, **named}, step=self._step)

    def log_table(
        self, key: str, *, columns: Sequence[str], data: Sequence[Sequence[Any]], step: int
    ) -> None:
        """Log a table, all of its rows.

        Args:
            key: The table's name.
            columns: The names of its columns.
            data: Its rows; None where a value is unknown.
            step: The optimiser step.
        """
        import wandb

        # Of more rows, W&B leaves out the last ones without a word.
        wandb.Table.MAX_ROWS = max(wandb.Table.MAX_ROWS, len(data))
        table = wandb.Table(columns=list(columns), data=[list(row) for row in data])
        with _staged_in(self._folder / WANDB / "data"):
            self.log_metrics({key: table}, step)


def read_run_id(folder: Path) -> str | None:
    """Read the id of a run folder's W&B run; None before it has one.

    Args:
        folder: The run folder.

    Raises:
        CheckpointError: What is written there is no id.
    """
    path = folder / WANDB / WANDB_RUN_ID
    if not path.exists():
        return None
    try:
        found = path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong_id(path) from error
    if not _ID.fullmatch(found):
        raise _wrong_id(path)
    return found


def _wrong_id(path: Path) -> CheckpointError:
    return CheckpointError(
        f'"{path}" does not hold the id of a W&B run',
        next_step="Put back the file that training wrote, or remove it to begin another W&B run.",
    )


def _plain(value: Any) -> str:
    """Write a value that JSON has no form for: a function by its name, not by its address."""
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return str(value)


@contextmanager
def _staged_in(folder: Path) -> Iterator[None]:
    """Let W&B keep the files of tables, until they are uploaded, in a folder.

    They would be in the user's home folder, unless the user has named another one.
    """
    if DATA_FOLDER in os.environ:
        yield
        return
    os.environ[DATA_FOLDER] = str(folder)
    try:
        yield
    finally:
        del os.environ[DATA_FOLDER]
