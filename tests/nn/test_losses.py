import math

import torch
from torch import Tensor

from squadqa.nn.losses import UNKNOWN, candidate_nll, span_nll
from squadqa.nn.masking import mask_logits


def probabilities(logits: Tensor) -> list[float]:
    exponentials = [math.exp(score) for score in logits.tolist()]
    return [value / sum(exponentials) for value in exponentials]


def test_span_loss_is_the_logarithm_of_two_probabilities() -> None:
    start, end = torch.randn(2, 4), torch.randn(2, 4)
    losses = span_nll(start, end, torch.tensor([1, 3]), torch.tensor([2, 3]))
    for row, (first, last) in enumerate([(1, 2), (3, 3)]):
        probability = probabilities(start[row])[first] * probabilities(end[row])[last]
        assert math.isclose(losses[row], -math.log(probability), rel_tol=1e-5)


def test_unknown_answer_has_no_loss_and_no_gradient() -> None:
    logits = torch.randn(2, 4, requires_grad=True)
    positions = torch.tensor([UNKNOWN, 0])
    losses = span_nll(logits, logits, positions, positions)
    losses.sum().backward()
    assert losses[0] == 0
    assert losses[1] > 0
    assert logits.grad is not None
    assert not logits.grad[0].any()


def test_padding_has_no_part_in_the_loss() -> None:
    logits, position = torch.randn(1, 3), torch.tensor([2])
    mask = torch.tensor([[True] * 3 + [False] * 2])
    padded = mask_logits(torch.cat([logits, torch.randn(1, 2)], dim=1), mask)
    losses = span_nll(padded, padded, position, position)
    assert losses.allclose(span_nll(logits, logits, position, position))


def test_candidate_loss_sums_what_is_right() -> None:
    logits = torch.randn(1, 5)
    mask = torch.tensor([[True, True, True, True, False]])
    labels = torch.tensor([[False, True, False, True, False]])
    chances = probabilities(logits[0, :4])
    (loss,) = candidate_nll(logits, mask, labels)
    assert math.isclose(loss, -math.log(chances[1] + chances[3]), rel_tol=1e-5)


def test_candidates_without_a_label_have_no_loss_and_no_gradient() -> None:
    logits = torch.randn(3, 4, requires_grad=True)
    mask = torch.tensor([[True] * 4, [True] * 4, [False] * 4])
    labels = torch.tensor([[True] + [False] * 3, [False] * 4, [False] * 4])
    losses = candidate_nll(logits, mask, labels)
    losses.sum().backward()
    assert losses[0] > 0
    assert losses[1:].tolist() == [0, 0]
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert not logits.grad[1:].any()
