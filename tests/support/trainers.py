"""The part of a Lightning trainer that callbacks use."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch


class Trainer(SimpleNamespace):
    """The part of a trainer that callbacks use; it records the steps at which it saved."""

    def __init__(self, **values: Any) -> None:
        device = torch.device("cpu")
        alone = SimpleNamespace(broadcast=lambda value: value, root_device=device)
        usual = {
            "world_size": 1,
            "global_step": 0,
            "is_last_batch": False,
            "should_stop": False,
            "loggers": [],
        }
        super().__init__(**{**usual, "strategy": alone, "loggers": [], **values})
        self.saved: list[int] = []

    def save_checkpoint(self, path: Path) -> None:
        self.saved.append(self.global_step)
