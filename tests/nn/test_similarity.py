import pytest
import torch

from squadqa.nn.similarity import AdditiveSimilarity, DotSimilarity


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
