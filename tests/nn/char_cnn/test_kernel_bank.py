import pytest
import torch

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn import KernelBankCharCNN
from tests.support.spelling import spelled


def test_shape_is_that_of_all_filters() -> None:
    encoder = KernelBankCharCNN(filters={1: 3, 3: 4, 5: 5}, character_size=6)
    assert encoder.output_size == 12
    assert encoder(spelled("", "a", "boats")).shape == (3, 12)
    assert KernelBankCharCNN().output_size == 100


def test_equals_the_formula() -> None:
    torch.manual_seed(0)
    encoder = KernelBankCharCNN(filters={3: 4}, character_size=5)
    (convolution,) = encoder.convolutions
    embedded = encoder.characters(spelled("boat"))[0]
    around = torch.cat([torch.zeros(1, 5), embedded, torch.zeros(1, 5)])
    windows = torch.stack([around[i : i + 3].T for i in range(4)])  # (places, D, 3)
    scores = torch.einsum("pdk,fdk->pf", windows, convolution.weight) + convolution.bias
    assert encoder(spelled("boat"))[0].allclose(scores.relu().amax(dim=0), atol=1e-6)


@pytest.mark.parametrize("filters", [{4: 10}, {0: 10}, {-3: 10}, {3: 0}])
def test_impossible_filters(filters: dict[int, int]) -> None:
    with pytest.raises(ConfigError, match="the character encoder cannot have"):
        KernelBankCharCNN(filters=filters)
