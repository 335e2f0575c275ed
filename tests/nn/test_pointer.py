import torch

from squadqa.nn.pointer import BilinearPointer


def test_scores_are_bilinear() -> None:
    torch.manual_seed(0)
    pointer = BilinearPointer(3, 5)
    context, question = torch.randn(2, 4, 3), torch.randn(2, 5)
    scores = pointer(context, question)
    weight, bias = pointer.projection.weight, pointer.projection.bias
    expected = torch.einsum("bcd,de,be->bc", context, weight, question) + context @ bias
    assert scores.shape == (2, 4)
    assert scores.allclose(expected, atol=1e-5)
