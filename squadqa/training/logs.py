"""The log of a training's scores: a CSV file that is whole at any time."""

import csv
import json
import time
from typing import Any

import yaml
from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.csv_logs import ExperimentWriter

from squadqa.files import write_atomic

SECONDS_BETWEEN = 10.0
"""Seconds between two writings of the scores, as the whole file is written each time."""


class WholeLogs(CSVLogger):
    """Logs scores and the configuration as Lightning does, to files that are always whole.

    The arguments are those of Lightning's `CSVLogger`.
    """

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The writer of this session's files (called by Lightning)."""
        if self._experiment is None:
            self._experiment = _WholeFiles(log_dir=self.log_dir)
        return self._experiment

    def flush(self) -> None:
        """Write all scores so far."""
        if isinstance(self._experiment, _WholeFiles):
            self._experiment.flush()

    def finalize(self, status: str) -> None:
        """Write all scores (called by Lightning)."""
        self.flush()


class _WholeFiles(ExperimentWriter):
    """Writes a file anew when there is more to write."""

    def __init__(self, log_dir: str) -> None:
        super().__init__(log_dir)
        self._saved = 0
        self._saved_at = 0.0

    def log_hparams(self, params: dict[str, Any]) -> None:
        """Write the configuration (called by Lightning)."""
        self.hparams.update(json.loads(json.dumps(params, default=str)))
        with write_atomic(f"{self.log_dir}/{self.NAME_HPARAMS_FILE}") as file:
            yaml.safe_dump(self.hparams, file)

    def save(self) -> None:
        """Write all scores from time to time (called by Lightning, after each row)."""
        if time.monotonic() - self._saved_at > SECONDS_BETWEEN:
            self.flush()

    def flush(self) -> None:
        """Write all scores of this session that are not written yet."""
        if len(self.metrics) == self._saved:
            return
        self._saved, self._saved_at = len(self.metrics), time.monotonic()
        with write_atomic(self.metrics_file_path) as file:
            names = sorted(set().union(*self.metrics))
            writer = csv.DictWriter(file, fieldnames=names)
            writer.writeheader()
            writer.writerows(self.metrics)
