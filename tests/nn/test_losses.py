import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from squadqa.nn.losses import (
    UNKNOWN,
    candidate_bce,
    candidate_nll,
    span_nll,
    taught_cross_entropy,
)
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


def pairs(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features (B, 2, F) of 40 questions' two candidates, an easy pattern with noise; labels."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(40, 2, 3, generator=generator)
    right = (
        features[:, 1, 0] + 0.5 * torch.randn(40, generator=generator) > features[:, 0, 0]
    ).long()
    labels = torch.stack([right == 0, right == 1], dim=1)
    return features, labels, torch.ones_like(labels)


def fit(loss: Callable[[Tensor], Tensor], size: int) -> Tensor:
    """Weights at the minimum of a loss with an L2 penalty of a half, found by L-BFGS."""
    weights = torch.zeros(size, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([weights], max_iter=200, tolerance_grad=1e-10, tolerance_change=0)

    def closure() -> Tensor:
        search.zero_grad()
        value = loss(weights) + 0.5 * weights.square().sum()
        value.backward()
        return value

    search.step(closure)  # type: ignore[no-untyped-call]
    return weights.detach()


def test_binary_loss_finds_the_weights_that_scikit_learn_finds() -> None:
    from sklearn.linear_model import LogisticRegression

    features, labels, mask = pairs(1)
    ours = fit(lambda w: candidate_bce(features @ w.float(), mask, labels).sum(), 3)
    rows, is_right = features.flatten(0, 1).numpy(), labels.flatten().numpy()
    theirs = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-8).fit(rows, is_right)
    torch.testing.assert_close(
        ours.float(), torch.tensor(theirs.coef_[0]).float(), atol=1e-3, rtol=1e-3
    )


def test_softmax_loss_finds_the_weights_that_scikit_learn_finds() -> None:
    """Over two candidates it is logistic regression on the difference of their features."""
    from sklearn.linear_model import LogisticRegression

    features, labels, mask = pairs(2)
    ours = fit(lambda w: candidate_nll(features @ w.float(), mask, labels).sum(), 3)
    difference = (features[:, 1] - features[:, 0]).numpy()
    theirs = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-8).fit(
        difference, labels[:, 1].numpy()
    )
    torch.testing.assert_close(
        ours.float(), torch.tensor(theirs.coef_[0]).float(), atol=1e-3, rtol=1e-3
    )


def test_softmax_loss_over_many_is_scikit_learns_log_loss() -> None:
    from sklearn.metrics import log_loss

    logits = torch.randn(30, 7, generator=torch.Generator().manual_seed(3))
    right = torch.arange(30) % 7
    labels = torch.nn.functional.one_hot(right, 7).bool()
    ours = candidate_nll(logits, torch.ones_like(labels), labels).mean()
    theirs = log_loss(right.numpy(), logits.softmax(dim=1).double().numpy(), labels=range(7))
    assert float(ours) == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_a_teacher_that_is_sure_is_as_good_as_an_answer(temperature: float) -> None:
    logits = torch.randn(2, 4)
    sure = torch.eye(4)[[1, 3]]
    losses = taught_cross_entropy(logits, sure, temperature=temperature)
    positions = torch.tensor([1, 3])
    expected = torch.nn.functional.cross_entropy(logits / temperature, positions, reduction="none")
    assert losses.allclose(temperature**2 * expected)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_nothing_is_left_to_learn_from_a_teacher_that_agrees(temperature: float) -> None:
    logits = torch.randn(2, 5, requires_grad=True)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    masked = mask_logits(logits, mask)
    taught_cross_entropy(
        masked, masked.detach().softmax(dim=1), temperature=temperature
    ).sum().backward()
    assert logits.grad is not None
    assert logits.grad.allclose(torch.zeros(()), atol=1e-6)


def test_a_teachers_loss_is_finite_on_padding_and_0_where_it_says_nothing() -> None:
    logits = torch.randn(2, 4, requires_grad=True)
    mask = torch.tensor([[True] * 2 + [False] * 2] * 2)
    taught = torch.tensor([[0.25, 0.75, 0, 0], [0.0] * 4])
    losses = taught_cross_entropy(mask_logits(logits, mask), taught, temperature=2.0)
    losses.sum().backward()
    assert losses[0] > 0 and losses[1] == 0
    assert logits.grad is not None and logits.grad.isfinite().all()
