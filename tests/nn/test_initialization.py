import pytest
import torch

from squadqa.nn.initialization import keep_variance_


def test_products_vary_as_their_inputs_do() -> None:
    torch.manual_seed(0)
    weight = torch.empty(300, 200)
    keep_variance_(weight)
    assert (torch.randn(500, 200) @ weight.t()).var().item() == pytest.approx(1, rel=0.05)
    assert weight.mean().item() == pytest.approx(0, abs=0.001)


def test_a_parameter_still_learns() -> None:
    layer = torch.nn.Linear(3, 2)
    keep_variance_(layer.weight)
    layer(torch.ones(3)).sum().backward()
    assert layer.weight.grad is not None
