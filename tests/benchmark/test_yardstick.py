"""The yardstick of training speed."""

import pytest
import torch

from squadqa.benchmark import yardstick
from squadqa.benchmark.yardstick import bare_rnn_rate, waiting_for


def test_it_reads_both_texts_forward_and_backward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yardstick, "CONTEXT_TOKENS", 3)
    monkeypatch.setattr(yardstick, "QUESTION_TOKENS", 2)
    monkeypatch.setattr(yardstick, "HIDDEN_SIZE", 2)
    lengths, gradients = [], []
    lstm = torch.nn.LSTM

    class Watched(lstm):  # type: ignore[misc, valid-type]
        def forward(self, text: torch.Tensor) -> object:
            lengths.append(tuple(text.shape))
            gradients.append(self.weight_ih_l0.grad is not None)
            return super().forward(text)

    monkeypatch.setattr(torch.nn, "LSTM", Watched)
    assert bare_rnn_rate(torch.device("cpu"), seconds=0, least_steps=2) > 0
    assert lengths == [(32, 3, 160), (32, 2, 160)] * 3, "one step to warm up, and two"
    assert gradients == [False, False, True, True, True, True]


def test_a_gpu_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    waiting_for(torch.device("cpu"))()
    assert waited == []
    waiting_for(torch.device("cuda", 1))()
    assert waited == [torch.device("cuda", 1)]
