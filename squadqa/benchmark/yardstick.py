"""The yardstick of training speed: the recurrent layers of a DrQA reader, and nothing else.

Three bidirectional LSTM layers read contexts and three read questions, forward and backward,
without embedding, attention, data or optimiser. A reader's questions per second, divided by those
of the yardstick on the same machine in the same minute, say how much of the time everything else
takes, however fast the machine is and whatever else it does.
"""

import time
from collections.abc import Callable

import torch
from torch import nn

BATCH = 32
"""Questions in a step."""

CONTEXT_TOKENS, QUESTION_TOKENS = 150, 12
"""About the means of SQuAD."""

INPUT_SIZE, HIDDEN_SIZE, NUM_LAYERS = 160, 128, 3
"""Width of a token; width of a direction and layers as in DrQA."""


def bare_rnn_rate(device: torch.device, *, seconds: float, least_steps: int = 2) -> float:
    """Measure the yardstick, in questions per second.

    Args:
        device: The device.
        seconds: How long to measure, after one step to warm up.
        least_steps: Steps to measure at least, 1 or more.
    """
    texts = [
        torch.ones(BATCH, length, INPUT_SIZE, device=device)
        for length in (CONTEXT_TOKENS, QUESTION_TOKENS)
    ]
    layers = [
        nn.LSTM(INPUT_SIZE, HIDDEN_SIZE, NUM_LAYERS, batch_first=True, bidirectional=True)
        .to(device)
        .train()
        for _ in texts
    ]
    wait = waiting_for(device)

    def step() -> None:
        outputs = [rnn(text)[0].sum() for rnn, text in zip(layers, texts, strict=True)]
        torch.stack(outputs).sum().backward()
        wait()

    step()
    begun, steps = time.perf_counter(), 0
    while steps < least_steps or time.perf_counter() - begun < seconds:
        step()
        steps += 1
    return steps * BATCH / (time.perf_counter() - begun)


def waiting_for(device: torch.device) -> Callable[[], None]:
    """Make a function that waits until a device has computed everything; on a CPU it does nothing.

    Args:
        device: The device.
    """
    if device.type == "cuda":
        return lambda: torch.cuda.synchronize(device)
    return lambda: None
