"""The moving average of weights."""

import pytest
import torch
from torch import nn

from squadqa.errors import ConfigError
from squadqa.training.averaging import WeightAverage


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_it_is_the_exponential_average() -> None:
    made = model()
    average = WeightAverage(made, decay=0.5)
    weight = made[0].weight
    expected = weight.detach().clone()
    for steps, decay in ((1, 2 / 11), (2, 3 / 12), (30, 0.5)):  # at first it follows faster
        nn.init.normal_(weight)
        average.update(made, steps=steps)
        expected = decay * expected + (1 - decay) * weight.detach()
        assert torch.allclose(average.model[0].weight, expected)


def test_running_statistics_are_averaged_and_counts_copied() -> None:
    made = model()
    average = WeightAverage(made, decay=0.9)
    made(torch.full((4, 2), 3.0))
    average.update(made, steps=1000)
    mine, theirs = average.model[1], made[1]
    assert torch.allclose(mine.running_mean, 0.1 * theirs.running_mean)
    assert mine.num_batches_tracked == theirs.num_batches_tracked == 1


def test_it_is_not_trained_and_not_part_of_the_model() -> None:
    made = model()
    average = WeightAverage(made, decay=0.9)
    assert not any(parameter.requires_grad for parameter in average.parameters())
    before = {name: value.clone() for name, value in average.state_dict().items()}
    with torch.no_grad():
        made[0].weight.zero_()
    assert all(value.equal(before[name]) for name, value in average.state_dict().items())
    average.reset(made)
    assert not average.model[0].weight.any()


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.1, 1.5])
def test_invalid_decays(decay: float) -> None:
    with pytest.raises(ConfigError, match="model.ema_decay cannot be"):
        WeightAverage(model(), decay=decay)
