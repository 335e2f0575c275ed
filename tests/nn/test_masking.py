import pytest
import torch

from squadqa.nn.masking import mask_logits, masked_softmax


def test_softmax_of_the_real_places_alone() -> None:
    logits = torch.tensor([[1.0, 5.0, 2.0], [3.0, 3.0, 9.0]])
    mask = torch.tensor([[True, False, True], [True, True, False]])
    weights = masked_softmax(logits, mask)
    assert weights[0, [0, 2]].allclose(torch.softmax(logits[0, [0, 2]], dim=0))
    assert weights[1].tolist() == [0.5, 0.5, 0.0]
    assert weights[0, 1] == 0


def test_nothing_real_gives_zeros_and_finite_gradients() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    weights = masked_softmax(logits, torch.tensor([[False] * 3, [True] * 3]))
    weights.square().sum().backward()
    assert weights[0].tolist() == [0.0] * 3
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert not logits.grad[0].any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_sums_of_masked_scores_are_finite(dtype: torch.dtype) -> None:
    logits = torch.full((1, 4), 10.0, dtype=dtype)
    masked = mask_logits(logits, torch.tensor([[True, False, False, False]]))
    assert masked[0, 0] == 10
    assert (masked + masked).isfinite().all()
    assert torch.softmax(masked.float(), dim=1)[0, 0] == 1
    assert logits.eq(10).all()


def test_mask_broadcasts() -> None:
    weights = masked_softmax(torch.randn(2, 5, 3), torch.tensor([[[True, True, False]]]))
    assert weights.shape == (2, 5, 3)
    assert not weights[:, :, 2].any()
    assert weights.sum(dim=2).allclose(torch.ones(2, 5))
