"""The record of a training in its run folder: the whole configuration, and where it came from."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from squadqa.errors import CheckpointError, shown
from squadqa.evaluation.results import require_fields
from squadqa.files import write_atomic
from squadqa.run_files import CONFIG, ORIGIN


@dataclass(frozen=True)
class Origin:
    """Where a training came from.

    Args:
        configs: The configuration files, in order.
        overrides: Values that differ from those files, by dotted names.
        command: The command line that started it.
        commit: The code's commit.
        hardware: The machine.

    Raises:
        DataError: A result, which is written at the end of the training, could not hold them.
    """

    configs: tuple[str, ...]
    overrides: dict[str, Any]
    command: str
    commit: str
    hardware: str

    def __post_init__(self) -> None:
        require_fields(self)


class RunRecord(pl.Callback):
    """Writes a training's configuration and origin into its run folder, and to the loggers.

    Args:
        config: The whole configuration, as YAML.
        values: The same as plain values.
        origin: Where the training came from; a resumed training keeps its first origin.
    """

    def __init__(self, config: str, values: Mapping[str, Any], origin: Origin) -> None:
        self.config = config
        self.values = values
        self.origin = origin

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Write the record, in one process (called by Lightning)."""
        if stage != "fit" or not trainer.is_global_zero:
            return
        folder = Path(trainer.default_root_dir)
        if not (folder / ORIGIN).is_file():
            with write_atomic(folder / ORIGIN) as file:
                json.dump(asdict(self.origin), file, indent=1)
        # Last, as a folder with a configuration is a run, which can be resumed.
        with write_atomic(folder / CONFIG) as file:
            file.write(self.config)
        for logger in trainer.loggers:
            logger.log_hyperparams(dict(self.values))


def read_origin(folder: Path) -> Origin:
    """Read where a run folder's training came from.

    Args:
        folder: The run folder.

    Raises:
        CheckpointError: Its file is missing or was changed.
    """
    path = folder / ORIGIN
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values["configs"], list):
            raise TypeError(f'"configs" is {shown(values["configs"])}')
        return Origin(**{**values, "configs": tuple(values["configs"])})
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f'cannot read the origin of the run, "{path}": {error}',
            next_step="Put back the file that training wrote.",
        ) from error
