import pytest
import torch
from torch import Tensor, nn

from squadqa.nn import similarity
from squadqa.nn.similarity import (
    AdditiveSimilarity,
    DotSimilarity,
    _AdditiveScores,
    exponential,
)


@pytest.mark.parametrize("kind", [DotSimilarity, AdditiveSimilarity])
def test_equals_the_equations(kind: type[DotSimilarity] | type[AdditiveSimilarity]) -> None:
    torch.manual_seed(0)
    layer = kind(3, 4, 5)
    sequence, memory = torch.randn(2, 6, 3), torch.randn(2, 5, 4)
    scores = layer(sequence, memory)
    expected = torch.empty(2, 6, 5)
    for row in range(2):
        for step, x in enumerate(sequence[row]):
            for place, y in enumerate(memory[row]):
                query, key = layer.queries.weight @ x, layer.keys.weight @ y
                if isinstance(layer, DotSimilarity):
                    expected[row, step, place] = query.relu() @ key.relu() / 5**0.5
                else:
                    expected[row, step, place] = layer.score.weight[0] @ (query + key).tanh()
    # What is the same for all pairs is left out of the additive scores.
    left_out = layer.score.weight.sum() if isinstance(layer, AdditiveSimilarity) else 0.0
    assert (scores + left_out).allclose(expected, atol=1e-5)


def test_additive_scores_need_no_whole_tensor_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    layer = AdditiveSimilarity(3, 4, 5)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.8)
    sequence, memory = torch.randn(3, 6, 3), torch.randn(3, 5, 4)
    gradients = []
    for elements in (2**20, 2 * 5 * 5, 1):  # all rows, two rows, one row
        monkeypatch.setitem(similarity.ELEMENTS_AT_ONCE, False, elements)
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


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
def test_products_of_exponentials_are_those_of_tanh(scale: float) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(2, 1000) * scale
    exact = (x.double().clamp(-40, 40) + y.double().clamp(-40, 40)).tanh()
    ours = 1 - 2 / (1 + exponential(x) * exponential(y))
    assert ours.double().allclose(exact, atol=2e-6)
    assert ours.isfinite().all()
