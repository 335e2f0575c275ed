"""The device that a model runs on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from squadqa.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

BATCH_TOKENS = {"cpu": 6_144, "cuda": 16_384}
"""Most context tokens of a batch, including padding, by kind of device; see `batch_tokens`."""

FEW_TOKENS = 600
"""Context tokens that one thread reads as soon as several do: about four paragraphs."""

DEVICE_NAME = re.compile(r"auto|cpu|cuda(:\d+)?")
"""The names of devices; "auto" is a GPU if there is one."""


def find_device(name: str) -> "torch.device":
    """Find the device that a user named.

    Args:
        name: "cpu", "cuda", "cuda:1" and so on, or "auto".

    Raises:
        ConfigError: The device does not exist.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    if not DEVICE_NAME.fullmatch(name):
        raise ConfigError(
            f'there is no device "{name}"',
            hint=did_you_mean(name, ("auto", "cpu", "cuda", "cuda:1")),
            next_step="Leave --device out, or use --device cpu.",
        )
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ConfigError(
            f'there is no device "{name}": PyTorch finds {count} GPUs here',
            hint="" if count else "There is none, or its driver does not fit this PyTorch.",
            next_step="Leave --device out, or use --device cpu.",
        )
    return device


def batch_tokens(device: "torch.device") -> int:
    """Return how many context tokens, including padding, a batch of questions may have.

    It limits memory for long contexts. On a CPU, batches that its caches hold are also faster: with
    6,144 drqa and bidaf answer a sixth to a quarter more questions/s than with 16,384.
    """
    return BATCH_TOKENS[device.type]


@contextmanager
def threads_for(lengths: "NDArray[np.int64]", device: "torch.device") -> Iterator[None]:
    """Compute on a CPU with one thread where there is little to do, and then as before.

    A question about a paragraph takes one thread as long as two, if these are awake. But between
    questions they sleep, and other libraries' threads wake for the annotation: on two cores a
    question took 30 ms by two threads, or 77 if they sleep soon, and 16 by one.

    Args:
        lengths: (B,) context tokens of each question of the batch, which is padded.
        device: Where it is computed.
    """
    import torch

    tokens = len(lengths) * int(lengths.max())
    before = torch.get_num_threads()
    if device.type != "cpu" or tokens > FEW_TOKENS or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
