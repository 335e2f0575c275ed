"""Steps of recurrent cells: the form for ONNX computes what torch's does."""

import pytest
import torch
from torch import nn

from squadqa.nn import cells
from squadqa.nn.cells import next_gru_state, next_lstm_state


@pytest.fixture(autouse=True)
def drawn() -> None:
    torch.manual_seed(0)


def exporting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "is_exporting", lambda: True)


def test_gru(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = nn.GRUCell(5, 4)
    inputs, state = torch.randn(3, 5), torch.randn(3, 4)
    expected = cell(inputs, state)
    assert next_gru_state(cell, inputs, state).equal(expected)
    exporting(monkeypatch)
    assert next_gru_state(cell, inputs, state).allclose(expected, atol=1e-6)


def test_lstm(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = nn.LSTMCell(5, 4)
    inputs, state = torch.randn(3, 5), (torch.randn(3, 4), torch.randn(3, 4))
    expected = cell(inputs, state)
    for same, other in zip(next_lstm_state(cell, inputs, state), expected, strict=True):
        assert same.equal(other)
    exporting(monkeypatch)
    for close, other in zip(next_lstm_state(cell, inputs, state), expected, strict=True):
        assert close.allclose(other, atol=1e-6)
