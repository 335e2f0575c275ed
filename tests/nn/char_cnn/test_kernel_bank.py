import pytest
import torch

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn import KernelBankCharCNN


def spelled(*words: str, width: int = 0) -> torch.Tensor:
    width = max(width, *map(len, words))
    return torch.tensor([[*map(ord, word), *[0] * (width - len(word))] for word in words])


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


def test_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    encoder = KernelBankCharCNN(filters={1: 3, 5: 8, 7: 2}, character_size=6)
    for convolution in encoder.convolutions:
        torch.nn.init.constant_(convolution.bias, 1.0)
    words = ["a", "boat", "lighthouse"]
    together = encoder(spelled(*words, width=20))
    for word, vector in zip(words, together, strict=True):
        assert encoder(spelled(word))[0].allclose(vector, atol=1e-6)


def test_empty_word_is_zero() -> None:
    assert not KernelBankCharCNN()(spelled("", "a"))[0].any()


def test_order_of_characters_matters() -> None:
    one, other = KernelBankCharCNN(filters={3: 20})(spelled("stop", "pots"))
    assert not one.allclose(other)


@pytest.mark.parametrize("filters", [{4: 10}, {0: 10}, {-3: 10}, {3: 0}])
def test_impossible_filters(filters: dict[int, int]) -> None:
    with pytest.raises(ConfigError, match="the character encoder cannot have"):
        KernelBankCharCNN(filters=filters)
