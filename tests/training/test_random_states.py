"""Random numbers after a stop. Whole runs: test_resume.py."""

import random
from pathlib import Path

import numpy as np
import torch

from squadqa.training.random_states import RandomStates


def draw() -> list[float]:
    return [random.random(), float(np.random.rand()), float(torch.rand(1))]


def test_random_states_continue(tmp_path: Path) -> None:
    """The file is read with `weights_only`, as checkpoints are."""
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    draw()
    torch.save(RandomStates().state_dict(), tmp_path / "state")
    expected = draw()
    restored = RandomStates()
    restored.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    assert draw() != expected
    restored.on_train_start(None, None)  # type: ignore[arg-type]
    assert draw() == expected
    restored.on_train_start(None, None)  # type: ignore[arg-type]  # once is enough
    assert draw() != expected
