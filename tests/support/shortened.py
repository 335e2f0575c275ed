"""Commands of README and docs/ that would serve or train for long, made short."""

from pathlib import Path
from typing import Any

import pytest

from squadqa.cli.trial import Trial

TRIAL = Trial(
    parameters=1000,
    per_second=10.0,
    steps=3,
    batch_gib=0.1,
    held_gib=1.0,
    on_gpu=False,
    checkpoint_bytes=10,
    prepared_bytes=1.0,
)
"""What trials measure that are not run."""


def shorten(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command stop serving at once, and train nothing.

    Args:
        command: Its name.
        monkeypatch: Takes all back after the test.
    """
    if command == "demo":
        monkeypatch.setattr("squadqa.demo.server.DemoServer.serve_forever", _interrupted)
    if command in ("check", "init-config"):
        for module in ("checking", "budgeting"):
            monkeypatch.setattr(f"squadqa.cli.{module}.run_trial", lambda *_, **__: TRIAL)
    if command == "sweep":
        pytest.importorskip("optuna")
        monkeypatch.setattr("squadqa.cli.sweeping.run_training", _trained)


def _interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def _trained(line: list[str], **_: Any) -> int:
    (folder,) = [word.partition("=")[2] for word in line if word.startswith("--run_folder=")]
    log = Path(folder, "logs", "version_0", "metrics.csv")
    log.parent.mkdir(parents=True)
    log.write_text("step,val/f1\n1,50.0\n", encoding="utf-8")
    return 0
