from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from squadqa.nn import pairs
from squadqa.nn.gated_attention import GatedAttention, GatedMatch
from squadqa.nn.gated_attention_rnn import GatedAttentionRNN
from squadqa.nn.similarity import Similarity
from tests.support import equations

SIZE, MEMORY_SIZE, HIDDEN = 3, 4, 5
LENGTHS, MEMORY_LENGTHS = [6, 1, 4], [2, 5, 1]

Match = Callable[[], nn.Module]
MATCHES: dict[str, Match] = {
    "dot": lambda: GatedMatch(SIZE, MEMORY_SIZE, hidden_size=HIDDEN),
    "additive": lambda: GatedMatch(SIZE, MEMORY_SIZE, hidden_size=HIDDEN, similarity="additive"),
    "stepped": lambda: GatedAttentionRNN(SIZE, MEMORY_SIZE, hidden_size=HIDDEN),
}
every_match = pytest.mark.parametrize("make", MATCHES.values(), ids=MATCHES)
every_similarity = pytest.mark.parametrize("similarity", ["dot", "additive"])


def made(make: Match) -> nn.Module:
    """A layer whose weights are large enough that each of them tells."""
    torch.manual_seed(0)
    layer = make()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.8)
    return layer


def texts() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Three sequences with their memories, and the masks of both."""
    torch.manual_seed(1)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    memory_mask = torch.arange(max(MEMORY_LENGTHS)) < torch.tensor(MEMORY_LENGTHS)[:, None]
    sequence = torch.randn(*mask.shape, SIZE)
    return sequence, mask, torch.randn(*memory_mask.shape, MEMORY_SIZE), memory_mask


def unpadded(row: int) -> tuple[list[Tensor], list[Tensor]]:
    """The steps of one sequence and of its memory."""
    sequence, mask, memory, memory_mask = texts()
    return list(sequence[row, mask[row]]), list(memory[row, memory_mask[row]])


@every_similarity
def test_gated_attention_equals_the_equations(similarity: Similarity) -> None:
    layer = made(
        lambda: GatedAttention(SIZE, MEMORY_SIZE, hidden_size=HIDDEN, similarity=similarity)
    )
    sequence, mask, memory, memory_mask = texts()
    read = layer(sequence, memory, memory_mask)
    for row in range(len(LENGTHS)):
        expected = torch.stack(equations.gated_attention(layer, *unpadded(row)))
        assert read[row, mask[row]].allclose(expected, atol=1e-5)


@every_similarity
def test_self_matching_equals_the_equations(similarity: Similarity) -> None:
    layer = made(lambda: GatedMatch(SIZE, SIZE, hidden_size=HIDDEN, similarity=similarity))
    sequence, mask, *_ = texts()
    matched = layer(sequence, mask, sequence, mask)
    for row in range(len(LENGTHS)):
        steps = list(sequence[row, mask[row]])
        (expected,) = equations.bigru(
            layer.rnn, equations.gated_attention(layer.attention, steps, steps)
        )
        assert matched[row, mask[row]].allclose(torch.stack(expected), atol=1e-5)


def test_attention_by_its_own_state_equals_the_equations() -> None:
    layer = made(MATCHES["stepped"])
    sequence, mask, memory, memory_mask = texts()
    matched = layer(sequence, mask, memory, memory_mask)
    for row in range(len(LENGTHS)):
        expected = torch.stack(equations.gated_attention_rnn(layer, *unpadded(row)))
        assert matched[row, mask[row]].allclose(expected, atol=1e-5)


def test_with_a_memory_of_one_step_it_is_the_gru_of_torch() -> None:
    layer = made(MATCHES["stepped"])
    assert isinstance(layer, GatedAttentionRNN)
    sequence, mask = torch.randn(1, 6, SIZE), torch.ones(1, 6, dtype=torch.bool)
    memory = torch.randn(1, 1, MEMORY_SIZE)
    ahead, back = layer(sequence, mask, memory, mask[:, :1]).chunk(2, dim=2)
    joined = torch.cat([sequence, memory.expand(-1, 6, -1)], dim=2)[0]
    read = [joined * cell.gate(joined).sigmoid() for cell in (layer.forwards, layer.backwards)]
    assert ahead[0].allclose(layer.forwards.rnn(read[0])[0], atol=1e-5)
    assert back[0].allclose(layer.backwards.rnn(read[1].flip(0))[0].flip(0), atol=1e-5)


@every_match
def test_what_stands_on_padding_changes_nothing(make: Match) -> None:
    layer = made(make)
    sequence, mask, memory, memory_mask = texts()
    matched = layer(sequence, mask, memory, memory_mask)
    assert matched.shape == (3, 6, 2 * HIDDEN)
    noise = torch.where(mask[:, :, None], sequence, 50.0)
    memory_noise = torch.where(memory_mask[:, :, None], memory, -50.0)
    assert layer(noise, mask, memory_noise, memory_mask)[mask].equal(matched[mask])
    alone = layer(sequence[2:, :4], mask[2:, :4], memory[2:, :1], memory_mask[2:, :1])
    assert alone.allclose(matched[2:, :4], atol=1e-6)


@every_match
def test_padded_rows_are_finite_and_so_are_their_gradients(make: Match) -> None:
    layer = made(make)
    sequence, mask, memory, memory_mask = texts()
    mask[1], memory_mask[1] = False, False
    sequence.requires_grad_(), memory.requires_grad_()
    matched = layer(sequence, mask, memory, memory_mask)
    assert matched.isfinite().all()
    matched[mask].sum().backward()
    for tensor in (sequence, memory, *layer.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()


@every_match
def test_drops_the_same_features_at_every_step(make: Match) -> None:
    layer = made(make)
    for module in layer.modules():
        if hasattr(module, "probability"):
            module.probability = 0.5
    ones, mask = torch.ones(2, 3, SIZE), torch.ones(2, 3, dtype=torch.bool)
    memory = torch.ones(2, 3, MEMORY_SIZE)
    assert not layer(ones, mask, memory, mask).equal(layer(ones, mask, memory, mask))
    if isinstance(layer, GatedMatch):  # no RNN after it: equal steps stay equal
        read = layer.attention(ones, memory, mask)
        assert read[:, :1].expand_as(read).allclose(read)
    layer.eval()
    assert layer(ones, mask, memory, mask).equal(layer(ones, mask, memory, mask))


@every_similarity
def test_long_texts_are_read_in_parts(
    similarity: Similarity, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = made(
        lambda: GatedAttention(SIZE, MEMORY_SIZE, hidden_size=HIDDEN, similarity=similarity)
    )
    sequence, _, memory, memory_mask = texts()
    whole = layer(sequence, memory, memory_mask)
    monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 4 * memory_mask.numel())
    assert layer(sequence, memory, memory_mask).allclose(whole, atol=1e-6)
