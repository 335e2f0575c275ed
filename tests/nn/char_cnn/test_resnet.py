import pytest
import torch
import torch.nn.functional as F

from squadqa.errors import ConfigError
from squadqa.nn.char_cnn import ResNetCharCNN
from squadqa.nn.char_cnn.words import Words
from tests.support.spelling import layer_alone, randomized, shown, spelled


@pytest.mark.parametrize("stages", [[4], [3, 3], [3, 5]])
def test_equals_its_layers_word_by_word(stages: list[int]) -> None:
    torch.manual_seed(0)
    encoder = ResNetCharCNN(stages=stages, stage_blocks=2)
    randomized(encoder)
    words = ["a", "of", "boat", "lighthouse"]
    for word, encoded in zip(words, encoder(spelled(*words)), strict=True):
        rows = layer_alone(encoder.stem, shown(encoder, word))
        for number in range(len(stages)):
            rows = F.max_pool1d(rows, 2, stride=2, ceil_mode=True)
            for block in encoder.blocks[2 * number : 2 * number + 2]:
                added = layer_alone(block.second, layer_alone(block.first, rows))
                kept = rows if block.shortcut is None else layer_alone(block.shortcut, rows)
                rows = (kept + added).relu()
        torch.testing.assert_close(encoded, rows.mean(dim=2)[0], atol=1e-5, rtol=1e-5)


def test_block_without_weights_changes_nothing() -> None:
    encoder = ResNetCharCNN(stages=[6])
    block = encoder.blocks[0]
    assert block.shortcut is None
    torch.nn.init.zeros_(block.second.weight)
    rows, words = torch.rand(5, 6), Words(torch.tensor([4, 1]))
    assert block(rows, words).equal(rows)


@pytest.mark.parametrize("options", [{"stages": []}, {"stage_blocks": 0}, {"stages": [3, 0]}])
def test_impossible_stages(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="the character encoder cannot have"):
        ResNetCharCNN(**options)
