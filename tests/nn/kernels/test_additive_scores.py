import pytest
import torch
from torch import Tensor

from squadqa.nn.kernels import additive_scores as kernel
from squadqa.nn.kernels.additive_scores import (
    AdditiveScores,
    additive_scores,
    additive_scores_plain,
    exponential,
)
from tests.support.kernels import Remove, assert_same, draw


def drawn() -> list[Tensor]:
    """Queries, keys and the weight of 2 examples, 6 by 5 pairs and features 4 wide."""
    torch.manual_seed(0)
    return [draw(2, 6, 4), draw(2, 5, 4), draw(4)]


@pytest.mark.parametrize("elements", [2**20, 2 * 5 * 4, 1])  # all rows, two rows, one row
def test_fast_equals_plain(elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kernel.ELEMENTS_AT_ONCE, False, elements)
    assert_same(additive_scores, additive_scores_plain, drawn())


def test_fast_form_has_its_own_gradient() -> None:
    assert torch.autograd.gradcheck(AdditiveScores.apply, drawn())


def test_plain_form_is_the_equation() -> None:
    queries, keys, weight = drawn()
    scores = additive_scores_plain(queries, keys, weight)
    for query, key, score in zip(
        queries[1], keys[1, [3]].expand(6, -1), scores[1, :, 3], strict=True
    ):
        assert score.allclose(weight @ (query + key).tanh() - weight.sum())


def test_without_the_fast_form(remove: Remove) -> None:
    remove(AdditiveScores)
    assert_same(additive_scores, additive_scores_plain, drawn(), tolerance=0)


def test_keeps_no_pairs_for_the_gradient() -> None:
    kept: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        additive_scores(*drawn())
    assert max(kept) == 2 * 6 * 4 < 2 * 6 * 5 * 4


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e4])
def test_products_of_exponentials_are_those_of_tanh(scale: float) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(2, 1000) * scale
    exact = (x.double().clamp(-40, 40) + y.double().clamp(-40, 40)).tanh()
    ours = 1 - 2 / (1 + exponential(x) * exponential(y))
    assert ours.double().allclose(exact, atol=2e-6)
    assert ours.isfinite().all()
