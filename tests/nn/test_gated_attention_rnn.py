"""What it has in common with the other matchings is in test_gated_attention.py."""

import torch

from squadqa.nn.gated_attention_rnn import GatedAttentionRNN, _GatedAttentionSteps
from tests.nn.test_gated_attention import (
    HIDDEN,
    LENGTHS,
    MEMORY_SIZE,
    SIZE,
    made,
    texts,
    unpadded,
)
from tests.support import slow


def test_attention_by_its_own_state_equals_the_equations() -> None:
    layer = made(lambda: GatedAttentionRNN(SIZE, MEMORY_SIZE, hidden_size=HIDDEN))
    sequence, mask, memory, memory_mask = texts()
    matched = layer(sequence, mask, memory, memory_mask)
    for row in range(len(LENGTHS)):
        expected = torch.stack(slow.gated_attention_rnn(layer, *unpadded(row)))
        assert matched[row, mask[row]].allclose(expected, atol=1e-5)


def test_gradient_of_the_steps() -> None:
    torch.manual_seed(0)
    length, batch, size, memory_size, hidden, memory_length = 3, 2, 2, 3, 2, 3
    both = size + memory_size
    mask = torch.tensor([[True] * memory_length, [True, False, False]])
    sizes = [
        (2, length, batch, size),
        (2, length, batch, hidden),
        (2, length, batch, both),
        (2, batch, memory_length, hidden),
        (2, batch, memory_length, memory_size + both),
        (2, hidden, 1),
        (2, hidden, hidden),
        (2, both, 3 * hidden),
        (2, 1, 3 * hidden),
        (2, hidden, 3 * hidden),
        (2, 1, 3 * hidden),
    ]
    tensors = [torch.randn(each, dtype=torch.double, requires_grad=True) for each in sizes]
    tensors.insert(5, mask)
    assert torch.autograd.gradcheck(_GatedAttentionSteps.apply, tensors)
