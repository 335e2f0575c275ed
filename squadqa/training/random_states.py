"""The states of all random generators, which a resumed training continues from."""

import random
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch


class RandomStates(pl.Callback):
    """Keeps the states of all random generators in checkpoints, so that a resumed run continues.

    With several processes the states of the first one are kept, and all processes resume from them.
    """

    def state_dict(self) -> dict[str, Any]:
        """Return the states (called by Lightning)."""
        kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
        return {
            "python": random.getstate(),
            "numpy": [kind, torch.from_numpy(np.array(keys, np.int64)), position, has_gauss, gauss],
            "torch": torch.get_rng_state(),
            # Not where a GPU is available but not used: asking for its state would start it.
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the states until training starts (called by Lightning)."""
        self._loaded: dict[str, Any] | None = state_dict

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Set the generators to the loaded states (called by Lightning)."""
        state = getattr(self, "_loaded", None)
        if state is None:
            return
        version, internal, gauss = state["python"]
        random.setstate((version, tuple(internal), gauss))
        kind, keys, position, has_gauss, cached = state["numpy"]
        np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, cached))
        torch.set_rng_state(state["torch"].cpu())
        if torch.cuda.is_initialized():
            # The training may have been stopped on a machine with more GPUs, or with fewer.
            for device, value in zip(range(torch.cuda.device_count()), state["cuda"], strict=False):
                torch.cuda.set_rng_state(value.cpu(), device)
        self._loaded = None
