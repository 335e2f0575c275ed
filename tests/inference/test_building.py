"""Models whose configuration and checkpoint do not fit."""

import time

import pytest
import torch
from torch import nn

from squadqa.inference.building import MisfitError, build
from tests.support.fuzzing import limited_memory


def layers(*sizes: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(3, size) for size in sizes))


def test_weights_are_loaded() -> None:
    weights = layers(4, 5).state_dict()
    model = build(lambda: layers(4, 5), weights)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((4, 6), r'2 weights do not fit it, such as "1.bias": \(5,\) in the checkpoint, \(6,\) in'),
        ((4,), r'such as "1.bias": \(5,\) in the checkpoint, missing in the model'),
        ((4, 5, 6), r'such as "2.bias": missing in the checkpoint, \(6,\) in the model'),
        ((4, 10**12), r"in the checkpoint, \(1000000000000,\) in the model"),
    ],
)
def test_weights_of_another_model(sizes: tuple[int, ...], said: str) -> None:
    with limited_memory(), pytest.raises(MisfitError, match=said):
        build(lambda: layers(*sizes), layers(4, 5).state_dict())


@pytest.mark.parametrize("kind", [nn.Linear, nn.Dropout])
def test_a_model_without_end_is_stopped(kind: type[nn.Module]) -> None:
    def endless() -> nn.Module:
        model = nn.Module()
        for number in range(10**9):
            model.add_module(str(number), nn.Linear(3, 3) if kind is nn.Linear else nn.Dropout())
        return model

    began = time.process_time()
    with pytest.raises(MisfitError, match="more than 1,040 layers and weights"):
        build(endless, layers(4, 5).state_dict())
    assert time.process_time() - began < 10
    assert len(list(layers(*[1] * 2000).parameters())) == 4000  # no longer stopped


def test_weights_of_another_type() -> None:
    weights = {name: value.long() for name, value in layers(4).state_dict().items()}
    with pytest.raises(MisfitError, match=r'"0.bias": \(4,\) of torch.int64 in the checkpoint'):
        build(lambda: layers(4), weights)


def test_a_model_that_cannot_be_outlined_is_made_all_the_same() -> None:
    class Reads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))
            self.total = float(self.weight.detach().sum())  # impossible without memory

    weights = {"weight": torch.tensor([3.0, 4.0])}
    assert build(Reads, weights).weight.tolist() == [3.0, 4.0]
