import torch

from squadqa.nn.contextual_gate import ContextualGate
from tests.support.kernels import ragged


def test_equals_the_equations() -> None:
    torch.manual_seed(0)
    gate = ContextualGate(5, 3, cell="sru")
    embedded, mask = torch.randn(2, 4, 5), ragged([4, 2])
    revised = gate(embedded, mask)
    read = gate.rnn(embedded, mask)
    of_gate, of_revised = gate.both.weight.chunk(2)
    gate_bias, revised_bias = gate.both.bias.chunk(2)
    for row, token in [(0, 0), (0, 3), (1, 1)]:
        joined = torch.cat([embedded[row, token], read[row, token]])
        g = (of_gate @ joined + gate_bias).sigmoid()
        t = (of_revised @ joined + revised_bias).tanh()
        expected = g * embedded[row, token] + (1 - g) * t
        assert revised[row, token].allclose(expected, atol=1e-6)


def test_an_open_gate_keeps_the_embeddings() -> None:
    gate = ContextualGate(5, 3)
    torch.nn.init.zeros_(gate.both.weight)
    gate.both.bias.detach()[:5] = 100
    embedded = torch.randn(2, 4, 5)
    assert gate(embedded, ragged([4, 2])).allclose(embedded)


def test_has_two_layers_as_in_the_paper() -> None:
    assert len(ContextualGate(5, 3).rnn.forwards) == 2
