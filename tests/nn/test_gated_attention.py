from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from squadqa.nn import gated_attention
from squadqa.nn.gated_attention import (
    AdditiveSimilarity,
    GatedAttention,
    GatedAttentionRNN,
    GatedMatch,
    Similarity,
    _AdditiveScores,
    _GatedAttentionSteps,
    exponential,
)
from tests import slow

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
        expected = torch.stack(slow.gated_attention(layer, *unpadded(row)))
        assert read[row, mask[row]].allclose(expected, atol=1e-5)


@every_similarity
def test_self_matching_equals_the_equations(similarity: Similarity) -> None:
    layer = made(lambda: GatedMatch(SIZE, SIZE, hidden_size=HIDDEN, similarity=similarity))
    sequence, mask, *_ = texts()
    matched = layer(sequence, mask, sequence, mask)
    for row in range(len(LENGTHS)):
        steps = list(sequence[row, mask[row]])
        (expected,) = slow.bigru(layer.rnn, slow.gated_attention(layer.attention, steps, steps))
        assert matched[row, mask[row]].allclose(torch.stack(expected), atol=1e-5)


def test_attention_by_its_own_state_equals_the_equations() -> None:
    layer = made(MATCHES["stepped"])
    sequence, mask, memory, memory_mask = texts()
    matched = layer(sequence, mask, memory, memory_mask)
    for row in range(len(LENGTHS)):
        expected = torch.stack(slow.gated_attention_rnn(layer, *unpadded(row)))
        assert matched[row, mask[row]].allclose(expected, atol=1e-5)


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
    if isinstance(layer, GatedMatch):  # no RNN behind it: equal steps stay equal
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
    monkeypatch.setattr(gated_attention, "PAIRS_AT_ONCE", 4 * memory_mask.numel())
    assert layer(sequence, memory, memory_mask).allclose(whole, atol=1e-6)


def test_additive_scores_need_no_whole_tensor_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = made(lambda: AdditiveSimilarity(SIZE, MEMORY_SIZE, HIDDEN))
    sequence, _, memory, _ = texts()
    gradients = []
    for elements in (2**20, 2 * memory.shape[1] * HIDDEN, 1):  # all rows, two rows, one row
        monkeypatch.setitem(gated_attention.ELEMENTS_AT_ONCE, False, elements)
        layer.zero_grad()
        (layer(sequence, memory) * torch.arange(5.0)).sum().backward()
        gradients.append([parameter.grad for parameter in layer.parameters()])
    for others in gradients[1:]:
        for one, other in zip(gradients[0], others, strict=True):
            assert other.allclose(one, atol=1e-4)


def test_gradient_of_additive_scores() -> None:
    torch.manual_seed(0)
    sizes = [(2, 3, 4), (2, 5, 4), (4,)]
    tensors = [torch.randn(size, dtype=torch.double, requires_grad=True) for size in sizes]

    def scores(queries: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
        # What is left out of them, sum(v), has a gradient too.
        return _AdditiveScores.apply(queries, keys, weight).softmax(dim=2)

    assert torch.autograd.gradcheck(scores, tensors)


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


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
def test_products_of_exponentials_are_those_of_tanh(scale: float) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(2, 1000) * scale
    exact = (x.double().clamp(-40, 40) + y.double().clamp(-40, 40)).tanh()
    ours = 1 - 2 / (1 + exponential(x) * exponential(y))
    assert ours.double().allclose(exact, atol=2e-6)
    assert ours.isfinite().all()
