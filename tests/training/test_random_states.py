"""Random numbers after a stop. Whole runs: test_resume.py."""

import random
from pathlib import Path

import numpy as np
import pytest
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


class PretendedGPUs:
    """The part of torch.cuda that random states use."""

    def __init__(self, count: int) -> None:
        self.states = [torch.zeros(16, dtype=torch.uint8) for _ in range(count)]
        self.is_used = True

    def is_initialized(self) -> bool:
        return self.is_used

    def device_count(self) -> int:
        return len(self.states)

    def get_rng_state_all(self) -> list[torch.Tensor]:
        assert self.is_used, "asking for the state would start the GPU"
        return self.states

    def set_rng_state(self, state: torch.Tensor, device: int) -> None:
        self.states[device] = state


def test_a_run_continues_on_another_number_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = PretendedGPUs(2)
    monkeypatch.setattr(torch, "cuda", gpus)
    gpus.states = [torch.full((16,), number, dtype=torch.uint8) for number in (1, 2)]
    saved = RandomStates().state_dict()
    for count in (1, 3):
        gpus.states = PretendedGPUs(count).states
        restored = RandomStates()
        restored.load_state_dict(saved)
        restored.on_train_start(None, None)  # type: ignore[arg-type]
        assert [int(state[0]) for state in gpus.states] == [1, 2, 0][:count]


def test_a_gpu_that_is_not_used_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = PretendedGPUs(1)
    gpus.is_used = False
    monkeypatch.setattr(torch, "cuda", gpus)
    assert RandomStates().state_dict()["cuda"] == []
