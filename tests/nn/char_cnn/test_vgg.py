import pytest
import torch
import torch.nn.functional as F

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn import VGGCharCNN
from tests.support.spelling import layer_alone, randomized, shown, spelled


@pytest.mark.parametrize("stages", [[3], [3, 4], [2, 3, 5]])
def test_equals_its_layers_word_by_word(stages: list[int]) -> None:
    torch.manual_seed(0)
    encoder = VGGCharCNN(stages=stages, stage_layers=2)
    randomized(encoder)
    words = ["a", "of", "boat", "lighthouse"]
    for word, encoded in zip(words, encoder(spelled(*words)), strict=True):
        rows = shown(encoder, word)
        for number in range(len(stages)):
            if number:
                rows = F.max_pool1d(rows, 2, stride=2, ceil_mode=True)
            for layer in encoder.layers[2 * number : 2 * number + 2]:
                rows = layer_alone(layer, rows)
        torch.testing.assert_close(encoded, rows.amax(dim=2)[0], atol=1e-5, rtol=1e-5)


def test_two_convolutions_of_width_3_see_5_characters() -> None:
    torch.manual_seed(0)
    encoder = randomized(VGGCharCNN(stages=[20], stage_layers=2, activation="tanh"))
    first, second = encoder.layers
    rows, others = (
        layer_alone(second, layer_alone(first, shown(encoder, word)))
        for word in ("abcdefg", "abcXefg")
    )
    assert (rows != others).any(dim=1)[0].tolist() == [False, True, True, True, True, True, False]


@pytest.mark.parametrize("options", [{"stages": []}, {"stage_layers": 0}, {"stages": [3, 0]}])
def test_impossible_stages(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="the character encoder cannot have"):
        VGGCharCNN(**options)
