import csv
import errno
import os
from pathlib import Path

import pytest

from squadqa.errors import OutputError
from squadqa.training.logs import WholeLogs


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_scores_are_whole_after_a_write_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    logs, path = WholeLogs(tmp_path, name="logs"), tmp_path / "logs/version_0/metrics.csv"
    logs.log_metrics({"val/f1": 1.0}, step=0)
    logs.flush()
    logs.log_metrics({"val/f1": 2.0, "val/loss": 3.0}, step=1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=f'cannot write "{path}": No space left on device'):
            logs.finalize("success")
    assert rows(path) == [{"step": "0", "val/f1": "1.0"}]
    logs.log_metrics({"val/f1": 4.0}, step=2)
    logs.flush()
    assert [row["val/f1"] for row in rows(path)] == ["1.0", "2.0", "4.0"]
    assert os.listdir(path.parent) == ["metrics.csv"]


def test_the_configuration_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="hparams.yaml"):
        WholeLogs(tmp_path, name="logs").log_hyperparams({"seed": 1})
    assert not list(tmp_path.rglob("*.yaml"))
